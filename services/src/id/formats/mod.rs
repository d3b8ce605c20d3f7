//! The texts of ids: pure functions from moment, maker and chance to text and back.
//!
//! `encode` answers `None` when a moment lies outside what its format can write; `decode` when the text is none of its own.
//! What a whole format has in common with another is `radix`; nothing here draws, reads a clock or keeps anything.

pub mod flake;
pub mod ksuid;
pub mod objectid;
pub mod radix;
pub mod shortid;
pub mod sqid;
pub mod text;
pub mod ulid;
pub mod uuid;
pub mod xid;

/// Nanoseconds in a millisecond.
const MS: i128 = 1_000_000;
/// Nanoseconds in a second.
const SECOND: i128 = 1_000_000_000;

/// What an id tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Parts {
    /// Nanoseconds since 1970.
    pub time_ns: Option<i128>,
    pub worker: u64,
    pub sequence: u64,
}

impl Parts {
    fn at(time_ns: i128) -> Parts {
        Parts { time_ns: Some(time_ns), ..Parts::default() }
    }
}
