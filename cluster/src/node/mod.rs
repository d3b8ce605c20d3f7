//! One node's consensus, driven: three parts that pass messages, and the threads that run them.
//!
//! [`Loop`] turns the core, [`Writer`] makes its batches durable, [`Applier`] brings committed entries into rows. None
//! of them owns a thread, a channel or a clock: [`threads`] does, and the simulation steps the same three by hand.

mod applier;
mod fence;
mod handle;
mod leading;
mod looper;
mod open;
mod outbox;
mod receive;
mod slot;
mod slow;
mod snapshots;
#[cfg(test)]
mod tests;
pub mod threads;
mod writer;

pub use applier::{Applier, ApplyJob, members};
pub use fence::{Mark, mark, mark_in};
pub use handle::{Handle, SendAsk};
pub use leading::Leading;
pub use looper::{Ask, ChangeDone, Job, LookDone, Loop};
pub use open::{OpenError, Origin, Parts, join};
pub use outbox::{Outward, Way, messages};
pub use receive::{ReceiveError, Receiver, SnapshotHead};
pub use slot::Slot;
pub use snapshots::{Ship, SnapshotJob};
pub use writer::{LogJob, Writer};

use wire::ids::GroupId;

/// Why a node must stop at once: going on could answer "done" for what is not.
#[derive(Debug, thiserror::Error)]
pub enum Fatal {
    #[error("the log can no longer be written: {0}")]
    Log(#[from] storage::log::LogError),
    #[error("the state can no longer be written: {0}")]
    State(#[from] storage::state::Error),
    #[error("the state can no longer be read: {0}")]
    Replica(#[from] storage::replica::Error),
    #[error("a committed entry cannot be applied: {0}")]
    Entry(#[from] crate::entry::EntryError),
    #[error("{0} has no replica here, and an entry for it")]
    NoReplica(GroupId),
    #[error("{0} is to become a snapshot that is not the one staged here")]
    NotStaged(GroupId),
    #[error("the {0} thread panicked; its message stands above")]
    Panicked(&'static str),
}
