//! What only RocksDB has: files that break, versions, a place in memory.

use super::rig::{Temporary, copy_files, open};
use super::*;
use crate::disk::Rng;
use std::fs;
use std::path::PathBuf;

fn row(n: u64) -> (Bytes, Bytes) {
    (format!("key {n:06}").into(), format!("value {n} {}", "x".repeat((n % 60) as usize)).into())
}

fn fill(rocks: &Rocks, rows: std::ops::Range<u64>) {
    let put = |n| {
        let (key, value) = row(n);
        Op::Put { key, value }
    };
    rocks.write(Batch { ops: rows.map(put).collect() }).expect("written");
}

fn scan(rocks: &Rocks) -> Result<Vec<(Bytes, Bytes)>, Error> {
    let mut found = Ok(Vec::new());
    rocks.view(&mut |view| found = view.scan(b"a"..b"z", Order::Ascending, usize::MAX));
    found
}

/// A closed database of 2,000 rows, in files.
fn written() -> Temporary {
    let folder = Temporary::new();
    let rocks = open(&folder.0, Presence::MayCreate);
    fill(&rocks, 0..1000);
    rocks.flush().expect("flushed");
    fill(&rocks, 1000..2000);
    rocks.flush().expect("flushed");
    folder
}

fn files(folder: &Temporary, suffix: &str) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> =
        fs::read_dir(&folder.0).expect("listed").map(|entry| entry.expect("listed").path()).collect();
    found.retain(|path| path.file_name().is_some_and(|name| name.to_string_lossy().contains(suffix)));
    found.sort();
    found
}

fn refused(folder: &Temporary, presence: Presence) -> String {
    // All but RocksDB's diary, which a refused lock turns over as well.
    let all = || {
        files(folder, "")
            .into_iter()
            .filter(|path| !path.ends_with("LOG") && !path.to_string_lossy().contains("LOG.old"))
    };
    let before: Vec<_> = all().collect();
    let error = Rocks::open(&folder.0, presence, &Settings::default()).err().expect("refused");
    assert_eq!(all().collect::<Vec<_>>(), before, "a refusal changes nothing");
    error.to_string().replace(&folder.0.display().to_string(), "DIR")
}

#[test]
fn the_version_checked_is_the_version_linked() {
    let folder = written();
    let newest = files(&folder, "OPTIONS-").pop().expect("there");
    let text = fs::read_to_string(newest).expect("read");
    assert!(text.contains(&format!("rocksdb_version={}", opening::VERSION)), "{text}");
}

#[test]
fn a_newer_rocksdb_is_refused_by_name() {
    let folder = written();
    for (version, refusal) in
        [("99.0.0", true), ("11.9.0", true), ("11.8.9", false), ("11.8.1", false), ("10.0.0", false)]
    {
        let newest = files(&folder, "OPTIONS-").pop().expect("there");
        let text = fs::read_to_string(&newest).expect("read");
        let line = text.lines().find(|line| line.contains("rocksdb_version=")).expect("there");
        fs::write(&newest, text.replace(line, &format!("  rocksdb_version={version}"))).expect("written");
        if refusal {
            let words = refused(&folder, Presence::MustExist);
            let expected = format!(
                "DIR was last written by RocksDB {version}, this binary has 11.8.1 and may misread it: start the newer binary again"
            );
            assert_eq!(words, expected);
        } else {
            drop(open(&folder.0, Presence::MustExist));
        }
    }
}

#[test]
fn another_programs_database_is_refused() {
    for (ours, theirs) in [
        ("merge_operator=nullptr", "merge_operator=uint64add"),
        ("[CFOptions \"default\"]", "[CFOptions \"blocks\"]"),
        ("comparator=leveldb.BytewiseComparator", "comparator=idx"),
    ] {
        let folder = written();
        let newest = files(&folder, "OPTIONS-").pop().expect("there");
        let text = fs::read_to_string(&newest).expect("read");
        assert!(text.contains(ours), "{ours} in {text}");
        fs::write(&newest, text.replace(ours, theirs)).expect("written");
        assert!(refused(&folder, Presence::MayCreate).starts_with("DIR belongs to another program: OPTIONS-"));
    }
}

#[test]
fn a_lost_database_is_not_made_anew() {
    let empty = Temporary::new();
    assert!(refused(&empty, Presence::MustExist).starts_with("DIR has lost its state: there is no database in it"));
    for name in ["CURRENT", "MANIFEST-", ".sst"] {
        for presence in [Presence::MayCreate, Presence::MustExist] {
            let folder = written();
            fs::remove_file(files(&folder, name).pop().expect("there")).expect("removed");
            let error = Rocks::open(&folder.0, presence, &Settings::default()).err().expect("refused");
            match name {
                "CURRENT" => assert!(matches!(&error, OpenError::Lost { .. }), "{error}"),
                _ => assert!(matches!(&error, OpenError::Engine(error) if error.is_fatal()), "{error}"),
            }
        }
    }
}

#[test]
fn two_at_a_time_are_refused() {
    let folder = written();
    let _first = open(&folder.0, Presence::MustExist);
    assert!(refused(&folder, Presence::MustExist).contains("lock"));
}

/// One bit anywhere in a table or the manifest: refused, found when read, or without effect. Never a wrong answer.
#[test]
fn a_flipped_bit_in_a_file_never_gives_a_wrong_answer() {
    let expected: Vec<_> = (0..2000).map(row).collect();
    let (whole, mut rng) = (written(), Rng::new(3));
    let (mut at_open, mut at_read, mut harmless) = (0, 0, 0);
    let mut closing = Vec::new();
    for round in 0..60 {
        let folder = Temporary::new();
        copy_files(&whole.0, &folder.0).expect("copied");
        let path = if round % 6 == 0 { files(&folder, "MANIFEST-") } else { files(&folder, ".sst") };
        let path = &path[rng.below(path.len() as u64) as usize];
        let mut content = fs::read(path).expect("read");
        let bit = rng.below(content.len() as u64 * 8);
        content[(bit / 8) as usize] ^= 1 << (bit % 8);
        fs::write(path, content).expect("written");
        match Rocks::open(&folder.0, Presence::MustExist, &Settings::default()) {
            Err(OpenError::Engine(error)) => {
                assert!(error.is_fatal());
                at_open += 1;
            }
            Err(other) => panic!("{other}"),
            Ok(rocks) => {
                match scan(&rocks) {
                    Ok(rows) => {
                        assert!(rows == expected, "bit {bit} of {}", path.display());
                        harmless += 1;
                    }
                    Err(error) => {
                        assert!(error.is_damage(), "{error}");
                        at_read += 1;
                    }
                }
                // Closing waits a second when a compaction has met the damage: all of them at once.
                closing.push(std::thread::spawn(move || drop((rocks, folder))));
            }
        }
    }
    closing.into_iter().for_each(|thread| thread.join().expect("closed"));
    println!("refused at open {at_open}, found at read {at_read}, without effect {harmless}");
    assert!(at_open > 0 && at_read > 20 && harmless < 20, "{at_open} {at_read} {harmless}");
}

#[test]
fn stats_tell_what_is_flushed_and_what_is_not() {
    let folder = Temporary::new();
    let rocks = open(&folder.0, Presence::MayCreate);
    fill(&rocks, 0..1000);
    let before = rocks.stats();
    assert!(before.rows == 1000 && before.unflushed_bytes > 30_000 && before.live_bytes == 0, "{before:?}");
    rocks.flush().expect("flushed");
    let after = rocks.stats();
    assert!(
        after.unflushed_bytes < before.unflushed_bytes && after.live_bytes > 10_000 && after.level0_files == 1,
        "{after:?}"
    );
    assert!(!after.writes_stopped && after.write_rate_limit.is_none());
    assert_eq!(after.views, 0);
    rocks.view(&mut |_| assert_eq!(rocks.stats().views, 1));
}

#[test]
fn writes_leave_no_log_of_their_own() {
    let folder = Temporary::new();
    let rocks = open(&folder.0, Presence::MayCreate);
    fill(&rocks, 0..1000);
    let logged: u64 = files(&folder, ".log").iter().map(|path| fs::metadata(path).expect("read").len()).sum();
    assert_eq!(logged, 0);
}

#[test]
fn a_failed_flush_is_believed_for_good() {
    let folder = Temporary::new();
    let rocks = open(&folder.0, Presence::MayCreate);
    fill(&rocks, 0..10);
    let away = folder.0.with_extension("away");
    fs::rename(&folder.0, &away).expect("moved");
    let error = rocks.flush().expect_err("its folder is gone");
    assert!(error.is_fatal() && !error.is_damage(), "{error}");
    fs::rename(&away, &folder.0).expect("moved back");
    assert_eq!(rocks.flush(), Err(error.clone()), "though it could go on now");
    assert_eq!(rocks.write(Batch { ops: vec![Op::Delete { key: row(1).0 }] }), Err(error));
    assert_eq!(scan(&rocks).expect("read").len(), 10, "what was visible stays so until the node has ended");
}

/// RocksDB forgets some failures by itself; we do not.
#[test]
fn a_failure_rocksdb_recovers_from_is_believed_all_the_same() {
    let folder = Temporary::new();
    let rocks = open(&folder.0, Presence::MayCreate);
    fill(&rocks, 0..10);
    let failure = DB::open(&rocksdb::Options::default(), folder.0.join("nothing")).expect_err("nothing there");
    let error = rocks.believed(failure);
    assert!(error.is_fatal());
    assert_eq!(rocks.flush(), Err(error.clone()));
    assert_eq!(rocks.write(Batch { ops: vec![Op::Delete { key: row(1).0 }] }), Err(error));
}

/// A replica's whole life over RocksDB: what `replica::tests` proves in memory, once on disk.
#[test]
fn a_snapshot_installs_over_rocksdb() {
    use crate::replica::{Applied, CHUNK_BYTES, ReplicaState, ReplicaStore, Round};
    use std::sync::Arc;
    use wire::ids::{Index, ReplicaId, Term};
    let folder = Temporary::new();
    let engine: Arc<dyn Engine> = Arc::new(open(&folder.0, Presence::MayCreate));
    let make = |id| ReplicaStore::bootstrap(engine.clone(), ReplicaId(id), ReplicaState::default()).expect("made");
    let (leader, follower) = (make(1), make(2));
    let apply = |store: &ReplicaStore, index, rows: std::ops::Range<u64>| {
        let mut round = Round::new();
        let puts = rows.map(row).map(|(key, value)| Op::Put { key, value });
        round.apply(store, Applied { index: Index(index), term: Term(1), conf_state: None }, puts);
        round.write().expect("written");
    };
    apply(&leader, 9, 0..20_000);
    apply(&follower, 1, 0..10);
    let mut staging = follower.stage().expect("begun");
    let mut staged = None;
    let ended = leader.snapshot(CHUNK_BYTES, &mut |chunk| {
        staged = staging.feed(chunk).expect("taken");
        ControlFlow::Continue(())
    });
    assert!(ended.expect("read"));
    follower.flip(&staged.expect("whole")).expect("flipped");
    let hash = leader.hash().expect("read");
    assert_eq!(follower.hash().expect("read"), hash);
    let copy = Temporary::new();
    copy_files(&folder.0, &copy.0).expect("copied");
    let engine: Arc<dyn Engine> = Arc::new(open(&copy.0, Presence::MustExist));
    let follower = ReplicaStore::open(engine, ReplicaId(2)).expect("opened").expect("there");
    assert_eq!(follower.hash().expect("read"), hash, "a flip is on disk when it returns");
}
