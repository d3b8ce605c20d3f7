//! What the log knows of each replica without its entries: where it starts and ends, its terms, and where they lie.
//!
//! One set of rules for both ways in: an append that breaks one is refused before a byte is written, and a recovery that
//! meets one broken calls it damage.

use super::batch::{Entry, HardState, ReplicaAppend, Start};
use std::collections::BTreeMap;
use wire::ids::{Index, ReplicaId};

/// Entries of one term, up to the next run's first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Run {
    pub first: u64,
    pub term: u64,
}

/// Neighbouring entries in one segment. Segment 0 = in one that is gone (only while a recovery replays).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Extent {
    pub first: u64,
    pub last: u64,
    pub segment: u64,
}

/// The segment number of entries whose segment is gone.
pub(super) const GONE: u64 = 0;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ReplicaLog {
    pub start: Start,
    pub hard: HardState,
    last: u64,
    runs: Vec<Run>,
    extents: Vec<Extent>,
}

/// A rule of the log that an append (or a record on disk) breaks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{replica}: {what}")]
pub struct Broken {
    pub replica: ReplicaId,
    pub what: String,
}

impl ReplicaLog {
    /// A log as a checkpoint tells it: its entries lie in segments that are gone, until records say otherwise.
    pub(super) fn told(start: Start, hard: HardState, last: u64, runs: Vec<Run>) -> ReplicaLog {
        let gone = Extent { first: start.index.0 + 1, last, segment: GONE };
        let extents = if last > start.index.0 { vec![gone] } else { Vec::new() };
        ReplicaLog { start, hard, last, runs, extents }
    }

    /// Whether a checkpoint says the same as this.
    pub(super) fn agrees(&self, told: &ReplicaLog) -> bool {
        (self.start, self.hard, self.last, &self.runs) == (told.start, told.hard, told.last, &told.runs)
    }

    pub(super) fn last(&self) -> Index {
        Index(self.last)
    }

    pub(super) fn runs(&self) -> &[Run] {
        &self.runs
    }

    pub(super) fn extents(&self) -> &[Extent] {
        &self.extents
    }

    /// The term at an index the log can answer for: the start's, or a live entry's.
    pub(super) fn term_at(&self, index: u64) -> Option<u64> {
        if index == self.start.index.0 {
            return Some(self.start.term.0);
        }
        if index < self.start.index.0 || index > self.last {
            return None;
        }
        let after = self.runs.partition_point(|run| run.first <= index);
        after.checked_sub(1).map(|at| self.runs[at].term)
    }

    /// Takes over what an append says, its entries lying in `segment`. On an error the value is worthless.
    pub(super) fn apply(&mut self, append: &ReplicaAppend, segment: u64) -> Result<(), String> {
        if let Some(start) = append.reset {
            self.start = start;
            self.last = start.index.0;
            self.runs.clear();
            self.extents.clear();
        }
        self.take(&append.entries, segment)?;
        if let Some(hard) = append.hard_state {
            let old = self.hard;
            if hard.term < old.term {
                return Err(format!("the hard state's term falls from {} to {}", old.term, hard.term));
            }
            if hard.term == old.term && old.vote.0 != 0 && hard.vote != old.vote {
                return Err(format!("the vote of {} changes from {} to {}", hard.term, old.vote, hard.vote));
            }
            self.hard = hard;
        }
        if let Some(purge) = append.purge {
            self.purge(purge)?;
        }
        Ok(())
    }

    fn take(&mut self, entries: &[Entry], segment: u64) -> Result<(), String> {
        let Some(first) = entries.first().map(|entry| entry.index.0) else { return Ok(()) };
        if first <= self.start.index.0 {
            return Err(format!("entries from @{first} on, but the log starts behind {}", self.start.index));
        }
        if first > self.last + 1 {
            return Err(format!("entries from @{first} on, but the log ends at @{}", self.last));
        }
        self.cut(first);
        let mut term = self.term_at(self.last).unwrap_or_default();
        for (entry, index) in entries.iter().zip(first..) {
            if entry.index.0 != index {
                return Err(format!("entry {} where @{index} is due", entry.index));
            }
            if entry.term.0 < term {
                return Err(format!("the term falls from t{term} to {} at @{index}", entry.term));
            }
            if entry.term.0 > term || self.runs.is_empty() {
                term = entry.term.0;
                self.runs.push(Run { first: index, term });
            }
        }
        self.last = first + entries.len() as u64 - 1;
        match self.extents.last_mut() {
            Some(extent) if extent.segment == segment && extent.last + 1 == first => extent.last = self.last,
            _ => self.extents.push(Extent { first, last: self.last, segment }),
        }
        Ok(())
    }

    fn cut(&mut self, first: u64) {
        self.last = first - 1;
        self.runs.retain(|run| run.first < first);
        self.extents.retain(|extent| extent.first < first);
        if let Some(extent) = self.extents.last_mut() {
            extent.last = extent.last.min(first - 1);
        }
    }

    fn purge(&mut self, to: Start) -> Result<(), String> {
        let index = to.index.0;
        if index < self.start.index.0 {
            return Ok(());
        }
        match self.term_at(index) {
            None => return Err(format!("purge up to @{index}, but the log ends at @{}", self.last)),
            Some(term) if term != to.term.0 => {
                return Err(format!("purge up to @{index} of {}, but that entry is of t{term}", to.term));
            }
            Some(_) => {}
        }
        self.start = to;
        let covering = self.runs.partition_point(|run| run.first <= index + 1);
        self.runs.drain(..covering.saturating_sub(1));
        if index == self.last {
            self.runs.clear();
        } else if let Some(run) = self.runs.first_mut() {
            run.first = run.first.max(index + 1);
        }
        self.extents.retain(|extent| extent.last > index);
        if let Some(extent) = self.extents.first_mut() {
            extent.first = extent.first.max(index + 1);
        }
        Ok(())
    }

    /// Entries written once more, unchanged, into `segment`, so that their old one can go.
    pub(super) fn moved(&mut self, entries: &[Entry], segment: u64) -> Result<(), String> {
        for entry in entries {
            let index = entry.index.0;
            if index <= self.start.index.0 || self.term_at(index) != Some(entry.term.0) {
                return Err(format!("{} of {} moved, but the log does not hold it", entry.index, entry.term));
            }
        }
        let (Some(first), Some(last)) = (entries.first(), entries.last()) else { return Ok(()) };
        let (first, last) = (first.index.0, last.index.0);
        let mut extents = Vec::with_capacity(self.extents.len() + 2);
        for extent in &self.extents {
            if extent.first < first {
                extents.push(Extent { last: extent.last.min(first - 1), ..*extent });
            }
            if extent.last > last {
                extents.push(Extent { first: extent.first.max(last + 1), ..*extent });
            }
        }
        extents.push(Extent { first, last, segment });
        extents.sort_by_key(|extent| extent.first);
        self.extents = extents;
        Ok(())
    }
}

/// All replicas of the node.
#[derive(Clone, Debug, Default)]
pub(super) struct Ledger {
    pub replicas: BTreeMap<ReplicaId, ReplicaLog>,
}

/// Changes that take effect once they are durable. `None` = destroyed.
pub(super) type Staged = BTreeMap<ReplicaId, Option<ReplicaLog>>;

impl Ledger {
    /// What the appends would make of the replicas they touch; nothing has changed yet.
    pub(super) fn stage<'a>(
        &self,
        appends: impl Iterator<Item = &'a ReplicaAppend>,
        segment: u64,
    ) -> Result<Staged, Broken> {
        let mut staged = Staged::new();
        for append in appends {
            let replica = append.replica;
            let slot = staged.entry(replica).or_insert_with(|| self.replicas.get(&replica).cloned());
            let log = slot.get_or_insert_default();
            log.apply(append, segment).map_err(|what| Broken { replica, what })?;
            if append.destroy {
                *slot = None;
            }
        }
        Ok(staged)
    }

    pub(super) fn commit(&mut self, staged: Staged) {
        for (replica, log) in staged {
            match log {
                Some(log) => self.replicas.insert(replica, log),
                None => self.replicas.remove(&replica),
            };
        }
    }

    /// The oldest segment that holds an entry somebody may still need.
    pub(super) fn oldest_live(&self) -> Option<u64> {
        self.replicas.values().flat_map(|log| log.extents()).map(|extent| extent.segment).min()
    }

    /// How many live entries there are.
    pub(super) fn live(&self) -> u64 {
        self.replicas.values().map(|log| log.last - log.start.index.0).sum()
    }

    /// How many live entries a segment holds.
    pub(super) fn live_in(&self, segment: u64) -> u64 {
        let extents = self.replicas.values().flat_map(|log| log.extents());
        extents.filter(|extent| extent.segment == segment).map(|extent| extent.last - extent.first + 1).sum()
    }
}
