//! What is known of a replica when it is opened.

use serde::{Deserialize, Serialize};
use storage::log::{Entry, HardState, Start};
use wire::ids::{GroupId, Index, ReplicaId, Term};

/// A group's membership. Lists are sorted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conf {
    pub voters: Vec<ReplicaId>,
    pub learners: Vec<ReplicaId>,
    /// The voters being left behind, while two memberships decide together.
    pub voters_outgoing: Vec<ReplicaId>,
    /// Who becomes a learner when the outgoing voters are let go.
    pub learners_next: Vec<ReplicaId>,
    /// The joint phase ends by itself.
    pub auto_leave: bool,
}

impl Conf {
    /// The membership a group is founded with.
    pub fn of_voters(voters: impl IntoIterator<Item = ReplicaId>) -> Conf {
        let mut voters: Vec<_> = voters.into_iter().collect();
        voters.sort_unstable();
        Conf { voters, ..Conf::default() }
    }

    /// Whether the replica votes, in either half of a joint membership.
    pub fn votes(&self, replica: ReplicaId) -> bool {
        self.voters.contains(&replica) || self.voters_outgoing.contains(&replica)
    }

    /// Whether the replica belongs to the group at all.
    pub fn contains(&self, replica: ReplicaId) -> bool {
        self.votes(replica) || self.learners.contains(&replica) || self.learners_next.contains(&replica)
    }
}

/// Whether a replica's log can be trusted (P17).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    Whole,
    /// Something it had promised may be gone: it never votes, acknowledges or leads again; meta replaces it.
    Damaged,
}

/// One replica as its disks have it.
#[derive(Clone, Debug)]
pub struct ReplicaSeed {
    pub group: GroupId,
    pub replica: ReplicaId,
    pub log: LogSeed,
    pub state: StateSeed,
    pub health: Health,
}

/// What the log engine recovered.
#[derive(Clone, Debug, Default)]
pub struct LogSeed {
    /// The point before the first entry.
    pub start: Start,
    pub entries: Vec<Entry>,
    pub hard_state: HardState,
}

/// What the state engine recovered: all three from one batch (§2).
#[derive(Clone, Debug, Default)]
pub struct StateSeed {
    /// The flushed applied index.
    pub applied: Index,
    pub applied_term: Term,
    pub conf: Conf,
}

impl ReplicaSeed {
    /// A founding member of a new group: state at (1, 1) and an empty log that the core cuts there (§2, bootstrap).
    /// The driver writes the same `state` durably before it opens the replica.
    pub fn founder(group: GroupId, replica: ReplicaId, voters: impl IntoIterator<Item = ReplicaId>) -> ReplicaSeed {
        let state = StateSeed { applied: Index(1), applied_term: Term(1), conf: Conf::of_voters(voters) };
        ReplicaSeed { group, replica, log: LogSeed::default(), state, health: Health::Whole }
    }

    /// A replica that joins a group: it knows nothing, not even the members, until a snapshot comes.
    pub fn joiner(group: GroupId, replica: ReplicaId) -> ReplicaSeed {
        ReplicaSeed { group, replica, log: LogSeed::default(), state: StateSeed::default(), health: Health::Whole }
    }
}

/// A replica whose log and state cannot both be true. It must not vote: open it as [`Health::Damaged`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("group {group}, replica {replica}: {what}")]
pub struct Damage {
    pub group: GroupId,
    pub replica: ReplicaId,
    pub what: String,
}
