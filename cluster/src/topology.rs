//! Which group owns which slot, and where its replicas are. Versioned; meta's rows hold the truth.

use serde::{Deserialize, Serialize};
use wire::ids::{GroupId, NodeId, ReplicaId};
use wire::slot::{SLOTS, slot};

/// Groups of a new cluster, meta aside.
pub const GROUPS_DEFAULT: u16 = 16;
/// The most a cluster can be made with.
pub const GROUPS_MAX: u16 = 1024;

/// Slot → group → replicas.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Topology {
    /// One higher with every change.
    pub version: u64,
    /// Groups that own slots: ids 1 to this. Fixed when the cluster is made.
    pub groups: u16,
    /// Where every group's replicas are, meta's too, in order of group and replica.
    pub placed: Vec<Placed>,
    /// The next replica id; none is ever used twice (RAFT §4).
    pub next_replica: ReplicaId,
}

/// One replica's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Placed {
    pub group: GroupId,
    pub replica: ReplicaId,
    pub node: NodeId,
}

impl Topology {
    /// A cluster of one: replica `n + 1` of group `n` on its only node.
    pub fn founded(node: NodeId, groups: u16) -> Topology {
        let placed = (0..=u64::from(groups)).map(|n| Placed { group: GroupId(n), replica: ReplicaId(n + 1), node });
        Topology { version: 1, groups, placed: placed.collect(), next_replica: ReplicaId(u64::from(groups) + 2) }
    }

    /// The group that owns an entity.
    pub fn group_of(&self, account: &str, service: &str, key: &str) -> GroupId {
        GroupId(1 + u64::from(slot(account, service, key)) * u64::from(self.groups) / u64::from(SLOTS))
    }

    /// All groups that own slots.
    pub fn owners(&self) -> impl Iterator<Item = GroupId> + use<> {
        (1..=u64::from(self.groups)).map(GroupId)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_group_owns_an_even_share_and_meta_none() {
        let topology = Topology::founded(NodeId(1), GROUPS_DEFAULT);
        let mut owned = vec![0; 17];
        (0..16_000).for_each(|n| owned[topology.group_of("local", "cache", &n.to_string()).0 as usize] += 1);
        assert_eq!(owned[0], 0);
        assert!(owned[1..].iter().all(|n| (850..1150).contains(n)), "{owned:?}");
    }

    #[test]
    fn replica_ids_are_not_node_ids_and_the_next_is_unused() {
        let topology = Topology::founded(NodeId(1), 3);
        assert!(topology.placed.iter().all(|p| p.replica < topology.next_replica));
        assert_eq!(topology.placed.len(), 4);
    }
}
