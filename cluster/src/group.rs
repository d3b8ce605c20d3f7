//! A consensus group as the writers and readers on its leader see it.

use crate::entry::Entry;
use wire::ids::{GroupId, ReplicaId, Term};

/// How a proposal ended. Told exactly once, after it is applied here or can no longer be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// On a quorum's disks, and in this node's rows.
    Applied,
    /// Without effect, now and for ever: refused, overwritten in the log, or fenced off (P1).
    NotRun,
    /// Leadership went before the log could tell; it may yet be applied.
    Unknown,
}

/// Nobody here can say what the group holds: not the leader, or cut off from the quorum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotLeading;

pub type Done = Box<dyn FnOnce(Settled) + Send>;
pub type ReadDone = Box<dyn FnOnce(Result<(), NotLeading>) + Send>;

/// One group's replicated log. Nothing here blocks; the callbacks run on the node's own threads and must not either.
pub trait Group: Send + Sync + 'static {
    fn id(&self) -> GroupId;

    /// The term this node leads the group in, if it does.
    fn leading(&self) -> Option<Term>;

    /// The replica that leads, here or elsewhere, as far as this node's replica knows.
    fn leader(&self) -> Option<ReplicaId>;

    /// The same as [`Group::leading`], if this node is also the only voter: then rows viewed before this is asked are linearizable.
    fn sole(&self) -> Option<Term>;

    /// Appends `entry` if this node still leads in `term`. Proposals of one caller keep their order.
    fn propose(&self, term: Term, entry: Entry, done: Done);

    /// One ReadIndex round, begun after the call: `done` runs once everything committed by then is applied here.
    fn read(&self, done: ReadDone);
}
