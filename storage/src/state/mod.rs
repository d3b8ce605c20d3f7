//! The state engine: one ordered key space a node, written in atomic batches, read through consistent views.
//!
//! Two of them pass one suite: [`Memory`], deterministic and breakable, for simulations and tests, and `rocks::Rocks` behind
//! the feature `rocksdb`. In both every stored value carries a checksum over its key and itself ([`checksum`]).
//!
//! Absent on purpose: transactions, conditional writes, a second column family (LESSONS §9: with the WAL off only one column
//! family comes back from a crash as a prefix of what was written), and any notion of replicas: that is [`crate::replica`].

mod checksum;
mod memory;
#[cfg(feature = "rocksdb")]
pub mod rocks;
#[cfg(test)]
mod suite;

pub use memory::{Fault, Memory};

use bytes::Bytes;
use std::ops::{ControlFlow, Range};

/// An ordered key-value engine.
///
/// A write is visible at once and atomic, but durable only after a later [`Engine::flush`]: the Raft log in front of it
/// replays what a crash took (P18). What a crash leaves is always a prefix of the batches written, and at least those
/// before the last flush.
pub trait Engine: Send + Sync + 'static {
    /// Applies the whole batch, in order, or nothing of it.
    fn write(&self, batch: Batch) -> Result<(), Error>;

    /// Runs `read` on one consistent view: nothing written while it runs is seen (P4).
    fn view(&self, read: &mut dyn FnMut(&dyn View));

    /// Returns once everything written before the call is on disk.
    fn flush(&self) -> Result<(), Error>;

    /// How it is doing, for admission and `/status`. Cheap enough to ask several times a second.
    fn stats(&self) -> Stats;
}

/// A moment of the engine.
pub trait View {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, Error>;

    /// Up to `limit` rows of `range` in `order`; an empty or inverted range holds none.
    fn scan(&self, range: Range<&[u8]>, order: Order, limit: usize) -> Result<Vec<(Bytes, Bytes)>, Error> {
        let mut rows = Vec::new();
        if limit > 0 {
            self.visit(range, order, &mut |key, value| {
                rows.push((key, value));
                if rows.len() == limit { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            })?;
        }
        Ok(rows)
    }

    /// Hands `row` each row of `range` in `order` until it breaks off: for walks too long to hold in memory.
    fn visit(
        &self,
        range: Range<&[u8]>,
        order: Order,
        row: &mut dyn FnMut(Bytes, Bytes) -> ControlFlow<()>,
    ) -> Result<(), Error>;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    Ascending,
    Descending,
}

/// Operations applied in order, together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    pub ops: Vec<Op>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op {
    Put {
        key: Bytes,
        value: Bytes,
    },
    Delete {
        key: Bytes,
    },
    /// From `from` up to but without `to`; nothing if that is empty or inverted.
    DeleteRange {
        from: Bytes,
        to: Bytes,
    },
}

/// Estimates; the memory engine's are exact.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    pub rows: u64,
    /// Bytes on disk (in memory: of keys and values).
    pub live_bytes: u64,
    /// Written, not yet in files.
    pub unflushed_bytes: u64,
    /// Memory held for reading: block cache and tables' own indexes.
    pub cache_bytes: u64,
    /// Files that reads must look through one by one and that compaction is behind with.
    pub level0_files: u64,
    /// Bytes that compaction still has to rewrite.
    pub compaction_backlog_bytes: u64,
    /// Bytes a second that writes are slowed down to; `None` at full speed.
    pub write_rate_limit: Option<u64>,
    /// Writes wait until compaction has caught up: admission should have refused work long before.
    pub writes_stopped: bool,
    /// Snapshots held open (views that run).
    pub views: u64,
}

/// Why the engine could not do it. Every variant but a full disk means: stop the node, do not retry (P18).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// One row is not what was written under its key.
    #[error(
        "row {key} is damaged: its checksum does not match; put back a copy of the node's whole folder, or remove the node from \
         its cluster and start it on an empty folder"
    )]
    Damaged { key: String },
    /// The engine's own files are damaged: which rows that takes is unknown.
    #[error(
        "the state engine's files are damaged ({0}); put back a copy of the node's whole folder, or remove the node from its \
         cluster and start it on an empty folder"
    )]
    Corrupt(String),
    /// Nothing of the batch was applied. It may be tried again: within half a minute of there being room it will work.
    #[error("the disk of the state engine is full: {0}")]
    Full(String),
    #[error("state engine: {0}")]
    Io(String),
}

impl Error {
    /// The node must end: what is on disk or in memory can no longer be trusted.
    pub fn is_fatal(&self) -> bool {
        !matches!(self, Error::Full(_))
    }

    /// Its replicas must never vote again (P17); an I/O error alone says nothing about what is on disk.
    pub fn is_damage(&self) -> bool {
        matches!(self, Error::Damaged { .. } | Error::Corrupt(_))
    }
}
