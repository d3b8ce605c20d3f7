//! What all tests of the log share: a model of what it must hold, and random work for it.

use super::super::*;
use crate::disk::{Disk, MemoryDisk, Rng};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::sync::Arc;
use wire::ids::{ClusterId, Index, NodeId, ReplicaId, Term};

pub const CLUSTER: ClusterId = ClusterId([7; 16]);
pub const NODE: NodeId = NodeId(1);

/// Small segments, so that a test sees many.
pub fn options() -> Options {
    Options::new(CLUSTER, NODE).create(0xfeed).segment_bytes(16 * 4096).segments_max(3).spares_max(2)
}

pub fn open(disk: &MemoryDisk) -> Result<(Log, Recovered), OpenError> {
    Log::open(Arc::new(disk.clone()) as Arc<dyn Disk>, &options())
}

pub fn segment(number: u64) -> String {
    super::super::segment::name(number)
}

pub fn of(replica: u64) -> ReplicaAppend {
    let replica = ReplicaId(replica);
    ReplicaAppend { replica, reset: None, entries: Vec::new(), hard_state: None, purge: None, destroy: false }
}

pub fn at(index: u64, term: u64) -> Start {
    Start { index: Index(index), term: Term(term) }
}

pub fn hard(term: u64, vote: u64, commit: u64) -> HardState {
    HardState { term: Term(term), vote: ReplicaId(vote), commit: Index(commit) }
}

pub fn entry(index: u64, term: u64, len: usize) -> Entry {
    let data = Bytes::from(vec![(index * 31 + term) as u8; len]);
    Entry { index: Index(index), term: Term(term), kind: EntryKind::Normal, data, context: Bytes::new() }
}

pub fn entries(from: u64, to: u64, term: u64, len: usize) -> Vec<Entry> {
    (from..=to).map(|index| entry(index, term, len)).collect()
}

pub fn batch(appends: impl Into<Vec<ReplicaAppend>>) -> LogBatch {
    LogBatch { appends: appends.into() }
}

/// One replica's entries, nothing else.
pub fn add(replica: u64, from: u64, to: u64, term: u64, len: usize) -> LogBatch {
    batch([ReplicaAppend { entries: entries(from, to, term, len), ..of(replica) }])
}

/// What the log must hold: written as plainly as can be.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Model {
    pub replicas: BTreeMap<ReplicaId, RecoveredReplica>,
}

impl Model {
    pub fn apply(&mut self, batch: &LogBatch) {
        for append in &batch.appends {
            let log = self.replicas.entry(append.replica).or_default();
            if let Some(start) = append.reset {
                log.start = start;
                log.entries.clear();
            }
            if let Some(first) = append.entries.first() {
                log.entries.retain(|entry| entry.index < first.index);
                log.entries.extend(append.entries.iter().cloned());
            }
            if let Some(hard) = append.hard_state {
                log.hard_state = hard;
            }
            if let Some(purge) = append.purge.filter(|purge| purge.index >= log.start.index) {
                log.start = purge;
                log.entries.retain(|entry| entry.index > purge.index);
            }
            if append.destroy {
                self.replicas.remove(&append.replica);
            }
        }
    }

    pub fn with(&self, batch: &LogBatch) -> Model {
        let mut model = self.clone();
        model.apply(batch);
        model
    }

    /// One turn's worth of random work that a core could ask for.
    pub fn next_batch(&self, rng: &mut Rng) -> LogBatch {
        let mut appends = Vec::new();
        let first = rng.below(6);
        for step in 0..1 + rng.below(3) {
            let replica = ReplicaId(1 + (first + step) % 6);
            appends.push(self.next_append(replica, rng));
        }
        LogBatch { appends }
    }

    fn next_append(&self, replica: ReplicaId, rng: &mut Rng) -> ReplicaAppend {
        let log = self.replicas.get(&replica).cloned().unwrap_or_default();
        let mut append = of(replica.0);
        let (mut start, mut last, mut term) = (log.start, log.start.index.0, log.start.term.0);
        if let Some(entry) = log.entries.last() {
            (last, term) = (entry.index.0, entry.term.0);
        }
        if rng.chance(200) {
            start = at(last + rng.below(5), term + rng.below(2));
            append.reset = Some(start);
            (last, term) = (start.index.0, start.term.0);
        }
        // Replica 6 is idle: it writes seldom, and so pins old segments.
        if replica.0 != 6 || rng.chance(1_000) {
            let held = last - start.index.0;
            let cuts = if append.reset.is_none() && rng.chance(1_000) { rng.below(held.min(6) + 1) } else { 0 };
            let first = last + 1 - cuts;
            if cuts > 0 {
                term += 1;
            }
            let count = 1 + rng.below(4);
            for index in first..first + count {
                term += u64::from(rng.chance(300));
                let len = if rng.chance(500) { rng.below(9_000) } else { rng.below(300) } as usize;
                let mut entry = entry(index, term, len);
                if rng.chance(500) {
                    entry.kind = EntryKind::ChangeV2;
                    entry.context = Bytes::from_static(b"context");
                }
                append.entries.push(entry);
            }
            last = first + count - 1;
        }
        if rng.chance(5_000) {
            let term = term.max(log.hard_state.term.0);
            let same = term == log.hard_state.term.0 && log.hard_state.vote.0 != 0;
            let vote = if same { log.hard_state.vote.0 } else { rng.below(4) };
            append.hard_state = Some(hard(term, vote, last));
        }
        let after = Model { replicas: BTreeMap::from([(replica, log)]) }.with(&batch([append.clone()]));
        let entries = &after.replicas[&replica].entries;
        if replica.0 != 6 && rng.chance(2_000) && !entries.is_empty() {
            let to = &entries[rng.below(entries.len() as u64) as usize];
            append.purge = Some(at(to.index.0, to.term.0));
        }
        append.destroy = rng.chance(50);
        append
    }
}

/// A log that has run for a while and was killed: several segments, recycled ones among them.
pub struct Aged {
    pub disk: MemoryDisk,
    /// After each acknowledged append; the last is what must be found.
    pub history: Vec<Model>,
    pub segments: std::ops::RangeInclusive<u64>,
}

pub fn aged(seed: u64, appends: usize) -> Aged {
    let mut rng = Rng::new(seed);
    let disk = MemoryDisk::new(seed);
    let (mut log, _) = open(&disk).unwrap();
    let mut history = vec![Model::default()];
    // The newest segment has some units and room for some more.
    let units = |log: &Log| log.next_unit - log.segments[log.segments().end()].first_unit;
    while history.len() <= appends || log.tail.page > 9 || units(&log) < 4 {
        let model = history.last().unwrap();
        let work = model.next_batch(&mut rng);
        let after = model.with(&work);
        log.append(&work).unwrap();
        history.push(after);
    }
    let segments = log.segments();
    drop(log);
    Aged { disk: disk.crash(crate::disk::Fate::Lost), history, segments }
}

impl Aged {
    pub fn model(&self) -> &Model {
        self.history.last().unwrap()
    }

    /// Appends once more and tells which pages of the newest segment that wrote: `(before, after, pages)`.
    pub fn one_more(&self, work: &LogBatch) -> (MemoryDisk, MemoryDisk, Vec<u64>) {
        let name = segment(*self.segments.end());
        let before = self.disk.copy();
        drop(open(&before).unwrap());
        let after = before.copy();
        let (mut log, _) = open(&after).unwrap();
        let old = after.bytes(&name);
        log.append(work).unwrap();
        assert_eq!(log.segments(), self.segments, "the test wants it in the same segment");
        drop(log);
        let new = after.bytes(&name);
        let pages = (0..new.len() as u64 / 4096).filter(|&page| differs(&old, &new, page)).collect();
        (before, after, pages)
    }
}

fn differs(a: &[u8], b: &[u8], page: u64) -> bool {
    let page = (page * 4096) as usize..(page as usize + 1) * 4096;
    a[page.clone()] != b[page]
}

/// Puts a page of one file over a page of another.
pub fn put_page(disk: &MemoryDisk, name: &str, page: u64, bytes: &[u8]) {
    disk.damage(name, |file| file[(page * 4096) as usize..][..4096].copy_from_slice(bytes));
}

pub fn page_of(disk: &MemoryDisk, name: &str, page: u64) -> Vec<u8> {
    disk.bytes(name)[(page * 4096) as usize..][..4096].to_vec()
}

/// How many pages of a segment were written in this life of its file.
pub fn used_pages(disk: &MemoryDisk, name: &str) -> u64 {
    let bytes = disk.bytes(name);
    bytes.chunks(4096).position(|page| page.iter().all(|&byte| byte == 0)).unwrap_or(bytes.len() / 4096) as u64
}
