//! What was cut is written down first, and repair.

use super::super::manifest::ManifestFile;
use super::world::*;
use crate::disk::{Fate, MemoryDisk};
use crate::log::*;
use std::sync::Arc;

const FATES: [Fate; 3] = [Fate::Kept, Fate::Lost, Fate::Pages];

/// Runs `act` on copies of `image`, the machine stopping at each call of the disk in turn, and hands what is left to `then`.
fn stopped_everywhere(image: &MemoryDisk, act: impl Fn(&MemoryDisk), then: impl Fn(&MemoryDisk, u64)) {
    let calls = {
        let disk = image.copy();
        let before = disk.calls();
        act(&disk);
        disk.calls() - before
    };
    assert!(calls > 5);
    for stop in 1..=calls {
        for fate in FATES {
            let disk = image.copy();
            disk.die_at(disk.calls() + stop);
            act(&disk);
            then(&disk.crash(fate), stop);
        }
    }
}

/// Mutant: in `cut::cut`, call `finish`'s zeroing before the first `manifest.write()`. Then the crash between the two leaves a
/// clean log without a mark, and the assertion on `marks` here fails.
#[test]
fn that_a_torn_tail_was_cut_is_never_forgotten() {
    let aged = aged(11, 150);
    let (before, after, pages) = aged.one_more(&add(77, 1, 4, 1, 2500));
    let newest = segment(*aged.segments.end());
    put_page(&before, &newest, pages[1], &page_of(&after, &newest, pages[1]));
    stopped_everywhere(
        &before,
        |disk| drop(open(disk)),
        |disk, stop| {
            let (_, recovered) = open(disk).unwrap();
            assert_eq!(recovered.replicas, aged.model().replicas, "stopped at call {stop}");
            assert!(!recovered.marks.is_empty(), "stopped at call {stop}: cut, and forgotten");
            assert_eq!(recovered.marks[0].why, Why::Torn);
        },
    );
}

/// A process killed while it makes the log leaves files that look made and are not durable: the next start makes them so.
#[test]
fn a_log_being_made_is_stopped_anywhere() {
    stopped_everywhere(
        &MemoryDisk::new(1),
        |disk| drop(open(disk)),
        |disk, stop| {
            let (mut log, _) = open(disk).unwrap();
            log.append(&add(1, 1, 1, 1, 10)).unwrap();
            drop(log);
            let (_, recovered) = open(&disk.crash(Fate::Lost)).unwrap();
            assert_eq!(recovered.replicas.len(), 1, "stopped at call {stop}");
        },
    );
}

fn repair(disk: &MemoryDisk) -> Result<Repaired, OpenError> {
    Log::repair(Arc::new(disk.clone()), &options())
}

/// After a repair the log is one that was, at some time; replicas whose older entries were gone by then begin empty.
fn check_repaired(aged: &Aged, disk: &MemoryDisk, repaired: Option<&Repaired>) {
    let (mut log, recovered) = open(disk).unwrap();
    assert!(recovered.marks.iter().any(|mark| mark.why == Why::Repaired), "what was cut is remembered");
    let found = Model { replicas: recovered.replicas };
    let emptied = |replica: &wire::ids::ReplicaId| found.replicas[replica].entries.is_empty();
    let was = aged.history.iter().any(|model| {
        model.replicas.keys().eq(found.replicas.keys())
            && model.replicas.iter().all(|(replica, log)| {
                let found = &found.replicas[replica];
                let commit = log.hard_state.commit.min(log.start.index);
                let hard = HardState { commit, ..log.hard_state };
                found == log || (emptied(replica) && (found.start, found.hard_state) == (log.start, hard))
            })
    });
    assert!(was, "after the repair the log is as it never was");
    if let Some(repaired) = repaired {
        assert!(repaired.emptied.keys().all(|replica| found.replicas[replica].entries.is_empty()));
        let ends = found
            .replicas
            .iter()
            .map(|(replica, log)| (*replica, log.entries.last().map_or(log.start.index, |entry| entry.index)));
        assert_eq!(repaired.kept, ends.collect());
    }
    // And it goes on.
    let mut model = found;
    let mut rng = crate::disk::Rng::new(5);
    for _ in 0..60 {
        let work = model.next_batch(&mut rng);
        model.apply(&work);
        log.append(&work).unwrap();
    }
    drop(log);
    assert_eq!(open(&disk.crash(Fate::Lost)).unwrap().1.replicas, model.replicas);
}

type Harm = fn(&Aged, &MemoryDisk);

const HARMS: [(&str, Harm); 8] = [
    ("bit in the oldest", |aged, disk| disk.flip_bit(&segment(*aged.segments.start()), (7 * 4096 + 99) * 8)),
    ("bit in the newest", |aged, disk| disk.flip_bit(&segment(*aged.segments.end()), (4096 + 99) * 8)),
    ("first page of all zeroed", |aged, disk| disk.zero_page(&segment(*aged.segments.start()), 0)),
    ("middle file gone", |aged, disk| disk.lose_file(&segment(aged.segments.start() + 1))),
    ("oldest file gone", |aged, disk| disk.lose_file(&segment(*aged.segments.start()))),
    ("newest file gone", |aged, disk| disk.lose_file(&segment(*aged.segments.end()))),
    ("middle file short", |aged, disk| {
        disk.damage(&segment(aged.segments.start() + 1), |bytes| bytes.truncate(30_000));
    }),
    ("newest file short", |aged, disk| disk.damage(&segment(*aged.segments.end()), |bytes| bytes.truncate(5_000))),
];

#[test]
fn repair_cuts_at_the_damage_and_says_so() {
    for (what, harm) in HARMS {
        for seed in 30..36 {
            let aged = aged(seed, 150);
            let disk = aged.disk.copy();
            harm(&aged, &disk);
            assert!(open(&disk).unwrap_err().damage().is_some(), "{what}");
            let repaired = repair(&disk).unwrap();
            assert_eq!((repaired.damages.len(), repaired.marks.len()), (1, 1), "{what}");
            assert_eq!(repaired.marks[0].place, repaired.damages[0].place, "{what}");
            assert_eq!(repair(&disk).unwrap().damages, [], "{what}: nothing more to repair");
            check_repaired(&aged, &disk, Some(&repaired));
        }
    }
}

#[test]
fn a_repair_that_is_stopped_anywhere_never_looks_like_a_clean_log() {
    for (what, harm) in HARMS {
        let aged = aged(31, 150);
        let image = aged.disk.copy();
        harm(&aged, &image);
        stopped_everywhere(
            &image,
            |disk| drop(repair(disk)),
            |disk, stop| {
                let decided = !ManifestFile::open(disk).unwrap().is_ok_and(|file| file.now.marks.is_empty());
                if let Err(error) = open(disk) {
                    assert!(error.damage().is_some(), "{what}, stopped at call {stop}: {error}");
                    // A cut that was decided is finished by the next start, unless it leaves replicas to be emptied.
                    let emptying = error.to_string().contains("lie in no segment");
                    assert!(!decided || emptying, "{what}, stopped at call {stop}: {error}");
                    repair(disk).unwrap();
                }
                check_repaired(&aged, disk, None);
            },
        );
    }
}

#[test]
fn nothing_to_repair_changes_nothing() {
    let aged = aged(12, 80);
    let disk = aged.disk.copy();
    let repaired = repair(&disk).unwrap();
    assert!(repaired.damages.is_empty() && repaired.marks.is_empty() && !repaired.kept.is_empty());
    let (_, recovered) = open(&disk).unwrap();
    assert_eq!((recovered.replicas, recovered.marks.len()), (aged.model().replicas.clone(), 0));
}
