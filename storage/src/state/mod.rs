//! The state engine: one ordered key space a node, written in atomic batches, read through consistent views.

use bytes::Bytes;
use std::ops::Range;

/// An ordered key-value engine.
///
/// A write is visible at once and atomic, but durable only after a later [`Engine::flush`]: the Raft log in front of it
/// replays what a crash took (P18).
pub trait Engine: Send + Sync + 'static {
    /// Applies the whole batch, in order, or nothing of it.
    fn write(&self, batch: Batch) -> Result<(), Error>;

    /// Runs `read` on one consistent view: nothing written while it runs is seen (P4).
    fn view(&self, read: &mut dyn FnMut(&dyn View));

    /// Returns once everything written before the call is on disk.
    fn flush(&self) -> Result<(), Error>;
}

/// A moment of the engine.
pub trait View {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, Error>;

    /// Up to `limit` rows of `range` in `order`.
    fn scan(&self, range: Range<&[u8]>, order: Order, limit: usize) -> Result<Vec<(Bytes, Bytes)>, Error>;
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
    Put { key: Bytes, value: Bytes },
    Delete { key: Bytes },
    DeleteRange { from: Bytes, to: Bytes },
}

/// Why the engine could not do it. Every variant but a full disk means: stop the node, do not retry (P18).
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("row {key} is damaged: its checksum does not match")]
    Damaged { key: String },
    #[error("state engine: {0}")]
    Io(String),
}
