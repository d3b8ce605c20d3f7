//! Readies whose write is under way, and the messages that may leave only after it (§1.6).

use super::effect::BatchId;
use raft::eraftpb as pb;
use std::collections::VecDeque;

/// One ready handed out and not yet reported as persisted.
pub(super) struct Pending {
    /// The batch it waits for; `None` while its group's writes are held for a flip (§3).
    pub(super) batch: Option<BatchId>,
    /// The library's number of the ready.
    pub(super) number: u64,
    pub(super) messages: Vec<pb::Message>,
}

/// A replica's readies in order. Reporting one reports all before it (P28), so they leave from the front only.
#[derive(Default)]
pub(super) struct Unsynced {
    queue: VecDeque<Pending>,
}

impl Unsynced {
    pub(super) fn push(&mut self, pending: Pending) {
        self.queue.push_back(pending);
    }

    /// The newest ready that waits; one with nothing to write joins it.
    pub(super) fn last(&self) -> Option<&Pending> {
        self.queue.back()
    }

    /// Takes everything that waited for `batch` or an earlier one.
    pub(super) fn take_until(&mut self, batch: BatchId) -> Vec<Pending> {
        let done = self.queue.iter().take_while(|pending| pending.batch.is_some_and(|id| id <= batch)).count();
        self.queue.drain(..done).collect()
    }

    /// Whatever was to go with `forming` (or is held already) is held for the flip now.
    pub(super) fn hold(&mut self, forming: BatchId) {
        for pending in self.queue.iter_mut().filter(|pending| pending.batch == Some(forming)) {
            pending.batch = None;
        }
    }

    /// What was held goes with `forming`.
    pub(super) fn release(&mut self, forming: BatchId) {
        for pending in self.queue.iter_mut().filter(|pending| pending.batch.is_none()) {
            pending.batch = Some(forming);
        }
    }
}
