//! What the log has done since it was opened.

/// Group commit is seen here: `batches / syncs`, `entries / syncs`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Every fsync, housekeeping included.
    pub syncs: u64,
    /// Units written by appends: each is one write and one fsync.
    pub units: u64,
    /// [`super::LogBatch`]es made durable.
    pub batches: u64,
    pub entries: u64,
    /// Bytes written into segments, page headers and the rest of last pages included, zeroing not.
    pub bytes: u64,
    /// Bytes of zeros written to make segments ready.
    pub zeroed: u64,
    pub segments_begun: u64,
    /// Segments whose file was taken from a dead one.
    pub segments_recycled: u64,
    pub segments_removed: u64,
    /// Live entries written again so that an old segment could go.
    pub entries_moved: u64,
}
