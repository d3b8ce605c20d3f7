//! What every state engine must do: one set of functions, run over each of them.

mod durable;
mod ordered;
mod random;

use super::*;
use crate::state::memory::Memory;

/// An engine that can be stopped, crashed and damaged from outside.
pub trait Rig {
    fn engine(&self) -> &dyn Engine;
    /// A clean stop and start.
    fn reopen(&mut self);
    /// A crash that takes everything it may, and a start.
    fn crash(&mut self);
    /// Flips one bit of what is stored under `key`.
    fn flip(&mut self, key: &[u8], bit: u64);
    /// From now on `key` reads what is stored under `other`.
    fn misdirect(&mut self, key: &[u8], other: &[u8]);
}

struct InMemory(Memory);

impl Rig for InMemory {
    fn engine(&self) -> &dyn Engine {
        &self.0
    }
    fn reopen(&mut self) {
        self.0 = self.0.crash_keeping(usize::MAX);
    }
    fn crash(&mut self) {
        self.0 = self.0.crash();
    }
    fn flip(&mut self, key: &[u8], bit: u64) {
        assert!(self.0.flip_row(key, bit));
    }
    fn misdirect(&mut self, key: &[u8], other: &[u8]) {
        assert!(self.0.misdirect(key, other));
    }
}

/// The suite as tests of one engine; `$rig` makes a fresh one.
macro_rules! suite {
    ($name:ident, $rig:expr, $($area:ident: $($test:ident)*;)*) => {
        mod $name {
            $($(#[test] fn $test() { super::$area::$test(&mut $rig) })*)*
        }
    };
}
macro_rules! suites {
    ($($tests:tt)*) => {
        suite!(memory, super::InMemory(super::Memory::new()), $($tests)*);
        #[cfg(feature = "rocksdb")]
        suite!(rocks, super::super::rocks::rig::OnDisk::new(), $($tests)*);
    };
}
suites! {
    ordered: an_empty_engine_holds_nothing reads_find_what_was_written scans_go_both_ways_within_bounds_and_limits
        visits_stop_when_told empty_and_inverted_ranges_hold_nothing a_batch_applies_in_order
        a_range_delete_spares_what_comes_after_it views_do_not_move_while_others_write;
    durable: a_flush_survives_a_crash a_crash_takes_only_what_was_not_flushed a_clean_stop_keeps_everything
        a_crash_forgets_range_deletes_whole a_flipped_bit_is_found_and_named a_misdirected_read_is_found
        a_damaged_row_harms_no_other;
    random: random_batches_agree_with_a_map;
}

pub fn bytes(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}

pub fn put(key: &str, value: &str) -> Op {
    Op::Put { key: bytes(key), value: bytes(value) }
}

pub fn delete(key: &str) -> Op {
    Op::Delete { key: bytes(key) }
}

pub fn delete_range(from: &str, to: &str) -> Op {
    Op::DeleteRange { from: bytes(from), to: bytes(to) }
}

pub fn write(rig: &mut impl Rig, ops: impl IntoIterator<Item = Op>) {
    rig.engine().write(Batch { ops: ops.into_iter().collect() }).expect("written");
}

pub fn get(rig: &impl Rig, key: &str) -> Result<Option<String>, Error> {
    let mut answer = Ok(None);
    rig.engine().view(&mut |view| answer = view.get(key.as_bytes()));
    Ok(answer?.map(|value| String::from_utf8_lossy(&value).into_owned()))
}

/// Keys and values of `range` as one readable line.
pub fn line(view: &dyn View, range: Range<&str>, order: Order, limit: usize) -> String {
    let rows = view.scan(range.start.as_bytes()..range.end.as_bytes(), order, limit).expect("scanned");
    let pair =
        |(key, value): &(Bytes, Bytes)| format!("{}={}", String::from_utf8_lossy(key), String::from_utf8_lossy(value));
    rows.iter().map(pair).collect::<Vec<_>>().join(" ")
}

pub fn all(rig: &impl Rig) -> String {
    let mut found = String::new();
    rig.engine().view(&mut |view| found = line(view, "".."~", Order::Ascending, usize::MAX));
    found
}
