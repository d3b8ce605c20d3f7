//! The state of a node's replicas, in one state engine.
//!
//! | key | value |
//! |---|---|
//! | `00` | whose state it is ([`claim`]) |
//! | `01` ‖ replica | the replica's [`ReplicaState`], or that it was destroyed |
//! | `02` ‖ replica ‖ generation ‖ row key | a row: the row key and the value belong to whoever writes them |
//!
//! Replica ids are `u64`, generations `u32`, both big-endian; the values of state rows begin with a version byte ([`layout`]).
//!
//! - **A state row is written in the batch of the rows it covers** ([`Round`]): rows, applied index, its term and the
//!   membership of that moment come back from a crash together (P18, RAFT §2).
//! - **A replica reads through its state row**: [`ReplicaStore::view`] takes generation and rows from one moment, so that a
//!   reader never meets a generation that an installed snapshot has just replaced (P4).
//! - **A snapshot is staged into a new generation and flipped to in one batch** that also drops every older one (P16); what
//!   is newer than the current generation is a staging that did not end, swept when the replica is opened.
//! - **A destroyed replica stays destroyed**: its state row says so for ever, since its id is never used again (RAFT §4).
//!
//! Absent on purpose: Raft itself, and what rows mean.

mod error;
mod hash;
pub mod keys;
mod layout;
mod owner;
mod round;
mod rows;
mod snapshot;
mod store;
#[cfg(test)]
mod tests;

pub use error::Error;
pub use hash::StateHash;
pub use owner::{OwnerError, claim};
pub use round::{Applied, Round};
pub use rows::Rows;
pub use snapshot::{CHUNK_BYTES, SnapshotHeader, Staged, Staging};
pub use store::{ReplicaStore, flush, replicas};

use bytes::Bytes;
use std::fmt;
use wire::ids::{Index, Term};

/// Which of the sets of rows of a replica: one more with every snapshot installed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Generation(pub u32);

impl fmt::Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "generation {}", self.0)
    }
}

/// How far a replica's rows are, and where they lie.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReplicaState {
    pub generation: Generation,
    /// The last log entry whose effect is in the rows.
    pub applied: Index,
    /// That entry's term.
    pub applied_term: Term,
    /// The membership after that entry, in the words of `cluster::consensus`.
    pub conf_state: Bytes,
}
