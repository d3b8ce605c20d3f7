//! Segments come and go: purging, recycling, an idle group's pin, a full disk.

use super::world::*;
use crate::disk::{Fate, Fault, MemoryDisk, Op, Rule};
use crate::log::*;
use wire::ids::ReplicaId;

/// Appends and purges behind, one entry at a time.
fn roll(log: &mut Log, replica: u64, from: u64, to: u64) {
    for index in from..=to {
        let purge = (index > 10).then(|| at(index - 10, 1));
        log.append(&batch([ReplicaAppend { entries: entries(index, index, 1, 1000), purge, ..of(replica) }])).unwrap();
    }
}

#[test]
fn dead_segments_are_written_again() {
    let disk = MemoryDisk::new(1);
    let (mut log, _) = open(&disk).unwrap();
    roll(&mut log, 1, 1, 400);
    let counters = log.counters();
    assert!(counters.segments_begun > 20);
    assert!(counters.segments_recycled + 4 > counters.segments_begun, "{counters:?}");
    assert!(disk.used() <= 6 * 16 * 4096, "{} bytes", disk.used());
    drop(log);
    let (_, recovered) = open(&disk.crash(Fate::Lost)).unwrap();
    assert_eq!(recovered.replicas[&ReplicaId(1)].start, at(390, 1));
    assert_eq!(recovered.replicas[&ReplicaId(1)].entries, entries(391, 400, 1, 1000));
}

#[test]
fn an_idle_groups_pin_is_lifted() {
    let disk = MemoryDisk::new(1);
    let (mut log, _) = open(&disk).unwrap();
    let idle = batch([ReplicaAppend { entries: entries(1, 7, 1, 50), hard_state: Some(hard(3, 2, 5)), ..of(8) }]);
    log.append(&idle).unwrap();
    log.append(&batch([ReplicaAppend { hard_state: Some(hard(9, 4, 0)), ..of(9) }])).unwrap();
    let mut moved = 0;
    for round in 0..10 {
        roll(&mut log, 1, round * 100 + 1, round * 100 + 100);
        assert!(log.segments().count() <= 5, "{:?}", log.segments());
        moved += log.counters().entries_moved;
        // A restart knows where moved entries lie now.
        drop(log);
        log = open(&disk).unwrap().0;
    }
    assert!(moved >= 7 * 5, "{moved}");
    assert!(*log.segments().start() > 50);
    drop(log);
    let (_, recovered) = open(&disk.crash(Fate::Lost)).unwrap();
    let idle = &recovered.replicas[&ReplicaId(8)];
    assert_eq!((idle.entries.clone(), idle.hard_state), (entries(1, 7, 1, 50), hard(3, 2, 5)));
    assert_eq!(recovered.replicas[&ReplicaId(9)].hard_state, hard(9, 4, 0), "a vote is never forgotten");
}

/// Also if it fills most of its segment: what bounds the log is all that is live.
#[test]
fn an_idle_group_that_fills_a_segment_pins_no_others() {
    let disk = MemoryDisk::new(1);
    let (mut log, _) = open(&disk).unwrap();
    let mut idle = 0;
    while *log.segments().end() < 3 {
        idle += 1;
        log.append(&add(8, idle, idle, 1, 1000)).unwrap();
    }
    roll(&mut log, 1, 1, 600);
    assert!(log.segments().count() <= 8, "{:?}", log.segments());
    assert!(log.counters().entries_moved < 600, "{:?}", log.counters());
    drop(log);
    let (_, recovered) = open(&disk.crash(Fate::Lost)).unwrap();
    assert_eq!(recovered.replicas[&ReplicaId(8)].entries, entries(1, idle, 1, 1000));
}

#[test]
fn a_destroyed_replica_pins_nothing() {
    let disk = MemoryDisk::new(1);
    let (mut log, _) = open(&disk).unwrap();
    log.append(&add(8, 1, 7, 1, 50)).unwrap();
    roll(&mut log, 1, 1, 40);
    assert_eq!(*log.segments().start(), 1);
    log.append(&batch([ReplicaAppend { destroy: true, ..of(8) }])).unwrap();
    assert!(*log.segments().start() > 1);
    drop(log);
    let (_, recovered) = open(&disk.crash(Fate::Lost)).unwrap();
    assert_eq!(recovered.replicas.keys().copied().collect::<Vec<_>>(), [ReplicaId(1)]);
}

/// A spare that a kill left half zeroed, or full of anything, is zeroed again before it is used.
#[test]
fn a_half_zeroed_spare_is_not_trusted() {
    let disk = MemoryDisk::new(1);
    let (mut log, _) = open(&disk).unwrap();
    roll(&mut log, 77, 1, 60);
    drop(log);
    let disk = disk.crash(Fate::Lost);
    let spares: Vec<String> =
        crate::disk::Disk::list(&disk).unwrap().into_iter().filter(|name| name.starts_with("spare")).collect();
    assert!(!spares.is_empty());
    for name in &spares {
        disk.damage(name, |bytes| {
            let half = bytes.len() / 2;
            bytes[..half].fill(0);
            bytes[half..].fill(0x5a);
        });
    }
    let (mut log, _) = open(&disk).unwrap();
    for index in 61..200 {
        roll(&mut log, 77, index, index);
        let name = segment(*log.segments().end());
        let newest = disk.bytes(&name);
        let tail = used_pages(&disk, &name) as usize * 4096;
        assert!(newest[tail..].iter().all(|&byte| byte == 0), "at entry {index}");
    }
    drop(log);
    open(&disk.crash(Fate::Lost)).unwrap();
}

#[test]
fn a_full_disk_is_named_and_nothing_is_lost() {
    let disk = MemoryDisk::new(1);
    let (mut log, _) = open(&disk).unwrap();
    disk.set_capacity(Some(5 * 16 * 4096 + 9000));
    let mut index = 0;
    let error = loop {
        match log.append(&add(1, index + 1, index + 1, 1, 1000)) {
            Ok(()) => index += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(error, LogError::Full { .. }), "{error}");
    assert!(error.to_string().contains("free some space"), "{error}");
    for _ in 0..4 {
        assert!(matches!(log.append(&add(1, index + 1, index + 1, 1, 1000)), Err(LogError::Full { .. })));
    }
    // A killed process finds all of it, the disk still full,
    let (_, recovered) = open(&disk.copy()).unwrap();
    assert_eq!(recovered.replicas[&ReplicaId(1)].entries, entries(1, index, 1, 1000));
    // and one that went on goes on once there is room. (The spike wrote a second seal here.)
    disk.set_capacity(None);
    for index in index + 1..index + 60 {
        log.append(&add(1, index, index, 1, 1000)).unwrap();
    }
    drop(log);
    let (_, recovered) = open(&disk.crash(Fate::Lost)).unwrap();
    assert_eq!(recovered.replicas[&ReplicaId(1)].entries, entries(1, index + 59, 1, 1000));
}

#[test]
fn no_room_to_make_a_log_is_named() {
    let disk = MemoryDisk::new(1);
    disk.set_capacity(Some(30_000));
    assert!(matches!(open(&disk), Err(OpenError::Full { .. })));
    disk.set_capacity(None);
    assert!(open(&disk).unwrap().1.created);
}

/// Every call of the disk during rotations fails once, with each error: nothing acknowledged is lost.
#[test]
fn any_call_may_fail_while_segments_turn() {
    for on in [Op::Write, Op::Sync, Op::Create, Op::Rename, Op::Remove, Op::SyncDir] {
        for fault in [Fault::Eio, Fault::Full] {
            for skip in (0..60).step_by(3) {
                let disk = MemoryDisk::new(skip.into());
                let (mut log, _) = open(&disk).unwrap();
                disk.plan(Rule { on, file: "", skip, fault });
                let mut model = Model::default();
                let mut under_way = None;
                for index in 1..90 {
                    let purge = (index > 10).then(|| at(index - 10, 1));
                    let work = batch([ReplicaAppend { entries: entries(index, index, 1, 1000), purge, ..of(1) }]);
                    match log.append(&work) {
                        Ok(()) => model.apply(&work),
                        Err(LogError::Full { .. }) if !log.is_dead() => {
                            log.append(&work).unwrap();
                            model.apply(&work);
                        }
                        Err(_) => {
                            under_way = Some(model.with(&work));
                            break;
                        }
                    }
                }
                drop(log);
                let disk = disk.crash(Fate::Kept);
                let (_, recovered) = open(&disk).unwrap_or_else(|error| panic!("{on:?} {fault:?} {skip}: {error}"));
                let found = Model { replicas: recovered.replicas };
                assert!(found == model || Some(&found) == under_way.as_ref(), "{on:?} {fault:?} {skip}");
                // The failed fsync may have forgotten pages: what was found must now really be on disk.
                let (_, recovered) = open(&disk.crash(Fate::Lost)).unwrap();
                assert_eq!(recovered.replicas, found.replicas, "{on:?} {fault:?} {skip}: found, then lost");
            }
        }
    }
}

/// A manifest's page may be torn while it is written: the other one holds.
#[test]
fn a_manifest_torn_while_it_is_written_is_whole() {
    let mut torn = 0;
    for stop in 1..400 {
        let disk = MemoryDisk::new(stop);
        let (mut log, _) = open(&disk).unwrap();
        disk.die_at(disk.calls() + stop);
        let mut model = Model::default();
        let mut under_way = None;
        for index in 1..60 {
            let purge = (index > 10).then(|| at(index - 10, 1));
            let work = batch([ReplicaAppend { entries: entries(index, index, 1, 3000), purge, ..of(1) }]);
            if log.append(&work).is_err() {
                under_way = Some(model.with(&work));
                break;
            }
            model.apply(&work);
        }
        drop(log);
        let pages = disk.unsynced_pages("MANIFEST");
        let disk = disk.crash(Fate::Lost);
        for page in &pages {
            disk.flip_bit("MANIFEST", (page * 4096 + 50) * 8);
            torn += 1;
        }
        let (_, recovered) = open(&disk).unwrap_or_else(|error| panic!("stopped at call {stop}, {pages:?}: {error}"));
        let found = Model { replicas: recovered.replicas };
        assert!(found == model || Some(found) == under_way, "stopped at call {stop}");
    }
    assert!(torn > 10, "{torn}");
}

/// The bytes on disk are a promise to later versions.
#[test]
fn the_format_is_frozen() {
    let disk = MemoryDisk::new(1);
    let (mut log, _) = open(&disk).unwrap();
    let mut one = entry(2, 1, 5000);
    one.kind = EntryKind::ChangeV2;
    one.context = bytes::Bytes::from_static(b"context");
    let append =
        ReplicaAppend { reset: Some(at(1, 1)), entries: vec![one], hard_state: Some(hard(1, 2, 1)), ..of(300) };
    log.append(&batch([append, ReplicaAppend { entries: entries(1, 2, 1, 5), purge: Some(at(1, 1)), ..of(5) }]))
        .unwrap();
    log.append(&batch([ReplicaAppend { destroy: true, ..of(5) }])).unwrap();
    log.seal_idle().unwrap();
    let bytes = disk.bytes(&segment(1));
    assert_eq!(used_pages(&disk, &segment(1)), 5);
    assert_eq!(crc32fast::hash(&bytes), FROZEN.0, "segment");
    assert_eq!(crc32fast::hash(&disk.bytes("MANIFEST")), FROZEN.1, "manifest");
}

const FROZEN: (u32, u32) = (3_914_389_587, 368_161_442);
