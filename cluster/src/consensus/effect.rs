//! What the core wants to happen.

use super::input::{Generation, SnapshotId, Ticket};
use super::seed::Conf;
use super::view::Role;
use bytes::Bytes;
use storage::log::{LogBatch, Start};
use wire::ids::{GroupId, Index, ReplicaId, Term};

/// Number of a log batch, dense from 1 in each life of the core.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BatchId(pub u64);

/// Whether a batch needs its own fsync.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sync {
    /// Say `Synced` only after an fsync.
    Disk,
    /// Nothing in it was promised to anyone: written in order is enough (§1.5). An fsync does no harm.
    Order,
}

/// One thing to do. Effects of one kind keep their order; different kinds may overlap.
#[derive(Clone, Debug)]
pub enum Effect {
    /// To the node that holds replica `to`. May be lost.
    Send { group: GroupId, to: ReplicaId, bytes: Bytes },
    /// Write to the log; at most one a turn, over all replicas.
    Append { id: BatchId, batch: LogBatch, sync: Sync },
    /// Committed and on our disk: bring it into the state, in order.
    Apply { group: GroupId, entries: Vec<Committed> },
    /// Make a staged generation the live one at `applied` with `conf`, sync, then delete the old one.
    Flip { group: GroupId, replica: ReplicaId, generation: Generation, applied: Start, conf: Conf },
    /// A staged snapshot came too late or twice: delete its rows.
    Discard { group: GroupId, generation: Generation },
    /// Build a snapshot of the applied state, then say `SnapshotBuilt`.
    Build { group: GroupId },
    /// Stream snapshot `snapshot` and `message` to `to`'s node; there it becomes `Staged`. Here say `SnapshotSent`.
    Stream { group: GroupId, to: ReplicaId, snapshot: SnapshotId, message: Bytes },
    /// This snapshot is not asked for any more; streams under way may still read it.
    Release { group: GroupId, snapshot: SnapshotId },
    /// The log in memory has grown past its bytes and only a flush of this group's state lets it shrink.
    Flush { group: GroupId },
    /// What became of a ticket.
    Answer { ticket: Ticket, outcome: Outcome },
    /// Role, term, leader or membership changed. Comes before the first `Apply` under it.
    Role { group: GroupId, role: Role, term: Term, leader: Option<ReplicaId>, conf: Conf },
}

/// A committed entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committed {
    pub index: Index,
    pub term: Term,
    pub what: Happening,
    /// The ticket under which it was proposed here, in this life, in this term. Answered when `Applied` covers it.
    pub ticket: Option<Ticket>,
}

/// What a committed entry means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happening {
    /// A leader's first entry: only the index moves.
    Nothing,
    /// The bytes that were proposed.
    Entry(Bytes),
    /// The membership from this entry on; goes into the same state batch (§1.7).
    Members(Conf),
}

/// What became of a ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// On a quorum's disk and applied here.
    Committed(Index),
    /// Definitely not, and never will be.
    NotRun,
    /// Nobody here can say: a snapshot skipped it, or the replica is gone.
    Unknown,
    /// Read now: this index is applied here and no older than when the read came.
    ReadAt(Index),
    /// Not this replica (in this term); definitely not run.
    NotLeader(Option<ReplicaId>),
    /// A change of membership that may not be made (now); definitely not run.
    Refused(Refusal),
}

/// Why a change of membership was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Another change is not applied yet, or a new leader has not applied its first entry.
    ChangePending,
    /// It would remove or demote the leader.
    Leader,
    /// The learner is too far behind to vote.
    Behind,
    /// It makes no sense in this membership (no such replica, already there, nobody left to vote).
    Impossible,
}
