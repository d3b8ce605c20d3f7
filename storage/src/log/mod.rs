//! The write-ahead log of a node: every group's entries and hard state, one fsync for all of them.
//!
//! ```text
//! MANIFEST             two pages, the same words: whose log, which segments, what was ever cut
//! 0000000000000007.seg checkpoint | batch | batch | … | seal      oldest: holds the oldest live entry
//! 0000000000000008.seg checkpoint | batch | batch | zeros …       newest: appended to
//! spare-…              dead segments, zeroed before they are written again
//! ```
//!
//! Everything is written in *units*: one or more 4 KiB pages, numbered through all segments without a hole, written together
//! and synced before the next one begins. So at most one unit, the last, may be incomplete after a crash, and what lies behind
//! the last whole unit is either *torn* (only parts of that one unit, and pages never written: cut, and written down that it
//! was) or *damage* (anything else: the log does not open). The rules by page are in `scan`, why they are so in
//! `DEPENDENCIES.md`, "The log engine".
//!
//! Deliberately absent: reading entries after the start (the consensus core keeps its window in memory), threads, clocks, and
//! any way to append without syncing.

mod batch;
mod content;
mod counters;
mod create;
mod cut;
mod damage;
mod error;
mod ledger;
mod manifest;
mod open;
mod options;
mod page;
mod payload;
mod pin;
mod record;
mod repair;
mod replay;
mod rotate;
mod scan;
mod segment;
mod spare;
#[cfg(test)]
mod tests;
mod varint;
mod writer;

pub use batch::{Entry, EntryKind, HardState, LogBatch, ReplicaAppend, Start};
pub use counters::Counters;
pub use damage::{Damage, Found, REPAIR_COMMAND};
pub use error::{LogError, OpenError};
pub use ledger::Broken;
pub use manifest::{FORMAT, Mark, Place, Why};
pub use open::{Recovered, RecoveredReplica};
pub use options::Options;
pub use repair::Repaired;
pub use writer::Log;
