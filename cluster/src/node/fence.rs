//! Which view of each writer is open in a group, as applying its log says (P1).
//!
//! The marks are rows (`0 writer` → epoch, n, clock) of the same batch as the effects they admit, so that they roll
//! back, move and are copied together with them.

use crate::entry::Entry;
use bytes::{Buf, BufMut, Bytes, BytesMut};
use std::collections::BTreeMap;
use storage::replica::{Error, ReplicaStore, Rows};
use storage::state::{Op, View};

/// Tag of the marks' rows; the kit's and the shards' rows have others.
const MARK: u8 = 0;

/// The last entry of a writer that was applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    pub epoch: u64,
    pub n: u64,
    /// The group's clock at that entry, ns.
    pub now_ns: i64,
}

/// The marks of one replica, read from its rows when first asked for.
#[derive(Default)]
pub(super) struct Fences {
    marks: BTreeMap<String, Mark>,
}

impl Fences {
    /// The moved mark, if the entry comes from the open view and is its next; `None`: it has no effect.
    pub(super) fn admit(&mut self, store: &ReplicaStore, entry: &Entry) -> Result<Option<Op>, Error> {
        let fence = &entry.fence;
        if !self.marks.contains_key(&fence.writer)
            && let Some(mark) = mark(store, &fence.writer)?
        {
            self.marks.insert(fence.writer.clone(), mark);
        }
        let next = match self.marks.get(&fence.writer) {
            _ if fence.n == 0 => true,
            Some(mark) => mark.epoch == fence.epoch && mark.n + 1 == fence.n,
            None => false,
        };
        if !next {
            return Ok(None);
        }
        let mark = Mark { epoch: fence.epoch, n: fence.n, now_ns: entry.now_ns };
        self.marks.insert(fence.writer.clone(), mark);
        Ok(Some(Op::Put { key: key(&fence.writer), value: encode(mark) }))
    }
}

/// The writer's mark in the replica's rows.
pub fn mark(store: &ReplicaStore, writer: &str) -> Result<Option<Mark>, Error> {
    store.view(|rows| mark_in(rows, writer))
}

/// The same, in rows of a moment.
pub fn mark_in(rows: &Rows<'_>, writer: &str) -> Result<Option<Mark>, Error> {
    match rows.get(&key(writer))? {
        None => Ok(None),
        Some(mut bytes) if bytes.len() == 24 => {
            Ok(Some(Mark { epoch: bytes.get_u64(), n: bytes.get_u64(), now_ns: bytes.get_i64() }))
        }
        Some(_) => {
            Err(Error::Malformed { what: format!("the mark of writer {writer}"), why: "it is not 24 bytes long" })
        }
    }
}

fn key(writer: &str) -> Bytes {
    [&[MARK], writer.as_bytes()].concat().into()
}

fn encode(mark: Mark) -> Bytes {
    let mut out = BytesMut::with_capacity(24);
    out.put_u64(mark.epoch);
    out.put_u64(mark.n);
    out.put_i64(mark.now_ns);
    out.freeze()
}
