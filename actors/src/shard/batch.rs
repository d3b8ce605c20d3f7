//! Effects of neighbouring commands, on their way to become one entry.

use super::Replies;
use sdk::runtime::Op;

/// An entry is closed when it reaches this many bytes: big enough to batch, small enough to move quickly.
const BATCH_BYTES_MAX: usize = 512 << 10;

pub(super) struct Batch {
    pub(super) epoch: u64,
    pub(super) n: u64,
    pub(super) ops: Vec<storage::state::Op>,
    pub(super) replies: Replies,
    bytes: usize,
}

impl Batch {
    pub(super) fn new(epoch: u64, n: u64) -> Batch {
        Batch { epoch, n, ops: vec![], replies: Replies::none(epoch, n), bytes: 0 }
    }

    pub(super) fn push(&mut self, op: Op) {
        let op = match op {
            Op::Put { key, value } => storage::state::Op::Put { key, value },
            Op::Delete { key } => storage::state::Op::Delete { key },
            Op::DeleteRange { from, to } => storage::state::Op::DeleteRange { from, to },
        };
        self.bytes += cluster::entry::op_size(&op);
        self.ops.push(op);
    }

    pub(super) fn is_full(&self) -> bool {
        self.bytes >= BATCH_BYTES_MAX
    }

    pub(super) fn has_effects(&self) -> bool {
        !self.ops.is_empty()
    }

    pub(super) fn has_replies(&self) -> bool {
        !self.replies.is_empty()
    }
}
