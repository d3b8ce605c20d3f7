//! Lane 3: snapshots, each over a connection of its own.
//!
//! So one that is slow holds up no other, TCP itself pushes back, and one that is broken off is told by its closing.
//! The head goes first; the receiver says go once it is the snapshot's turn; then chunks and their end; then whether
//! it was taken. While one side waits the other says now and then that it lives.

mod send;
mod serve;

pub use send::{NOT_TAKEN, send};
pub use serve::serve;

/// Each side says something at least every third of a silence; so many ticks of it without a word, and it is gone.
/// Ticks, since a process that was stopped for a while has not heard, but has been spoken to.
const QUIET_TICKS_MAX: u32 = 3;

/// In a head's frame: before all that are not.
const URGENT: u8 = 1;
