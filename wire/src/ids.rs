//! Who is who: the numbers that nodes, groups and replicas go by.

use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub u64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "{}"), self.0)
            }
        }
    };
}

id!(
    /// One process's place in the cluster; kept in its data folder, the same over restarts.
    NodeId, "n"
);
id!(
    /// A Raft group: it owns a range of slots. Group 0 is the meta group.
    GroupId, "g"
);
id!(
    /// One copy of one group. Handed out by meta, used once, ever (RAFT.md §4): never a node id.
    ReplicaId, "r"
);
id!(
    /// Which life of a node this is; one higher at every start.
    Incarnation, "i"
);
id!(
    /// Raft term: a leader's era.
    Term, "t"
);
id!(
    /// Position of an entry in a group's log.
    Index, "@"
);

impl GroupId {
    /// The group that holds registry, topology and settings.
    pub const META: GroupId = GroupId(0);
}

/// Which cluster a folder, a frame or a datagram belongs to. Random, made once.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ClusterId(pub [u8; 16]);

impl fmt::Display for ClusterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ClusterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ClusterId({self})")
    }
}
