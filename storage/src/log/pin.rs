//! An idle group's pin: a few old entries that keep a whole segment, and all behind it, from being freed. They are written
//! again at the tail.

use super::batch::Entry;
use super::damage::{Damage, Found};
use super::error::{LogError, OpenError};
use super::ledger::Extent;
use super::manifest::Place;
use super::page::{ROOM, UnitKind};
use super::record::{self, Record};
use super::scan::{Frame, scan};
use super::segment;
use super::writer::Log;
use std::collections::BTreeMap;
use wire::ids::{Index, ReplicaId};

/// Moved in units of at most so many bytes, so that the buffer stays small.
const UNIT: usize = 1 << 20;

impl Log {
    /// Called when a segment has just begun: if there are too many and most of what they hold is dead, empties the oldest and
    /// lets it go, and with it the dead ones behind. At most one segment is moved for each that begins; so the log stays
    /// bounded by what is live, however live the oldest one is.
    pub(super) fn shed_oldest(&mut self) -> Result<(), LogError> {
        let oldest = self.manifest.now.first;
        if self.manifest.now.last - oldest < self.segments_max {
            return Ok(());
        }
        let written: u64 = self.segments.values().map(|segment| segment.entries).sum();
        if self.ledger.live() * 2 > written {
            return Ok(());
        }
        for (replica, run) in self.live_entries(oldest)? {
            if !self.move_entries(replica, &run)? {
                return Ok(());
            }
        }
        self.free_dead_segments()
    }

    /// Writes entries (dense, one replica's) again; false if the segment is too full to go on: the rest waits.
    fn move_entries(&mut self, replica: ReplicaId, entries: &[Entry]) -> Result<bool, LogError> {
        let mut rest = entries;
        while !rest.is_empty() {
            let mut bytes = 0;
            let fits = rest.iter().take_while(|entry| {
                bytes += 32 + entry.data.len() + entry.context.len();
                bytes <= UNIT
            });
            let (now, later) = rest.split_at(fits.count().max(1));
            record::begin(&mut self.buffer);
            record::put_moved(&mut self.buffer, replica, now);
            if self.tail.page as usize + self.buffer.pages() >= self.manifest.now.segment_pages as usize {
                return Ok(false);
            }
            self.write_unit(UnitKind::Batch)?;
            let number = self.manifest.now.last;
            if let Some(log) = self.ledger.replicas.get_mut(&replica)
                && let Err(what) = log.moved(now, number)
            {
                // The entries were chosen by this very ledger.
                unreachable!("{replica}: {what}");
            }
            self.count_entries(now.len() as u64);
            self.counters.entries_moved += now.len() as u64;
            rest = later;
        }
        Ok(true)
    }

    /// The live entries of a segment, read back from disk, in runs without holes.
    fn live_entries(&mut self, number: u64) -> Result<Vec<(ReplicaId, Vec<Entry>)>, LogError> {
        let damage = |page, found| {
            let place = Place { segment: number, page };
            Box::new(Damage { place, found, whole: BTreeMap::new(), behind: BTreeMap::new() })
        };
        let loaded = match segment::load(&*self.disk, number, self.manifest.now.segment_pages) {
            Ok(Some(loaded)) => loaded,
            Ok(None) => return self.damaged(damage(0, Found::Missing)),
            Err(OpenError::Io { doing, source }) => return self.fatal(doing, Err(source)),
            Err(_) => return self.damaged(damage(0, Found::Missing)),
        };
        let frame = Frame { log: self.manifest.now.log, segment: number, newest: false };
        let mut found: BTreeMap<(ReplicaId, Index), Entry> = BTreeMap::new();
        let ledger = &self.ledger;
        let read = scan(&loaded.bytes, frame, self.segments[&number].first_unit, |unit| {
            if unit.kind != UnitKind::Batch {
                return Ok(());
            }
            for record in record::read(unit.payload).unwrap_or_default() {
                let (replica, entries) = match record {
                    Record::Append(append) => (append.replica, append.entries),
                    Record::Moved(replica, entries) => (replica, entries),
                    Record::Replica(..) => continue,
                };
                let Some(log) = ledger.replicas.get(&replica) else { continue };
                let lives = |index: u64| {
                    let here =
                        |extent: &Extent| extent.segment == number && (extent.first..=extent.last).contains(&index);
                    log.extents().iter().any(here)
                };
                // Of an index written twice into one segment the later one is the live one.
                let live = entries.into_iter().filter(|entry| lives(entry.index.0));
                found.extend(live.map(|entry| ((replica, entry.index), entry)));
            }
            Ok(())
        });
        if read.is_err() || found.len() as u64 != self.ledger.live_in(number) {
            return self.damaged(damage(0, Found::Contradiction("live entries cannot be read again".to_owned())));
        }
        let mut runs: Vec<(ReplicaId, Vec<Entry>)> = Vec::new();
        for ((replica, index), entry) in found {
            match runs.last_mut() {
                Some((of, run)) if *of == replica && run.last().is_some_and(|last| last.index.0 + 1 == index.0) => {
                    run.push(entry);
                }
                _ => runs.push((replica, vec![entry])),
            }
        }
        Ok(runs)
    }

    fn damaged<T>(&mut self, damage: Box<Damage>) -> Result<T, LogError> {
        self.dead = Some("read an old segment");
        Err(LogError::Damaged(damage))
    }
}

const _: () = assert!(UNIT > ROOM);
