//! What the world tells the core.

use super::effect::BatchId;
use super::seed::{Conf, ReplicaSeed};
use bytes::Bytes;
use wire::ids::{GroupId, Index, ReplicaId, Term};

/// The caller's name for something it waits for; answered exactly once. Chosen by the driver, unique while open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// One life of a replica's rows in the state engine (P16): rows live under (replica, generation).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Generation(pub u64);

/// The driver's name for a snapshot it has built.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SnapshotId(pub u64);

/// One thing that happened.
#[derive(Clone, Debug)]
pub enum Input {
    /// The timer rang. Ignored before [`super::Core::next_tick`]; missed ticks are dropped, never made up (§1.3).
    Tick,
    /// A peer's message, as the peer's [`super::Effect::Send`] had it.
    Message { group: GroupId, to: ReplicaId, bytes: Bytes },
    /// Append `entry`, if this replica leads in exactly `term`; else [`super::Outcome::NotLeader`].
    Propose { group: GroupId, ticket: Ticket, entry: Bytes, term: Term },
    /// Find an index at which a read is linearizable (P26). Works on any replica that knows a leader.
    Read { group: GroupId, ticket: Ticket },
    /// This batch and all before it are on disk (or only written, for [`super::Sync::Order`]).
    Synced(BatchId),
    /// The state shows everything up to `index`.
    Applied { group: GroupId, index: Index },
    /// The state up to `index` is on disk.
    Flushed { group: GroupId, index: Index },
    /// All chunks of a peer's snapshot lie in a new generation here (§3: stage first, then step).
    Staged(StagedSnapshot),
    /// The generation of [`super::Effect::Flip`] is the live one, on disk.
    Flipped { group: GroupId, generation: Generation },
    /// A [`super::Effect::Stream`] ended: delivered and staged over there, or not.
    SnapshotSent { group: GroupId, to: ReplicaId, ok: bool },
    /// The snapshot [`super::Effect::Build`] asked for.
    SnapshotBuilt(SnapshotHandle),
    /// Change the membership; see [`Change`].
    Change { group: GroupId, ticket: Ticket, change: Change },
    /// Hand leadership to `to`. Giving up is silent; watch [`super::Effect::Role`] (§4).
    Transfer { group: GroupId, to: ReplicaId },
    /// Stop leading, if leading (P13: a leader whose clock cannot be trusted).
    StepDown { group: GroupId },
    /// A replica is placed on this node.
    Open(ReplicaSeed),
    /// The replica is gone for good. Only meta says so, once a quorum of the new members has flushed its removal (§4).
    Destroy { group: GroupId, replica: ReplicaId },
}

/// A snapshot of applied state that the driver holds ready to stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotHandle {
    pub group: GroupId,
    pub id: SnapshotId,
    /// Index, term and membership of the *applied* state it was taken from, in one view (§3).
    pub index: Index,
    pub term: Term,
    pub conf: Conf,
}

/// A snapshot received whole and not yet live.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StagedSnapshot {
    pub group: GroupId,
    /// The replica it was sent to.
    pub replica: ReplicaId,
    /// Where its rows lie.
    pub generation: Generation,
    /// The message of [`super::Effect::Stream`].
    pub message: Bytes,
}

/// One change of membership; the next only when it is applied (§4). The leader itself is never removed or demoted:
/// hand leadership over first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A new replica begins to follow. The id must never have been used before.
    AddLearner(ReplicaId),
    /// A learner that has nearly caught up becomes a voter.
    Promote(ReplicaId),
    /// `out` leaves and the learner `into` votes in its place, through a joint configuration that ends by itself.
    Swap { into: ReplicaId, out: ReplicaId },
    /// A voter only follows from now on.
    Demote(ReplicaId),
    /// A voter or learner leaves. It goes on voting until [`Input::Destroy`] (§4).
    Remove(ReplicaId),
}
