//! What a group's log holds: the effects of commands, fenced so that only the staged view they came from can land (P1).
//!
//! A writer (one service's actor in one group) *opens* a view with an entry of its own, under an epoch nobody used
//! before; its proposals then carry that epoch and n = 1, 2, 3 …. Applying an entry whose epoch is not the open one, or
//! whose n is not last + 1, changes nothing. So after a lost term, a restarted actor or a dropped proposal, whatever was
//! staged on a base that is gone stays without effect, whenever it turns up in the log.
//!
//! | bytes | field |
//! |---|---|
//! | 1 | version |
//! | 1 | 0 = opens a view, 1 = effects |
//! | 1 + … | writer: length, UTF-8 |
//! | 8 | epoch |
//! | 8 | n; 0 in an opening |
//! | 8 | the group's clock at the leader, ns since 1970 (P13) |
//! | rest | operations: tag, then each part as length (4) and bytes |

use bytes::{Buf, BufMut, Bytes, BytesMut};
use storage::state::Op;

const VERSION: u8 = 1;
const OPEN: u8 = 0;
const EFFECTS: u8 = 1;

/// One entry, as proposed by a leader and applied by every replica.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub fence: Fence,
    /// Never goes back within a writer.
    pub now_ns: i64,
    /// Keys are relative to the replica; empty in an opening.
    pub ops: Vec<Op>,
}

/// Which view an entry comes from, and its place there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fence {
    /// The service's name.
    pub writer: String,
    /// Unique among all openings of this writer in this group, ever.
    pub epoch: u64,
    /// 0 opens the view.
    pub n: u64,
}

/// An entry that does not decode. It was written by this program or a newer one: stop, never skip it.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    #[error("entry of version {0}; this program reads {VERSION}: upgrade it")]
    Newer(u8),
    #[error("an entry is malformed at its {0}")]
    Malformed(&'static str),
}

impl Entry {
    pub fn encode(&self) -> Bytes {
        let size: usize = self.ops.iter().map(op_size).sum();
        let mut out = BytesMut::with_capacity(27 + self.fence.writer.len() + size);
        out.put_u8(VERSION);
        out.put_u8(if self.fence.n == 0 { OPEN } else { EFFECTS });
        out.put_u8(self.fence.writer.len() as u8);
        out.put_slice(self.fence.writer.as_bytes());
        out.put_u64_le(self.fence.epoch);
        out.put_u64_le(self.fence.n);
        out.put_i64_le(self.now_ns);
        for op in &self.ops {
            match op {
                Op::Put { key, value } => put_op(&mut out, 0, [key, value]),
                Op::Delete { key } => put_op(&mut out, 1, [key]),
                Op::DeleteRange { from, to } => put_op(&mut out, 2, [from, to]),
            }
        }
        out.freeze()
    }

    /// Shares the bytes of `input`; copies only the writer's name.
    pub fn decode(mut input: Bytes) -> Result<Entry, EntryError> {
        let version = input.try_get_u8().map_err(|_| EntryError::Malformed("version"))?;
        if version != VERSION {
            return Err(EntryError::Newer(version));
        }
        let kind = input.try_get_u8().map_err(|_| EntryError::Malformed("kind"))?;
        let length = input.try_get_u8().map_err(|_| EntryError::Malformed("writer"))?;
        let writer = take(&mut input, length.into(), "writer")?;
        let writer = String::from_utf8(writer.to_vec()).map_err(|_| EntryError::Malformed("writer"))?;
        let epoch = input.try_get_u64_le().map_err(|_| EntryError::Malformed("epoch"))?;
        let n = input.try_get_u64_le().map_err(|_| EntryError::Malformed("n"))?;
        let now_ns = input.try_get_i64_le().map_err(|_| EntryError::Malformed("clock"))?;
        if kind > EFFECTS || (kind == OPEN) != (n == 0) {
            return Err(EntryError::Malformed("kind"));
        }
        let mut ops = Vec::new();
        while input.has_remaining() {
            ops.push(match input.get_u8() {
                0 => Op::Put { key: part(&mut input)?, value: part(&mut input)? },
                1 => Op::Delete { key: part(&mut input)? },
                2 => Op::DeleteRange { from: part(&mut input)?, to: part(&mut input)? },
                _ => return Err(EntryError::Malformed("operation")),
            });
        }
        Ok(Entry { fence: Fence { writer, epoch, n }, now_ns, ops })
    }
}

/// Bytes an operation takes in an entry.
pub fn op_size(op: &Op) -> usize {
    match op {
        Op::Put { key, value } => 9 + key.len() + value.len(),
        Op::Delete { key } => 5 + key.len(),
        Op::DeleteRange { from, to } => 9 + from.len() + to.len(),
    }
}

fn put_op<const N: usize>(out: &mut BytesMut, tag: u8, parts: [&Bytes; N]) {
    out.put_u8(tag);
    for part in parts {
        out.put_u32_le(part.len() as u32);
        out.put_slice(part);
    }
}

fn part(input: &mut Bytes) -> Result<Bytes, EntryError> {
    let length = input.try_get_u32_le().map_err(|_| EntryError::Malformed("length"))?;
    take(input, length as usize, "operation")
}

fn take(input: &mut Bytes, length: usize, what: &'static str) -> Result<Bytes, EntryError> {
    if input.len() < length {
        return Err(EntryError::Malformed(what));
    }
    Ok(input.split_to(length))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> Entry {
        let b = |text: &'static str| Bytes::from_static(text.as_bytes());
        let ops = vec![
            Op::DeleteRange { from: b("a"), to: b("b") },
            Op::Put { key: b("a1"), value: b("one") },
            Op::Delete { key: b("z") },
            Op::Put { key: b("e"), value: Bytes::new() },
        ];
        Entry { fence: Fence { writer: "wallet".into(), epoch: 7, n: 3 }, now_ns: -5, ops }
    }

    #[test]
    fn what_goes_in_comes_out() {
        assert_eq!(Entry::decode(entry().encode()).unwrap(), entry());
        let open = Entry { fence: Fence { n: 0, ..entry().fence }, ops: vec![], now_ns: 1 };
        assert_eq!(Entry::decode(open.encode()).unwrap(), open);
    }

    #[test]
    fn a_cut_entry_is_malformed_or_shorter_but_never_a_panic() {
        let whole = entry().encode();
        for end in 0..whole.len() {
            if let Ok(short) = Entry::decode(whole.slice(..end)) {
                assert!(short.ops.len() < entry().ops.len());
            }
        }
        assert_eq!(Entry::decode(Bytes::from_static(&[9])), Err(EntryError::Newer(9)));
    }
}
