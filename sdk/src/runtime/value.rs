//! What stands in a row: `format(1) row-version(1) due(8, big endian, ns; 0 = never) payload`.

use crate::Result;
use bytes::{BufMut, Bytes};

const FORMAT: u8 = 1;
const HEADER_BYTES: usize = 10;

/// Largest payload of one row. Bigger values are blobs, which come with *Streams*.
pub const ROW_BYTES_MAX: usize = (64 << 10) + 1024;

/// A row's value, opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Value {
    /// Which version of its type wrote it.
    pub version: u8,
    /// From this moment on nobody sees it; 0 = never due.
    pub due_ns: i64,
    pub payload: Bytes,
}

impl Value {
    pub fn encode(version: u8, due_ns: i64, payload: &[u8]) -> Bytes {
        let mut out = Vec::with_capacity(HEADER_BYTES + payload.len());
        out.put_u8(FORMAT);
        out.put_u8(version);
        out.put_i64(due_ns);
        out.put_slice(payload);
        out.into()
    }

    pub fn decode(table: &str, bytes: Bytes) -> Result<Value> {
        let Some((head, _)) = bytes.split_first_chunk::<HEADER_BYTES>() else {
            return Err(super::broken_row(table, "it is shorter than a row's header"));
        };
        if head[0] != FORMAT {
            return Err(super::broken_row(table, format!("it has format {}; this program reads {FORMAT}", head[0])));
        }
        let due_ns = i64::from_be_bytes(head[2..].try_into().expect("eight bytes"));
        Ok(Value { version: head[1], due_ns, payload: bytes.slice(HEADER_BYTES..) })
    }

    pub fn is_due(&self, now_ns: i64) -> bool {
        self.due_ns != 0 && now_ns >= self.due_ns
    }
}
