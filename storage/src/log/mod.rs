//! The write-ahead log of a node: every group's entries and hard state, one fsync for all of them.

mod batch;

pub use batch::{Entry, EntryKind, HardState, LogBatch, ReplicaAppend, Start};
