//! The entries themselves, while a recovery replays.

use super::batch::{Entry, ReplicaAppend};
use std::collections::VecDeque;

/// A replica's entries; `None` = its segment is gone (it must be moved, purged or cut before the end).
#[derive(Debug, Default)]
pub(super) struct Content {
    first: u64,
    entries: VecDeque<Option<Entry>>,
}

impl Content {
    /// Entries that lie in segments that are gone.
    pub(super) fn gone(first: u64, last: u64) -> Content {
        Content { first, entries: (first..=last).map(|_| None).collect() }
    }

    pub(super) fn has_holes(&self) -> bool {
        self.entries.iter().any(Option::is_none)
    }

    /// The ledger has checked the append: indexes fit.
    pub(super) fn apply(&mut self, append: ReplicaAppend) {
        if self.first == 0 {
            self.first = 1;
        }
        if let Some(start) = append.reset {
            self.first = start.index.0 + 1;
            self.entries.clear();
        }
        if let Some(first) = append.entries.first() {
            self.entries.truncate((first.index.0 - self.first) as usize);
            self.entries.extend(append.entries.into_iter().map(Some));
        }
        if let Some(purge) = append.purge
            && purge.index.0 >= self.first
        {
            self.entries.drain(..(purge.index.0 + 1 - self.first) as usize);
            self.first = purge.index.0 + 1;
        }
    }

    pub(super) fn fill(&mut self, entries: Vec<Entry>) {
        for entry in entries {
            let at = (entry.index.0 - self.first) as usize;
            self.entries[at] = Some(entry);
        }
    }

    /// All entries; the caller knows that there are no holes.
    pub(super) fn into_entries(self) -> Vec<Entry> {
        self.entries.into_iter().flatten().collect()
    }
}
