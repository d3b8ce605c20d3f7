//! How fast the log takes entries on this machine's disk: `cargo run --release -p storage --example log_bench [FOLDER]`.
//!
//! One thread appends batches one after the other, each one write and one fsync, 200 B an entry over 64 replicas; purging
//! keeps the log at a few segments. `floor` is a bare write + fdatasync of as many pages into a zeroed file, right before:
//! what the disk gives at that moment. What it leaves out: consensus, the queue in front of the writer, other work on the disk.

use bytes::Bytes;
use std::sync::Arc;
use std::time::{Duration, Instant};
use storage::disk::{Disk, RealDisk, Rng};
use storage::log::{Entry, EntryKind, Log, LogBatch, Options, ReplicaAppend, Start};
use wire::ids::{ClusterId, Index, NodeId, ReplicaId, Term};

const REPLICAS: usize = 64;
const ENTRY: usize = 200;
const ROUND: Duration = Duration::from_millis(2500);
/// Entries a replica keeps behind its last one.
const KEPT: u64 = 2000;

fn main() {
    let folder = std::env::args().nth(1).unwrap_or_else(|| "log-bench".to_owned());
    println!("folder {folder}, {ENTRY} B entries, {REPLICAS} replicas, medians of 3 rounds of {ROUND:?}");
    println!(
        "entries a batch | k entries/s | append p50, p99, p99.9, max (µs) | entries a sync | bytes a payload byte, zeroing"
    );
    for entries in [1, 16, 64, 256] {
        let mut rounds: Vec<Round> = (0..3).map(|seed| round(&folder, entries, seed)).collect();
        rounds.sort_by(|a, b| a.rate.total_cmp(&b.rate));
        let Round { rate, times, floor, per_sync, per_byte, zeroed } = &rounds[1];
        let of = |times: &[Duration], part: f64| times[((times.len() - 1) as f64 * part) as usize].as_micros();
        let at = |part| of(times, part);
        println!(
            "{entries:15} | {rate:11.1} | {}, {}, {}, {} | {}, {} | {per_sync:.1} | {per_byte:.2}, {zeroed:.2}",
            at(0.5),
            at(0.99),
            at(0.999),
            at(1.0),
            of(floor, 0.5),
            of(floor, 0.99)
        );
    }
    reopen(&folder);
    let _ = std::fs::remove_dir_all(folder);
}

/// What a start costs: everything is read and verified. Warm: the kernel still has it in memory.
fn reopen(folder: &str) {
    let _ = std::fs::remove_dir_all(folder);
    let open = || {
        let disk = Arc::new(RealDisk::open(folder).expect("the folder can be made"));
        Log::open(disk, &Options::new(ClusterId([1; 16]), NodeId(1)).create(1)).expect("the log opens")
    };
    let (mut log, _) = open();
    for index in (1..=1_000_000u64).step_by(1000) {
        let data = Bytes::from(vec![index as u8; ENTRY]);
        let entry = |index| Entry {
            index: Index(index),
            term: Term(1),
            kind: EntryKind::Normal,
            data: data.clone(),
            context: Bytes::new(),
        };
        let entries = (index..index + 1000).map(entry).collect();
        let replica = ReplicaId(1);
        let append = ReplicaAppend { replica, reset: None, entries, hard_state: None, purge: None, destroy: false };
        log.append(&LogBatch { appends: vec![append] }).expect("the disk works");
    }
    drop(log);
    let began = Instant::now();
    let (log, recovered) = open();
    let entries: usize = recovered.replicas.values().map(|replica| replica.entries.len()).sum();
    println!("reopen, warm: {entries} entries in {} segments, {:?}", log.segments().count(), began.elapsed());
}

struct Round {
    rate: f64,
    times: Vec<Duration>,
    floor: Vec<Duration>,
    per_sync: f64,
    per_byte: f64,
    zeroed: f64,
}

fn floor(disk: &dyn Disk, pages: usize) -> Vec<Duration> {
    let file = disk.create("floor").expect("a file can be made");
    let len = 16 << 20;
    file.zero(0, len).and_then(|()| file.sync()).expect("the disk works");
    let page = vec![7; pages * 4096];
    let mut times = Vec::new();
    let began = Instant::now();
    for at in (0..).map(|step| step * page.len() as u64 % (len - page.len() as u64)) {
        if began.elapsed() > ROUND / 4 {
            break;
        }
        let before = Instant::now();
        file.write_at(&page, at / 4096 * 4096).and_then(|()| file.sync()).expect("the disk works");
        times.push(before.elapsed());
    }
    times.sort();
    times
}

fn round(folder: &str, entries: usize, seed: u64) -> Round {
    let _ = std::fs::remove_dir_all(folder);
    let disk = Arc::new(RealDisk::open(folder).expect("the folder can be made"));
    let floor = floor(&*disk, (entries * (ENTRY + 8)).div_ceil(4056));
    let options = Options::new(ClusterId([1; 16]), NodeId(1)).create(seed);
    let (mut log, _) = Log::open(disk, &options).expect("a new log opens");
    let mut rng = Rng::new(seed);
    let data: Vec<Bytes> =
        (0..64).map(|_| Bytes::from((0..ENTRY).map(|_| rng.below(256) as u8).collect::<Vec<u8>>())).collect();
    let mut last = [0u64; REPLICAS];
    let mut turn = 0;
    let mut times = Vec::new();
    let began = Instant::now();
    while began.elapsed() < ROUND {
        let mut batch = LogBatch::default();
        for _ in 0..entries.min(REPLICAS) {
            turn = (turn + 1) % REPLICAS;
            let count = (entries / REPLICAS).max(1) as u64;
            let first = last[turn] + 1;
            last[turn] += count;
            let entry = |index: u64| Entry {
                index: Index(index),
                term: Term(1),
                kind: EntryKind::Normal,
                data: data[(index % 64) as usize].clone(),
                context: Bytes::new(),
            };
            let purge = (last[turn] > KEPT && last[turn] % 100 < count)
                .then(|| Start { index: Index(last[turn] - KEPT), term: Term(1) });
            batch.appends.push(ReplicaAppend {
                replica: ReplicaId(turn as u64 + 1),
                reset: None,
                entries: (first..=last[turn]).map(entry).collect(),
                hard_state: None,
                purge,
                destroy: false,
            });
        }
        let before = Instant::now();
        log.append(&batch).expect("the disk works");
        times.push(before.elapsed());
    }
    let took = began.elapsed().as_secs_f64();
    let counters = log.counters();
    times.sort();
    let payload = (counters.entries * ENTRY as u64) as f64;
    Round {
        rate: counters.entries as f64 / took / 1000.0,
        times,
        floor,
        per_sync: counters.entries as f64 / counters.syncs as f64,
        per_byte: counters.bytes as f64 / payload,
        zeroed: counters.zeroed as f64 / payload,
    }
}
