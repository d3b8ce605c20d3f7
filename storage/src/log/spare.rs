//! The next segment's file, made ready ahead of its use: zeroed and synced, so that an append allocates nothing and whatever
//! lies behind the tail is zero.

use super::error::{LogError, is_full};
use super::page::PAGE;
use super::segment;
use super::writer::Log;
use crate::disk::File;
use std::collections::VecDeque;
use std::io;

/// Zeroed and synced in one go: short enough not to hold up an append for long.
const STEP: u64 = 1 << 20;

/// A file that becomes a segment.
#[derive(Debug)]
pub(super) struct Spare {
    pub name: String,
    pub file: Box<dyn File>,
    pub recycled: bool,
    /// Zero and durable up to here. Kept in memory alone: after a restart every spare is zeroed from its beginning.
    zeroed: u64,
}

/// Files of dead segments, as they were, and at most one being made ready.
#[derive(Debug, Default)]
pub(super) struct Spares {
    pub used: VecDeque<String>,
    pub ready: Option<Spare>,
    pub max: usize,
    /// No room for a spare was found; not tried again before one is needed.
    blocked: bool,
}

impl Spares {
    pub(super) fn new(max: usize) -> Spares {
        Spares { max, ..Spares::default() }
    }
}

impl Log {
    fn segment_len(&self) -> u64 {
        u64::from(self.manifest.now.segment_pages) * PAGE as u64
    }

    /// A step ahead of each append: the spare is ready when the segment is half full.
    pub(super) fn prepare_spare(&mut self) -> Result<(), LogError> {
        let due = (u64::from(self.tail.page) * PAGE as u64 * 2).min(self.segment_len());
        if self.spares.blocked || self.spares.ready.as_ref().is_some_and(|spare| spare.zeroed >= due) {
            return Ok(());
        }
        match self.step() {
            // Not needed yet: the append goes on, and the next segment asks again.
            Err(LogError::Full { .. }) if !self.is_dead() => {
                self.spares.blocked = true;
                Ok(())
            }
            done => done.map(|_| ()),
        }
    }

    /// A file that is ready, whatever it takes.
    pub(super) fn take_spare(&mut self) -> Result<Spare, LogError> {
        self.spares.blocked = false;
        loop {
            if self.step()?
                && let Some(spare) = self.spares.ready.take()
            {
                return Ok(spare);
            }
        }
    }

    /// Zeroes one step more; true once all is zero.
    fn step(&mut self) -> Result<bool, LogError> {
        let doing = "make the next segment";
        let len = self.segment_len();
        if self.spares.ready.is_none() {
            let opened = self.open_spare();
            self.spares.ready = Some(self.allowing_full(doing, opened)?);
        }
        let Some(spare) = &mut self.spares.ready else { return Ok(false) };
        if spare.zeroed < len {
            let to = (spare.zeroed + STEP).min(len);
            let done = spare.file.zero(spare.zeroed, to).and_then(|()| spare.file.sync());
            if done.is_ok() {
                self.counters.zeroed += to - spare.zeroed;
                self.counters.syncs += 1;
                spare.zeroed = to;
            }
            self.allowing_full(doing, done)?;
        }
        Ok(self.spares.ready.as_ref().is_some_and(|spare| spare.zeroed == len))
    }

    fn open_spare(&mut self) -> io::Result<Spare> {
        if let Some(name) = self.spares.used.pop_front() {
            let file = self.disk.open(&name)?;
            // A spare that a crash cut off while it grew, or that is too long, gets the right length by zeroing.
            return Ok(Spare { name, file, recycled: true, zeroed: 0 });
        }
        let name = segment::spare_name(self.manifest.now.last + 1);
        let file = self.disk.create(&name)?;
        Ok(Spare { name, file, recycled: false, zeroed: 0 })
    }

    /// A full disk is no failure as long as nothing of the log itself was being written: the half-made spare goes.
    fn allowing_full<T>(&mut self, doing: &'static str, result: io::Result<T>) -> Result<T, LogError> {
        match result {
            Err(source) if is_full(&source) => {
                if let Some(spare) = self.spares.ready.take() {
                    let removed = self.disk.remove(&spare.name);
                    self.fatal(doing, removed)?;
                }
                Err(LogError::Full { doing })
            }
            other => self.fatal(doing, other),
        }
    }

    /// The file of a segment that is no longer named anywhere: kept for later, or removed.
    pub(super) fn retire(&mut self, number: u64) -> Result<(), LogError> {
        let (name, spare) = (segment::name(number), segment::spare_name(number));
        // A spare made ready for this number, and not taken for it, has the name still: renamed over, it would be counted twice.
        let is_taken = self.spares.used.contains(&spare) || self.spares.ready.as_ref().is_some_and(|r| r.name == spare);
        if self.spares.used.len() < self.spares.max && !is_taken {
            let renamed = self.disk.rename(&name, &spare);
            self.fatal("recycle a segment", renamed)?;
            self.spares.used.push_back(spare);
        } else {
            let removed = self.disk.remove(&name);
            self.fatal("remove a segment", removed)?;
            self.counters.segments_removed += 1;
        }
        Ok(())
    }
}
