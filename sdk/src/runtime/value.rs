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
    /// The stored bytes.
    pub fn encode(version: u8, due_ns: i64, payload: &[u8]) -> Bytes {
        let mut out = Vec::with_capacity(HEADER_BYTES + payload.len());
        out.put_u8(FORMAT);
        out.put_u8(version);
        out.put_i64(due_ns);
        out.put_slice(payload);
        out.into()
    }

    /// Opens a row of `table`; 500 when its header is not whole or not of this format.
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

    /// Has its moment come?
    pub fn is_due(&self, now_ns: i64) -> bool {
        self.due_ns != 0 && now_ns >= self.due_ns
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_comes_back() {
        for due_ns in [0, -1, 1, i64::MIN, i64::MAX] {
            let stored = Value::encode(3, due_ns, b"payload");
            assert_eq!(stored[..2], [FORMAT, 3]);
            let value = Value { version: 3, due_ns, payload: Bytes::from_static(b"payload") };
            assert_eq!(Value::decode("t", stored).unwrap(), value);
        }
        assert_eq!(Value::decode("t", Value::encode(1, 0, b"")).unwrap().payload, Bytes::new());
    }

    #[test]
    fn it_is_due_at_its_moment_and_ever_after() {
        let value = |due_ns| Value { version: 1, due_ns, payload: Bytes::new() };
        assert!(!value(0).is_due(i64::MAX), "0 = never");
        assert!(!value(5).is_due(4) && value(5).is_due(5) && value(5).is_due(i64::MAX));
    }

    #[test]
    fn what_is_not_whole_or_not_ours_is_named() {
        let error = |bytes: &'static [u8]| Value::decode("t", Bytes::from_static(bytes)).unwrap_err();
        assert!(error(&[1, 1, 0]).detail.contains("table t does not decode: it is shorter"));
        assert!(error(&[9, 1, 0, 0, 0, 0, 0, 0, 0, 0]).detail.contains("it has format 9"));
    }
}
