//! The library's `Storage`: a replica's live log entries, whole, in memory. The log engine behind it is read at open only.

use super::convert::{conf_to_raft, entry_to_log};
use super::seed::Conf;
use super::snapshot::Shelf;
use raft::eraftpb as pb;
use raft::{Error, GetEntriesContext, RaftState, Storage, StorageError};
use std::cell::RefCell;
use std::collections::VecDeque;
use storage::log::{Entry, Start};
use wire::ids::{Index, ReplicaId, Term};

/// What an entry costs beside its bytes.
const ENTRY_OVERHEAD: usize = 128;

/// The window of entries after `cut`. It answers for everything handed to the log, synced or not (§1.4h).
pub(super) struct Memory {
    /// The point before the first entry; its term stays answerable for ever (§1, `Storage`).
    cut: Start,
    entries: VecDeque<pb::Entry>,
    bytes: usize,
    /// Asked for once, when the replica opens.
    initial: RaftState,
    /// What a snapshot may be answered with; the library asks through `&self`.
    pub(super) shelf: RefCell<Shelf>,
}

fn cost(entry: &pb::Entry) -> usize {
    entry.data.len() + entry.context.len() + ENTRY_OVERHEAD
}

impl Memory {
    pub(super) fn new(cut: Start, entries: Vec<pb::Entry>, hard_state: pb::HardState, conf: &Conf) -> Memory {
        let bytes = entries.iter().map(cost).sum();
        let initial = RaftState::new(hard_state, conf_to_raft(conf));
        Memory { cut, entries: entries.into(), bytes, initial, shelf: RefCell::default() }
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn last(&self) -> u64 {
        self.cut.index.0 + self.entries.len() as u64
    }

    fn position(&self, index: u64) -> usize {
        (index - self.cut.index.0 - 1) as usize
    }

    /// Cuts everything at or behind the first of `entries`, then appends them (§1.4f).
    pub(super) fn append(&mut self, entries: &[pb::Entry]) {
        let Some(first) = entries.first() else { return };
        assert!(
            first.index > self.cut.index.0,
            "entry {} lies before the log's start {}",
            first.index,
            self.cut.index.0
        );
        assert!(first.index <= self.last() + 1, "entry {} leaves a gap behind {}", first.index, self.last());
        for dropped in self.entries.drain(self.position(first.index)..) {
            self.bytes -= cost(&dropped);
        }
        self.bytes += entries.iter().map(cost).sum::<usize>();
        self.entries.extend(entries.iter().cloned());
    }

    /// Forgets everything and begins again behind `start` (§3, a snapshot).
    pub(super) fn reset(&mut self, start: Start) {
        self.cut = start;
        self.entries.clear();
        self.bytes = 0;
    }

    /// The point up to which to purge so that at most `keep` bytes stay, but never beyond `limit`.
    pub(super) fn purge_point(&self, keep: usize, limit: u64) -> Option<Start> {
        let mut left = self.bytes;
        let mut point = None;
        for entry in self.entries.iter().take_while(|entry| entry.index <= limit) {
            if left <= keep {
                break;
            }
            left -= cost(entry);
            point = Some(Start { index: Index(entry.index), term: Term(entry.term) });
        }
        point
    }

    /// Forgets the entries up to and with `point`.
    pub(super) fn purge(&mut self, point: Start) {
        while self.entries.front().is_some_and(|entry| entry.index <= point.index.0) {
            if let Some(entry) = self.entries.pop_front() {
                self.bytes -= cost(&entry);
            }
        }
        self.cut = point;
    }

    pub(super) fn entries_to_log(entries: &[pb::Entry]) -> Vec<Entry> {
        entries.iter().map(entry_to_log).collect()
    }
}

impl Storage for Memory {
    fn initial_state(&self) -> raft::Result<RaftState> {
        Ok(self.initial.clone())
    }

    /// At least one entry, however small `max_size` (§1, `Storage`). Never "temporarily unavailable": all is here.
    fn entries(
        &self,
        low: u64,
        high: u64,
        max_size: impl Into<Option<u64>>,
        _: GetEntriesContext,
    ) -> raft::Result<Vec<pb::Entry>> {
        if low <= self.cut.index.0 {
            return Err(Error::Store(StorageError::Compacted));
        }
        assert!(high <= self.last() + 1, "entries up to {high} asked for, have {}", self.last());
        let max = max_size.into().unwrap_or(u64::MAX);
        let mut size = 0u64;
        let mut out = Vec::new();
        for entry in self.entries.range(self.position(low)..self.position(high)) {
            size = size.saturating_add(cost(entry) as u64);
            if size > max && !out.is_empty() {
                break;
            }
            out.push(entry.clone());
        }
        Ok(out)
    }

    fn term(&self, index: u64) -> raft::Result<u64> {
        if index == self.cut.index.0 {
            return Ok(self.cut.term.0);
        }
        if index < self.cut.index.0 {
            return Err(Error::Store(StorageError::Compacted));
        }
        match self.entries.get(self.position(index)) {
            Some(entry) => Ok(entry.term),
            None => Err(Error::Store(StorageError::Unavailable)),
        }
    }

    fn first_index(&self) -> raft::Result<u64> {
        Ok(self.cut.index.0 + 1)
    }

    fn last_index(&self) -> raft::Result<u64> {
        Ok(self.last())
    }

    /// Answers with the snapshot on the shelf if it fits, else notes the wish (§3). The library asks again.
    fn snapshot(&self, request_index: u64, to: u64) -> raft::Result<pb::Snapshot> {
        let needed = request_index.max(self.cut.index.0);
        let found = self.shelf.borrow_mut().take_for(ReplicaId(to), needed);
        found.ok_or(Error::Store(StorageError::SnapshotTemporarilyUnavailable))
    }
}
