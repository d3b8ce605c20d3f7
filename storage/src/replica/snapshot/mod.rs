//! A replica's state as a stream of chunks: one head, any number of rows chunks, one end.
//!
//! | bytes of a chunk | |
//! |---|---|
//! | 1 | version of the layout |
//! | 1 | kind: 0 head, 1 rows, 2 end |
//! | 4 | number in the stream, from 0 |
//! | 8 + 8 | index and term of the snapshot: a chunk of another one never fits in |
//! | … | body |
//! | 4 | crc32 of all that |
//!
//! Bodies: head = conf state · rows = (length ‖ key ‖ length ‖ value)… in key order · end = number of rows ‖ hash of them.

mod read;
mod stage;
mod write;

pub use read::SnapshotHeader;
pub use stage::{Staged, Staging};
pub(super) use write::write;

/// What a chunk's body is filled up to; the row that fills it may reach beyond.
pub const CHUNK_BYTES: usize = 256 << 10;

const VERSION: u8 = 1;
const HEAD: u8 = 0;
const ROWS: u8 = 1;
const END: u8 = 2;
