//! The engine of simulations and tests: a persistent map, with what a crash and a bad disk do to it.
//!
//! Deterministic: no clock, no threads, no random numbers. Where a crash or a flipped bit needs a choice, the caller gives
//! one (any number from its seed).

mod rows;
#[cfg(test)]
mod tests;

use super::checksum::{self, Checked};
use super::{Batch, Engine, Error, Op, Stats, View};
use rows::Rows;
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// With more batches than this unflushed, the oldest reach the disk by themselves, as RocksDB's full memtables do.
const UNFLUSHED_MAX: usize = 4096;

/// A state engine in memory. Views are O(1).
#[derive(Debug, Default)]
pub struct Memory {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    /// What a crash leaves at least.
    flushed: Rows,
    /// What each batch since made of it: a crash may leave any of these instead.
    since: VecDeque<Rows>,
    faults: Vec<(u64, Fault)>,
    full: bool,
    /// The failure after which nothing is believed any more.
    dead: Option<Error>,
}

/// What the disk is told to do. Counted from the call of [`Memory::inject`] on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The write fails, nothing of it is applied, and the engine is dead from then on.
    Write,
    /// The flush fails, and the engine is dead from then on; what is on disk stays a prefix.
    Flush,
    /// From that write or flush on all of them find the disk full, until [`Memory::free`].
    Full,
}

impl Memory {
    pub fn new() -> Memory {
        Memory::default()
    }

    /// The engine as a restart finds it if the crash comes now and takes all it may: only what was flushed is there.
    pub fn crash(&self) -> Memory {
        self.crash_keeping(0)
    }

    /// The same after a kinder crash, which kept the first `batches` unflushed batches as well.
    pub fn crash_keeping(&self, batches: usize) -> Memory {
        let inner = self.inner();
        let rows = match batches.min(inner.since.len()) {
            0 => &inner.flushed,
            kept => &inner.since[kept - 1],
        };
        Memory { inner: Mutex::new(Inner { flushed: rows.clone(), ..Inner::default() }) }
    }

    /// A crash that keeps what `choice`, any number from a seed, says: all prefixes are equally likely.
    pub fn crash_by(&self, choice: u64) -> Memory {
        let prefixes = self.unflushed() as u64 + 1;
        self.crash_keeping((choice % prefixes) as usize)
    }

    /// How many batches a crash may take.
    pub fn unflushed(&self) -> usize {
        self.inner().since.len()
    }

    /// Lets `after` more writes or flushes (whichever the fault is about) pass, then strikes.
    pub fn inject(&self, fault: Fault, after: u64) {
        self.inner().faults.push((after, fault));
    }

    /// Makes room on a full disk.
    pub fn free(&self) {
        self.inner().full = false;
    }

    /// Flips a bit of a stored row, on disk and in memory: row and bit are taken from `choice`, any number from a seed.
    /// Returns the row's key; `None` if there is no row.
    pub fn flip(&self, choice: u64) -> Option<bytes::Bytes> {
        let mut inner = self.inner();
        let key = inner.now().nth_key(choice & 0xffff_ffff)?;
        inner.flip(&key, choice >> 32);
        Some(key)
    }

    /// Flips a bit of the row under `key`; false if there is none.
    pub fn flip_row(&self, key: &[u8], bit: u64) -> bool {
        self.inner().flip(key, bit)
    }

    /// From now on `key` reads what is stored under `other`; false unless both are there.
    pub fn misdirect(&self, key: &[u8], other: &[u8]) -> bool {
        let mut inner = self.inner();
        let Some(wrong) = inner.now().get(other) else { return false };
        inner.damage(key, &|_| wrong.clone())
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        // Every change is made on a copy and put in place whole, so a panic elsewhere leaves nothing half done.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Engine for Memory {
    fn write(&self, batch: Batch) -> Result<(), Error> {
        let mut inner = self.inner();
        inner.ready(Fault::Write)?;
        let mut rows = inner.now().clone();
        for op in batch.ops {
            match op {
                Op::Put { key, value } => rows.put(key.clone(), checksum::seal(&key, &value)),
                Op::Delete { key } => rows.delete(&key),
                Op::DeleteRange { from, to } => rows.delete_range(&from, &to),
            }
        }
        inner.since.push_back(rows);
        if inner.since.len() > UNFLUSHED_MAX
            && let Some(oldest) = inner.since.pop_front()
        {
            inner.flushed = oldest;
        }
        Ok(())
    }

    fn view(&self, read: &mut dyn FnMut(&dyn View)) {
        let rows = self.inner().now().clone();
        read(&Checked(rows));
    }

    fn flush(&self) -> Result<(), Error> {
        let mut inner = self.inner();
        inner.ready(Fault::Flush)?;
        if let Some(rows) = inner.since.pop_back() {
            inner.flushed = rows;
            inner.since.clear();
        }
        Ok(())
    }

    fn stats(&self) -> Stats {
        let inner = self.inner();
        let (rows, live_bytes) = inner.now().size();
        let unflushed_bytes = live_bytes.saturating_sub(inner.flushed.size().1);
        Stats { rows, live_bytes, unflushed_bytes, ..Stats::default() }
    }
}

impl Inner {
    fn now(&self) -> &Rows {
        self.since.back().unwrap_or(&self.flushed)
    }

    /// Whether the disk takes one more operation of this kind.
    fn ready(&mut self, kind: Fault) -> Result<(), Error> {
        if let Some(error) = &self.dead {
            return Err(error.clone());
        }
        let mut struck = false;
        self.faults.retain_mut(|(after, fault)| {
            let concerned = *fault == kind || *fault == Fault::Full;
            match (concerned, *after) {
                (false, _) => true,
                (true, 0) if *fault == Fault::Full => {
                    self.full = true;
                    false
                }
                (true, 0) => {
                    struck = true;
                    false
                }
                (true, _) => {
                    *after -= 1;
                    true
                }
            }
        });
        if struck {
            let error = Error::Io(format!("injected: the {kind:?} failed"));
            self.dead = Some(error.clone());
            return Err(error);
        }
        if self.full { Err(Error::Full("injected".into())) } else { Ok(()) }
    }

    fn flip(&mut self, key: &[u8], bit: u64) -> bool {
        self.damage(key, &|stored| {
            let mut broken = stored.to_vec();
            let bit = bit % (broken.len() as u64 * 8);
            broken[(bit / 8) as usize] ^= 1 << (bit % 8);
            broken.into()
        })
    }

    /// Changes what is stored under `key` in every moment that a crash may leave.
    fn damage(&mut self, key: &[u8], change: &dyn Fn(&bytes::Bytes) -> bytes::Bytes) -> bool {
        let mut found = false;
        for rows in self.since.iter_mut().chain([&mut self.flushed]) {
            if let Some(stored) = rows.get(key) {
                rows.put(bytes::Bytes::copy_from_slice(key), change(&stored));
                found = true;
            }
        }
        found
    }
}
