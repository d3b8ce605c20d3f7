//! Appending: check, encode, write, sync, and only then change what is known.

use super::batch::{LogBatch, ReplicaAppend};
use super::counters::Counters;
use super::error::{LogError, is_full};
use super::ledger::{Ledger, ReplicaLog};
use super::manifest::{ManifestFile, Mark};
use super::page::{PAGE, ROOM, UnitKind};
use super::payload::{Address, PageBuffer};
use super::record;
use super::replay::Segment;
use super::spare::Spares;
use crate::disk::{Disk, File, Lock};
use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use wire::ids::{Index, ReplicaId};

/// The log of a node, open for appending. One owner, one thread; no call returns before its work is durable.
#[derive(Debug)]
pub struct Log {
    pub(super) disk: Arc<dyn Disk>,
    pub(super) _lock: Lock,
    pub(super) manifest: ManifestFile,
    pub(super) ledger: Ledger,
    pub(super) segments: BTreeMap<u64, Segment>,
    pub(super) tail: Tail,
    pub(super) next_unit: u64,
    pub(super) buffer: PageBuffer,
    pub(super) spares: Spares,
    pub(super) segments_max: u64,
    pub(super) counters: Counters,
    pub(super) dead: Option<&'static str>,
}

/// The newest segment, and where the next unit goes.
#[derive(Debug)]
pub(super) struct Tail {
    pub file: Box<dyn File>,
    pub page: u32,
    pub sealed: bool,
    /// The last unit is an idle mark (or a seal): there is nothing behind which one is needed.
    pub idle: bool,
}

impl Log {
    /// Makes one batch durable: one write, one fsync. On an error the caller must not go on, except after
    /// [`LogError::Full`] while the log [is not dead](Log::is_dead), when nothing was written.
    pub fn append(&mut self, batch: &LogBatch) -> Result<(), LogError> {
        self.append_all(std::slice::from_ref(batch))
    }

    /// Makes a whole drained queue durable with one write and one fsync: all of it or nothing, as long as it fits into
    /// [`Log::batch_bytes_max`]; beyond that, in several steps in order, each batch whole in one of them.
    pub fn append_all(&mut self, batches: &[LogBatch]) -> Result<(), LogError> {
        self.alive()?;
        self.prepare_spare()?;
        let max = self.batch_bytes_max();
        let mut rest = batches;
        let mut written = false;
        while !rest.is_empty() {
            let mut bytes = 0;
            let fits = rest.iter().take_while(|batch| {
                bytes += batch.appends.iter().map(record::upper_bound).sum::<usize>();
                bytes <= max
            });
            // One that may be too large goes alone; whether it is, shows when it is encoded.
            let (unit, later) = rest.split_at(fits.count().max(1));
            let done = self.append_unit(unit);
            if written && done.is_err() {
                // Part of the call is durable: no one may take it for "nothing happened".
                self.dead.get_or_insert("finish a call of several steps");
            }
            done?;
            written = true;
            rest = later;
        }
        Ok(())
    }

    fn append_unit(&mut self, batches: &[LogBatch]) -> Result<(), LogError> {
        let appends = || batches.iter().flat_map(|batch| &batch.appends);
        if appends().next().is_none() {
            return Ok(());
        }
        let mut staged = self.ledger.stage(appends(), self.manifest.now.last)?;
        let mut buffer = std::mem::take(&mut self.buffer);
        record::begin(&mut buffer);
        appends().for_each(|append| record::put_append(&mut buffer, append));
        let room = self.make_room(buffer.pages());
        self.buffer = buffer;
        if room? == Room::InNewSegment {
            staged = self.ledger.stage(appends(), self.manifest.now.last)?;
        }
        self.write_unit(UnitKind::Batch)?;
        self.ledger.commit(staged);
        let entries = appends().map(|append| append.entries.len() as u64).sum::<u64>();
        self.count_entries(entries);
        self.counters.entries += entries;
        self.counters.units += 1;
        self.counters.batches += batches.len() as u64;
        if appends().any(frees) {
            self.free_dead_segments()?;
        }
        Ok(())
    }

    /// Marks the end of what is acknowledged with an empty unit, so that a disk losing the last batch whole is found out.
    /// For when the queue is empty; does nothing if there is a mark already.
    pub fn seal_idle(&mut self) -> Result<(), LogError> {
        self.alive()?;
        if self.tail.idle {
            return Ok(());
        }
        if self.make_room(1)? == Room::InNewSegment {
            // Behind the old segment's seal nothing can get lost unseen, and the checkpoint is behind that.
            return Ok(());
        }
        record::begin(&mut self.buffer);
        self.write_unit(UnitKind::Idle)
    }

    /// A batch may take so many bytes (its entries' data and context, and up to 32 bytes for each): what one segment holds
    /// beside its checkpoint and its seal.
    pub fn batch_bytes_max(&self) -> usize {
        // The checkpoint at its largest expected: 64 bytes a replica, and a page.
        let checkpoint = self.ledger.replicas.len() * 64 / ROOM + 1;
        (self.manifest.now.segment_pages as usize).saturating_sub(checkpoint + 1) * ROOM
    }

    pub fn counters(&self) -> Counters {
        Counters { syncs: self.counters.syncs + self.manifest.syncs, ..self.counters }
    }

    /// After a failed write or fsync: every later call is an error, the process must end and open the log again.
    pub fn is_dead(&self) -> bool {
        self.dead.is_some()
    }

    /// Every cut this log has seen, oldest first (the newest 32).
    pub fn marks(&self) -> &[Mark] {
        &self.manifest.now.marks
    }

    /// Up to where a replica's log goes, if it has one.
    pub fn last(&self, replica: ReplicaId) -> Option<Index> {
        self.ledger.replicas.get(&replica).map(ReplicaLog::last)
    }

    /// The first and the last segment there is.
    pub fn segments(&self) -> std::ops::RangeInclusive<u64> {
        self.manifest.now.first..=self.manifest.now.last
    }

    pub(super) fn alive(&self) -> Result<(), LogError> {
        match self.dead {
            Some(doing) => Err(LogError::Dead { doing }),
            None => Ok(()),
        }
    }

    /// For errors after which nobody knows what is on disk.
    pub(super) fn fatal<T>(&mut self, doing: &'static str, result: io::Result<T>) -> Result<T, LogError> {
        result.map_err(|source| {
            self.dead = Some(doing);
            failed(doing, source)
        })
    }

    /// Writes the unit in the buffer behind the tail, durably. There is room: [`Log::make_room`].
    pub(super) fn write_unit(&mut self, kind: UnitKind) -> Result<(), LogError> {
        let address = Address {
            kind,
            log: self.manifest.now.log,
            segment: self.manifest.now.last,
            unit: self.next_unit,
            place: self.tail.page,
        };
        let pages = self.buffer.pages() as u32;
        let bytes = self.buffer.finish(address);
        let at = u64::from(self.tail.page) * PAGE as u64;
        let written = self.tail.file.write_at(bytes, at).and_then(|()| self.tail.file.sync());
        self.fatal("write the log", written)?;
        self.counters.syncs += 1;
        self.counters.bytes += u64::from(pages) * PAGE as u64;
        self.tail.page += pages;
        self.tail.idle = kind != UnitKind::Batch;
        self.next_unit += 1;
        Ok(())
    }

    pub(super) fn count_entries(&mut self, entries: u64) {
        if let Some(segment) = self.segments.get_mut(&self.manifest.now.last) {
            segment.entries += entries;
        }
    }
}

/// Whether the next unit goes where the last one did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Room {
    InSameSegment,
    InNewSegment,
}

/// Whether an append may have left a segment with nothing live.
fn frees(append: &ReplicaAppend) -> bool {
    append.purge.is_some() || append.reset.is_some() || append.destroy
}

fn failed(doing: &'static str, source: io::Error) -> LogError {
    if is_full(&source) { LogError::Full { doing } } else { LogError::Io { doing, source } }
}
