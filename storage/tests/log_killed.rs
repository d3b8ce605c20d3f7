//! A real process on a real disk, killed with SIGKILL while it appends: all it said is there.

use bytes::Bytes;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;
use storage::disk::{RealDisk, Rng};
use storage::log::{Entry, EntryKind, Log, LogBatch, Options, Recovered, ReplicaAppend, Start};
use wire::ids::{ClusterId, Index, NodeId, ReplicaId, Term};

const FOLDER: &str = "COMMONS_TEST_LOG_FOLDER";
const ROUNDS: u64 = 12;

fn open(folder: PathBuf) -> (Log, Recovered) {
    let options = Options::new(ClusterId([3; 16]), NodeId(1)).create(99).segment_bytes(256 << 10).segments_max(3);
    Log::open(Arc::new(RealDisk::open(folder).unwrap()), &options).unwrap()
}

fn entry(replica: u64, index: u64) -> Entry {
    let len = (index * 37 + replica) % 6000;
    let data = Bytes::from(vec![(index + replica) as u8; len as usize]);
    Entry { index: Index(index), term: Term(1), kind: EntryKind::Normal, data, context: Bytes::new() }
}

/// Not a test by itself: the process that is killed. Prints `replica index` for what is durable.
#[test]
fn the_log_process_that_is_killed() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let (mut log, recovered) = open(folder.into());
    let mut last = BTreeMap::new();
    for (replica, found) in recovered.replicas {
        last.insert(replica.0, found.entries.last().map_or(found.start.index.0, |entry| entry.index.0));
    }
    let mut rng = Rng::new(last.values().sum());
    let mut out = std::io::stdout();
    loop {
        let replica = 1 + rng.below(4);
        let first = last.get(&replica).map_or(1, |last| last + 1);
        let end = first + rng.below(4);
        let purge = (end > 40).then(|| Start { index: Index(end - 40), term: Term(1) });
        let entries = (first..=end).map(|index| entry(replica, index)).collect();
        let replica_id = ReplicaId(replica);
        let append =
            ReplicaAppend { replica: replica_id, reset: None, entries, hard_state: None, purge, destroy: false };
        log.append(&LogBatch { appends: vec![append] }).unwrap();
        last.insert(replica, end);
        // One write, so that a line is whole or absent.
        out.write_all(format!("acked {replica} {end}\n").as_bytes()).unwrap();
        out.flush().unwrap();
    }
}

#[test]
fn a_killed_process_finds_all_it_said_in_its_log() {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("log-killed-{}", std::process::id()));
    let mut rng = Rng::new(u64::from(std::process::id()));
    let mut acked: BTreeMap<u64, u64> = BTreeMap::new();
    for round in 0..ROUNDS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "the_log_process_that_is_killed", "--nocapture"])
            .env(FOLDER, &folder)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let kill_after = 1 + rng.below(120);
        let mut heard = 0;
        for line in BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok) {
            let Some((_, said)) = line.split_once("acked ") else { continue };
            let (replica, index) = said.split_once(' ').unwrap();
            acked.insert(replica.parse().unwrap(), index.parse().unwrap());
            heard += 1;
            if heard == kill_after {
                child.kill().unwrap();
            }
        }
        child.wait().unwrap();
        assert!(heard >= kill_after, "round {round}: the process ended by itself");
        let (_, recovered) = open(folder.clone());
        for (replica, last) in &acked {
            let found = &recovered.replicas[&ReplicaId(*replica)];
            let end = found.entries.last().map(|entry| entry.index.0);
            assert!(end >= Some(*last), "round {round}: replica {replica} said {last}, the log ends at {end:?}");
            for held in &found.entries {
                assert_eq!(*held, entry(*replica, held.index.0), "round {round}");
            }
        }
    }
    std::fs::remove_dir_all(folder).unwrap();
}
