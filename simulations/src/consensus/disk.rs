//! A node's two disks: the log, whose unsynced tail a crash takes, and the state, which rolls back to its last flush.

use super::rng::Rng;
use super::trace::{checksum, mix};
use cluster::consensus::{BatchId, Conf, Generation, Happening, LogSeed, Sync};
use std::collections::{BTreeMap, VecDeque};
use storage::log::{LogBatch, ReplicaAppend, Start};
use wire::ids::{Index, ReplicaId, Term};

/// A batch on its way to the platter.
struct Queued {
    id: BatchId,
    batch: LogBatch,
    sync: Sync,
    reported: bool,
}

/// The log of all replicas of a node. A batch is whole or absent (pages are the storage room's business).
#[derive(Default)]
pub struct LogDisk {
    durable: BTreeMap<ReplicaId, LogSeed>,
    queue: VecDeque<Queued>,
    /// How many of the queue the write under way covers.
    pub writing: usize,
    /// Keeps what lay behind a cut (a mutant).
    stale_tails: bool,
}

impl LogDisk {
    pub fn new(stale_tails: bool) -> LogDisk {
        LogDisk { stale_tails, ..LogDisk::default() }
    }

    pub fn queue(&mut self, id: BatchId, batch: LogBatch, sync: Sync) {
        self.queue.push_back(Queued { id, batch, sync, reported: false });
    }

    /// Begins one write of everything queued; false if there is nothing to write.
    pub fn begin(&mut self) -> bool {
        let needed = self.queue.iter().any(|queued| !queued.reported);
        self.writing = if needed { self.queue.len() } else { 0 };
        needed
    }

    /// The write is done: what needed an fsync (and all before it) is durable; what did not is merely written.
    pub fn finish(&mut self) -> Option<BatchId> {
        let covered = std::mem::take(&mut self.writing);
        let last = self.queue.get(covered.checked_sub(1)?)?.id;
        let synced = self.queue.iter().take(covered).rposition(|queued| queued.sync == Sync::Disk && !queued.reported);
        self.queue.iter_mut().take(covered).for_each(|queued| queued.reported = true);
        for _ in 0..synced.map_or(0, |at| at + 1) {
            self.persist_first();
        }
        Some(last)
    }

    fn persist_first(&mut self) {
        let Some(queued) = self.queue.pop_front() else { return };
        for append in queued.batch.appends {
            if append.destroy {
                self.durable.remove(&append.replica);
                continue;
            }
            let log = self.durable.entry(append.replica).or_default();
            write(log, append, self.stale_tails);
        }
    }

    /// A crash: some first part of what was queued reached the platter, the rest is gone.
    pub fn crash(&mut self, rng: &mut Rng) {
        let survivors = rng.below(self.queue.len() as u64 + 1);
        for _ in 0..survivors {
            self.persist_first();
        }
        self.queue.clear();
        self.writing = 0;
    }

    /// A crash that takes everything unsynced.
    pub fn crash_losing_all(&mut self) {
        self.queue.clear();
        self.writing = 0;
    }

    pub fn recover(&self, replica: ReplicaId) -> LogSeed {
        self.durable.get(&replica).cloned().unwrap_or_default()
    }

    pub fn wipe(&mut self, replica: ReplicaId) {
        self.durable.remove(&replica);
    }

    pub fn is_idle(&self) -> bool {
        self.queue.iter().all(|queued| queued.reported)
    }
}

fn write(log: &mut LogSeed, append: ReplicaAppend, stale_tails: bool) {
    if let Some(start) = append.reset {
        log.start = start;
        log.entries.clear();
    }
    if let Some(first) = append.entries.first() {
        let keep = log.entries.partition_point(|entry| entry.index < first.index);
        let tail = log.entries.split_off(keep);
        let stale = if stale_tails { tail.into_iter().skip(append.entries.len()).collect() } else { Vec::new() };
        log.entries.extend(append.entries);
        log.entries.extend(stale);
    }
    if let Some(hard_state) = append.hard_state {
        log.hard_state = hard_state;
    }
    if let Some(Start { index, term }) = append.purge {
        log.entries.retain(|entry| entry.index > index);
        log.start = Start { index, term };
    }
}

/// What a replica's rows amount to: a running hash over every entry, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    pub applied: Index,
    pub term: Term,
    pub conf: Conf,
    pub hash: u64,
    pub count: u64,
}

impl State {
    pub fn founded(conf: Conf) -> State {
        State { applied: Index(1), term: Term(1), conf, hash: 0, count: 0 }
    }

    pub fn apply(&mut self, index: Index, term: Term, what: &Happening) {
        self.applied = index;
        self.term = term;
        self.count += 1;
        self.hash = mix(self.hash, mix(index.0, term.0));
        match what {
            Happening::Nothing => {}
            Happening::Entry(bytes) => self.hash = mix(self.hash, checksum(bytes)),
            Happening::Members(conf) => {
                self.conf = conf.clone();
                self.hash = mix(self.hash, conf.voters.iter().fold(7, |hash, voter| mix(hash, voter.0)));
            }
        }
    }
}

/// One replica's place in a node's state engine.
#[derive(Clone, Debug, Default)]
pub struct Place {
    pub replica: ReplicaId,
    /// What reads see.
    pub live: State,
    /// What a crash leaves.
    pub flushed: State,
    pub staged: BTreeMap<Generation, State>,
}

impl Place {
    pub fn crash(&mut self) {
        self.live = self.flushed.clone();
        self.staged.clear();
    }
}
