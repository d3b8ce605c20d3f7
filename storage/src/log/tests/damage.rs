//! The damage table of DEPENDENCIES.md, "The log engine", row by row (its column "own"), and what lies around it.

use super::super::page::{HEADER, Judged, judge, stamp};
use super::world::*;
use crate::disk::{Fault, MemoryDisk, Op, Rng, Rule};
use crate::log::*;

const SEED: u64 = 11;

/// What a log says when it is opened.
#[derive(Debug, PartialEq)]
enum Verdict {
    Clean,
    Torn,
    Damage,
}

/// The verdict, and that the log holds just what was acknowledged unless it is damage.
fn verdict(disk: &MemoryDisk, model: &Model) -> Verdict {
    match open(disk) {
        Ok((_, recovered)) => {
            assert_eq!(recovered.replicas, model.replicas, "opened, but not with what was acknowledged");
            if recovered.torn.is_some() { Verdict::Torn } else { Verdict::Clean }
        }
        Err(error) => {
            assert!(error.damage().is_some(), "{error}");
            assert!(error.to_string().contains(REPAIR_COMMAND), "{error}");
            Verdict::Damage
        }
    }
}

fn check(expected: Verdict, damage: impl FnOnce(&Aged, &MemoryDisk)) {
    let aged = aged(SEED, 150);
    let disk = aged.disk.copy();
    damage(&aged, &disk);
    assert_eq!(verdict(&disk, aged.model()), expected);
}

fn oldest(aged: &Aged) -> String {
    segment(*aged.segments.start())
}

fn newest(aged: &Aged) -> String {
    segment(*aged.segments.end())
}

/// A middle bit of a page's payload.
fn bit(page: u64) -> u64 {
    (page * 4096 + 60) * 8 + 3
}

#[test]
fn killed_and_undamaged() {
    check(Verdict::Clean, |aged, _| assert!(aged.segments.clone().count() >= 3, "{:?}", aged.segments));
}

/// A batch of three pages behind the aged log, with the pages the test picks missing.
fn torn(missing: impl Fn(usize) -> bool) {
    let aged = aged(SEED, 150);
    let (before, after, pages) = aged.one_more(&add(77, 1, 4, 1, 2500));
    assert_eq!(pages.len(), 3);
    for (at, &page) in pages.iter().enumerate().filter(|(at, _)| !missing(*at)) {
        assert!(at < 3);
        put_page(&before, &newest(&aged), page, &page_of(&after, &newest(&aged), page));
    }
    assert_eq!(verdict(&before, aged.model()), Verdict::Torn);
    assert_eq!(verdict(&before, aged.model()), Verdict::Clean, "cut, so clean, but remembered:");
    assert_eq!(open(&before).unwrap().1.marks.len(), 1);
}

#[test]
fn torn_last_page_missing() {
    torn(|at| at == 2);
}

#[test]
fn torn_first_page_missing() {
    torn(|at| at == 0);
}

/// 20 subsets in the spike; here all of four pages.
#[test]
fn every_subset_of_the_last_batchs_pages_is_judged_right() {
    let aged = aged(SEED, 150);
    let work = add(77, 1, 5, 1, 2900);
    let (before, after, pages) = aged.one_more(&work);
    assert_eq!(pages.len(), 4);
    for subset in 0..1u32 << pages.len() {
        let disk = before.copy();
        for (at, &page) in pages.iter().enumerate().filter(|(at, _)| subset & (1 << at) != 0) {
            assert!(at < 4);
            put_page(&disk, &newest(&aged), page, &page_of(&after, &newest(&aged), page));
        }
        let whole = aged.model().with(&work);
        match subset {
            0 => assert_eq!(verdict(&disk, aged.model()), Verdict::Clean),
            0b1111 => assert_eq!(verdict(&disk, &whole), Verdict::Clean),
            _ => assert_eq!(verdict(&disk, aged.model()), Verdict::Torn, "subset {subset:b}"),
        }
    }
}

#[test]
fn file_cut_mid_record() {
    check(Verdict::Damage, |aged, disk| {
        let used = used_pages(disk, &newest(aged)) as usize;
        disk.damage(&newest(aged), |bytes| bytes.truncate(used * 4096 - 1000));
    });
}

#[test]
fn one_bit_of_the_last_acked_record() {
    check(Verdict::Damage, |aged, disk| {
        let used = used_pages(disk, &newest(aged));
        disk.flip_bit(&newest(aged), bit(used - 1));
    });
}

#[test]
fn one_bit_of_an_old_file() {
    check(Verdict::Damage, |aged, disk| disk.flip_bit(&oldest(aged), bit(7)));
}

#[test]
fn one_bit_of_the_tail_file_with_good_batches_behind() {
    check(Verdict::Damage, |aged, disk| {
        assert!(used_pages(disk, &newest(aged)) > 3);
        disk.flip_bit(&newest(aged), bit(1));
    });
}

#[test]
fn zeroed_page_of_an_old_file() {
    check(Verdict::Damage, |aged, disk| disk.zero_page(&oldest(aged), 7));
}

#[test]
fn zeroed_page_of_the_tail_file() {
    check(Verdict::Damage, |aged, disk| disk.zero_page(&newest(aged), 1));
}

#[test]
fn old_file_cut_short() {
    check(Verdict::Damage, |aged, disk| {
        disk.damage(&oldest(aged), |bytes| bytes.truncate(20_000));
        let error = open(disk).unwrap_err();
        assert!(matches!(error, OpenError::ShortFile(_)), "{error}");
        assert!(error.damage().unwrap().place.page > 0, "what is still there is kept by a repair");
    });
}

#[test]
fn middle_file_deleted() {
    check(Verdict::Damage, |aged, disk| {
        disk.lose_file(&segment(aged.segments.start() + 1));
        assert!(matches!(open(disk), Err(OpenError::MissingFile(_))));
    });
}

#[test]
fn last_file_deleted() {
    check(Verdict::Damage, |aged, disk| disk.lose_file(&newest(aged)));
}

#[test]
fn manifest_deleted() {
    check(Verdict::Damage, |_, disk| disk.lose_file("MANIFEST"));
}

/// Puts pages of an older segment behind the tail, as if the recycled file had never been zeroed. `from` = how many places
/// after the tail's end they begin.
fn recycle(aged: &Aged, disk: &MemoryDisk, from: u64) {
    for page in used_pages(disk, &newest(aged)) + from..16 {
        put_page(disk, &newest(aged), page, &page_of(disk, &oldest(aged), page));
    }
}

#[test]
fn recycled_file_with_old_valid_records_killed() {
    check(Verdict::Clean, |aged, disk| recycle(aged, disk, 0));
}

#[test]
fn recycled_file_with_old_valid_records_torn() {
    let aged = aged(SEED, 150);
    let (before, after, pages) = aged.one_more(&add(77, 1, 4, 1, 2500));
    recycle(&aged, &before, 0);
    put_page(&before, &newest(&aged), pages[1], &page_of(&after, &newest(&aged), pages[1]));
    assert_eq!(verdict(&before, aged.model()), Verdict::Torn);
}

#[test]
fn recycled_file_with_old_valid_records_bit() {
    check(Verdict::Damage, |aged, disk| {
        let used = used_pages(disk, &newest(aged));
        recycle(aged, disk, 0);
        disk.flip_bit(&newest(aged), bit(used - 1));
    });
}

#[test]
fn fsync_fails_once() {
    let aged = aged(SEED, 150);
    let disk = aged.disk.copy();
    let (mut log, _) = open(&disk).unwrap();
    log.append(&add(77, 1, 1, 1, 10)).unwrap();
    disk.plan(Rule { on: Op::Sync, file: "0", skip: 0, fault: Fault::Eio });
    let work = add(77, 2, 2, 1, 10);
    assert!(matches!(log.append(&work), Err(LogError::Io { .. })));
    for _ in 0..5 {
        assert!(matches!(log.append(&work), Err(LogError::Dead { .. })), "dead for good");
        assert!(matches!(log.seal_idle(), Err(LogError::Dead { .. })));
    }
    drop(log);
    let (_, recovered) = open(&disk).unwrap();
    let acked = aged.model().with(&add(77, 1, 1, 1, 10));
    assert!(recovered.replicas == acked.replicas || recovered.replicas == acked.with(&work).replicas);
}

#[test]
fn a_write_fails_once() {
    let aged = aged(SEED, 150);
    let disk = aged.disk.copy();
    let (mut log, _) = open(&disk).unwrap();
    disk.plan(Rule { on: Op::Write, file: "0", skip: 0, fault: Fault::Eio });
    assert!(matches!(log.append(&add(77, 1, 3, 1, 2500)), Err(LogError::Io { .. })));
    assert!(log.is_dead());
    drop(log);
    let (_, recovered) = open(&disk).unwrap();
    assert_eq!(recovered.replicas, aged.model().replicas);
}

#[test]
fn misdirected_pages() {
    // Of the same segment: each page names its place.
    check(Verdict::Damage, |aged, disk| {
        let page = page_of(disk, &newest(aged), 2);
        put_page(disk, &newest(aged), 1, &page);
    });
    // Of an older one, the right place, over an acknowledged page: old, but good batches behind.
    check(Verdict::Damage, |aged, disk| {
        let page = page_of(disk, &oldest(aged), 1);
        put_page(disk, &newest(aged), 1, &page);
    });
    // Of an older one, behind the tail, where it never was.
    check(Verdict::Damage, |aged, disk| {
        let page = page_of(disk, &oldest(aged), 3);
        put_page(disk, &newest(aged), 14, &page);
    });
    // Of a newer one over an older one.
    check(Verdict::Damage, |aged, disk| {
        let page = page_of(disk, &newest(aged), 2);
        put_page(disk, &oldest(aged), 2, &page);
    });
}

#[test]
fn a_read_that_goes_wrong() {
    // From the page behind the one that was asked for: the file seems to end early, and page by page all is there.
    check(Verdict::Clean, |_, disk| {
        disk.plan(Rule { on: Op::Read, file: "0", skip: 1, fault: Fault::Misdirect { pages: 1 } });
    });
    check(Verdict::Clean, |_, disk| disk.plan(Rule { on: Op::Read, file: "0", skip: 1, fault: Fault::Eio }));
    // The same for one page alone, and one page that cannot be read.
    for fault in [Fault::Misdirect { pages: 1 }, Fault::Eio] {
        check(Verdict::Damage, |_, disk| {
            disk.plan(Rule { on: Op::Read, file: "0", skip: 1, fault: Fault::Eio });
            disk.plan(Rule { on: Op::Read, file: "0", skip: 4, fault });
        });
    }
}

#[test]
fn a_lost_last_batch_is_seen_behind_an_idle_mark() {
    for marked in [false, true] {
        let aged = aged(SEED, 150);
        let (_, after, pages) = aged.one_more(&add(77, 1, 1, 1, 10));
        let (mut log, _) = open(&after).unwrap();
        if marked {
            log.seal_idle().unwrap();
            let syncs = log.counters().syncs;
            log.seal_idle().unwrap();
            assert_eq!(log.counters().syncs, syncs, "one mark is enough");
        }
        drop(log);
        after.zero_page(&newest(&aged), pages[0]);
        // Without the mark no format can tell: it looks as if it had never been written.
        assert_eq!(verdict(&after, aged.model()), if marked { Verdict::Damage } else { Verdict::Clean });
    }
}

#[test]
fn a_flipped_bit_is_damage_or_touches_no_entry() {
    let mut damaged = 0;
    for round in 0..6 {
        let aged = aged(100 + round, 150);
        let mut rng = Rng::new(round);
        for flip in 0..150 {
            let disk = aged.disk.copy();
            let number = aged.segments.start() + rng.below(aged.segments.clone().count() as u64);
            let at = rng.below(16 * 4096 * 8);
            disk.flip_bit(&segment(number), at);
            // `verdict` panics if it opens with anything but what was acknowledged.
            let found = std::panic::catch_unwind(|| verdict(&disk, aged.model()));
            let Ok(found) = found else { panic!("round {round}, flip {flip}: bit {at} of segment {number}") };
            assert_ne!(found, Verdict::Torn, "round {round}, flip {flip}: bit {at} of segment {number}");
            damaged += usize::from(found == Verdict::Damage);
        }
    }
    assert!(damaged > 800, "{damaged} of 900");
}

#[test]
fn a_flipped_bit_of_the_manifest_harms_nothing() {
    let aged = aged(SEED, 150);
    let mut rng = Rng::new(1);
    for flip in 0..200 {
        let disk = aged.disk.copy();
        // Either page, most of them where something is written.
        let at = if flip % 2 == 0 { rng.below(2 * 4096 * 8) } else { rng.below(110 * 8) + (flip % 4 / 2) * 4096 * 8 };
        disk.flip_bit("MANIFEST", at);
        assert_eq!(verdict(&disk, aged.model()), Verdict::Clean, "bit {at}");
        assert_eq!(verdict(&disk, aged.model()), Verdict::Clean, "healed");
    }
}

#[test]
fn a_manifest_bad_on_both_pages_is_damage() {
    check(Verdict::Damage, |_, disk| {
        disk.flip_bit("MANIFEST", 500);
        disk.flip_bit("MANIFEST", 4096 * 8 + 500);
    });
    check(Verdict::Damage, |_, disk| disk.damage("MANIFEST", |bytes| bytes.truncate(4096)));
}

/// Falling back to an older manifest must not hide a segment.
#[test]
fn a_manifest_older_than_the_segments_is_damage() {
    let disk = MemoryDisk::new(3);
    let (mut log, _) = open(&disk).unwrap();
    log.append(&add(1, 1, 4, 1, 4000)).unwrap();
    let old = disk.bytes("MANIFEST");
    (2..6).for_each(|step| log.append(&add(1, step * 4 - 3, step * 4, 1, 4000)).unwrap());
    assert!(*log.segments().end() > 1);
    drop(log);
    disk.damage("MANIFEST", |bytes| *bytes = old);
    let error = open(&disk).unwrap_err();
    assert!(matches!(error.damage().unwrap().found, Found::Manifest(_)), "{error}");
}

#[test]
fn a_newer_format_is_refused_by_name() {
    let aged = aged(SEED, 50);
    let disk = aged.disk.copy();
    disk.damage("MANIFEST", |bytes| {
        bytes[4] = 2;
        let sum = crc32fast::hash(&bytes[4..4096]);
        bytes[..4].copy_from_slice(&sum.to_le_bytes());
    });
    let error = open(&disk).unwrap_err();
    assert!(matches!(error, OpenError::NewerFormat { found: 2, known: 1 }), "{error}");
}

/// Changes a byte of a page's payload and sums it up again: checksums hold, the words do not.
fn forge(disk: &MemoryDisk, name: &str, page: u64, byte: usize, change: impl Fn(u8) -> u8) {
    let number = super::super::segment::number(name).unwrap();
    let mut bytes = page_of(disk, name, page);
    let Judged::New(header) = judge(&bytes, 0xfeed, number, page as u32) else { panic!("not a page of this segment") };
    bytes[HEADER + byte] = change(bytes[HEADER + byte]);
    stamp(&mut bytes, &header);
    put_page(disk, name, page, &bytes);
}

#[test]
fn words_that_contradict_each_other_are_damage() {
    // The newest segment's checkpoint: of another commit than its predecessors say (the last byte of the hard state).
    for byte in [2, 3, 4, 5, 6, 7, 8] {
        check(Verdict::Damage, |aged, disk| forge(disk, &newest(aged), 0, byte, |was| was ^ 1));
    }
    // A record of no known kind.
    check(Verdict::Damage, |aged, disk| forge(disk, &newest(aged), 1, 1, |_| 0x55));
    // A newer version of the records, in a manifest of ours.
    let aged = aged(SEED, 150);
    let disk = aged.disk.copy();
    forge(&disk, &newest(&aged), 1, 0, |version| version + 1);
    assert!(matches!(open(&disk), Err(OpenError::NewerFormat { found: 2, known: 1 })));
}

#[test]
fn damage_names_what_is_whole_and_what_lies_behind() {
    let disk = MemoryDisk::new(1);
    let (mut log, _) = open(&disk).unwrap();
    for index in 1..=6 {
        log.append(&add(4, index, index, 1, 100)).unwrap();
    }
    log.append(&add(5, 1, 1, 1, 100)).unwrap();
    drop(log);
    // Page 0 is the checkpoint, so page 4 is the fourth batch.
    disk.flip_bit(&segment(1), bit(4));
    let error = open(&disk).unwrap_err();
    let damage = error.damage().unwrap();
    assert_eq!(damage.place, Place { segment: 1, page: 4 });
    let said = error.to_string();
    for part in
        ["segment 1, page 4", "checksum", "r4 up to @3", "seen behind it: r4 up to @6, r5 up to @1", REPAIR_COMMAND]
    {
        assert!(said.contains(part), "{said}");
    }
}
