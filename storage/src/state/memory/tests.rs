//! What a simulation may ask of the memory engine: which prefix a crash leaves, and a disk that fails on demand.

use super::*;
use crate::state::Order;
use bytes::Bytes;

fn write(memory: &Memory, n: u64) -> Result<(), Error> {
    let bytes = |n: u64| Bytes::copy_from_slice(&n.to_be_bytes());
    memory.write(Batch { ops: vec![Op::Put { key: bytes(n), value: bytes(n) }] })
}

fn rows(memory: &Memory) -> usize {
    let mut found = 0;
    memory.view(&mut |view| found = view.scan(b""..&[0xff; 9], Order::Ascending, usize::MAX).expect("scanned").len());
    found
}

#[test]
fn a_crash_leaves_any_prefix_from_the_last_flush_on() {
    let memory = Memory::new();
    (0..3).for_each(|n| write(&memory, n).expect("written"));
    memory.flush().expect("flushed");
    (3..6).for_each(|n| write(&memory, n).expect("written"));
    assert_eq!(memory.unflushed(), 3);
    assert_eq!(rows(&memory.crash()), 3);
    assert_eq!((0..5).map(|kept| rows(&memory.crash_keeping(kept))).collect::<Vec<_>>(), [3, 4, 5, 6, 6]);
    assert_eq!((0..8).map(|choice| rows(&memory.crash_by(choice))).collect::<Vec<_>>(), [3, 4, 5, 6, 3, 4, 5, 6]);
    assert_eq!(memory.crash_by(2).unflushed(), 0, "what a restart finds is on disk");
    assert_eq!(rows(&memory), 6, "the crashed engine itself is left as it was");
}

#[test]
fn without_flushes_the_oldest_batches_reach_the_disk_by_themselves() {
    let memory = Memory::new();
    (0..UNFLUSHED_MAX as u64 + 5).for_each(|n| write(&memory, n).expect("written"));
    assert_eq!(memory.unflushed(), UNFLUSHED_MAX);
    assert_eq!(rows(&memory.crash()), 5);
}

#[test]
fn a_failed_write_applies_nothing_and_ends_the_engine() {
    let memory = Memory::new();
    memory.inject(Fault::Write, 1);
    assert_eq!(write(&memory, 0), Ok(()));
    let error = write(&memory, 1).expect_err("injected");
    assert!(error.is_fatal() && !error.is_damage());
    assert_eq!(rows(&memory), 1);
    assert_eq!(write(&memory, 2), Err(error.clone()));
    assert_eq!(memory.flush(), Err(error));
    assert_eq!(rows(&memory.crash()), 0);
}

#[test]
fn a_failed_flush_ends_the_engine() {
    let memory = Memory::new();
    memory.inject(Fault::Flush, 0);
    assert_eq!(write(&memory, 0), Ok(()));
    let error = memory.flush().expect_err("injected");
    assert!(error.is_fatal());
    assert_eq!(memory.flush(), Err(error.clone()), "a flush that failed is never believed later");
    assert_eq!(write(&memory, 1), Err(error));
}

#[test]
fn a_full_disk_is_no_end() {
    let memory = Memory::new();
    write(&memory, 0).expect("written");
    memory.inject(Fault::Full, 0);
    let error = write(&memory, 1).expect_err("injected");
    assert!(!error.is_fatal());
    assert_eq!(memory.flush(), Err(error));
    assert_eq!(rows(&memory), 1);
    memory.free();
    write(&memory, 1).expect("written");
    memory.flush().expect("flushed");
    assert_eq!(rows(&memory.crash()), 2);
}

#[test]
fn a_flipped_bit_stays_flipped_after_a_crash() {
    let memory = Memory::new();
    assert_eq!(memory.flip(7), None);
    (0..3).for_each(|n| write(&memory, n).expect("written"));
    memory.flush().expect("flushed");
    let key = memory.flip(4 + (17 << 32)).expect("there are rows");
    assert_eq!(key, 1u64.to_be_bytes()[..]);
    for memory in [memory.crash(), memory] {
        memory.view(&mut |view| assert!(view.get(&key).expect_err("damaged").is_damage()));
    }
}

#[test]
fn stats_count_rows_and_bytes() {
    let memory = Memory::new();
    (0..3).for_each(|n| write(&memory, n).expect("written"));
    let row = 8 + 8 + 4;
    assert_eq!((memory.stats().rows, memory.stats().live_bytes, memory.stats().unflushed_bytes), (3, 3 * row, 3 * row));
    memory.flush().expect("flushed");
    let bytes = |n: u64| Bytes::copy_from_slice(&n.to_be_bytes());
    memory.write(Batch { ops: vec![Op::DeleteRange { from: bytes(0), to: bytes(2) }] }).expect("written");
    assert_eq!((memory.stats().rows, memory.stats().live_bytes), (1, row));
}
