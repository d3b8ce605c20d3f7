//! What can go wrong, by script or by chance.

use std::time::Duration;

/// What a rule looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    Read,
    Write,
    Sync,
    SetLen,
    Create,
    Remove,
    Rename,
    SyncDir,
}

/// What happens instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The device says no. A failed sync leaves any part of the unsynced bytes durable, and *forgets the rest*: they stay
    /// readable until the crash, and the next sync says Ok.
    Eio,
    /// No space left.
    Full,
    /// The machine stops here: every later call fails until [`super::MemoryDisk::crash`].
    Die,
    /// Reads come from, writes go to, so many pages further on. Nobody is told.
    Misdirect { pages: u64 },
    /// One bit (by seed) of what is read or written is wrong. Nobody is told.
    FlipBit,
    /// A write is dropped. Nobody is told.
    LoseWrite,
    /// The call works and takes so long: see [`super::MemoryDisk::take_delay`].
    Slow(Duration),
}

/// A fault that happens once.
#[derive(Clone, Debug)]
pub struct Rule {
    pub on: Op,
    /// Only for files whose name begins so; empty = all.
    pub file: &'static str,
    /// So many matching calls go well first.
    pub skip: u32,
    pub fault: Fault,
}

/// Faults by seed, in parts of 10,000 calls.
#[derive(Clone, Copy, Debug, Default)]
pub struct Chances {
    pub read_flips: u64,
    pub write_fails: u64,
    pub sync_fails: u64,
    pub sync_is_slow: u64,
    /// A slow sync takes up to so long.
    pub slow_max: Duration,
}
