//! What one turn of the ready loop asks the log to write.

use bytes::Bytes;
use wire::ids::{Index, ReplicaId, Term};

/// Everything one turn writes: durable together, with one fsync, or not at all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogBatch {
    /// At most one element a replica.
    pub appends: Vec<ReplicaAppend>,
}

/// What one replica adds to its log. Applied in the order of the fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplicaAppend {
    pub replica: ReplicaId,
    /// Forget every entry and begin again right behind this point (bootstrap, snapshot); the hard state stays unless given.
    pub reset: Option<Start>,
    /// Entries with dense indexes; whatever the log holds at or behind the first of them is cut away first.
    pub entries: Vec<Entry>,
    pub hard_state: Option<HardState>,
    /// Forget entries up to and with this point (purge): it becomes the log's start and stays answerable.
    pub purge: Option<Start>,
    /// The replica is gone: forget all of it.
    pub destroy: bool,
}

/// The point right before a log's first entry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Start {
    pub index: Index,
    pub term: Term,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub index: Index,
    pub term: Term,
    pub kind: EntryKind,
    pub data: Bytes,
    /// The consensus library's own context of a membership change; empty otherwise.
    pub context: Bytes,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    Normal,
    /// A membership change (`ConfChange`).
    Change,
    /// A membership change of several steps (`ConfChangeV2`).
    ChangeV2,
}

/// Never kept apart from the entries of the same turn, never forgotten (RAFT.md §2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HardState {
    pub term: Term,
    /// The replica voted for in `term`; 0 = none.
    pub vote: ReplicaId,
    pub commit: Index,
}
