//! All segments, oldest first, unit by unit: what the log holds.

use super::batch::ReplicaAppend;
use super::content::Content;
use super::damage::{Damage, Found};
use super::error::OpenError;
use super::ledger::{Ledger, ReplicaLog};
use super::manifest::{FORMAT, Manifest, Place};
use super::page::{PAGE, UnitKind};
use super::record::{self, Record, Unreadable};
use super::scan::{End, Frame, Stop, Unit, glean, scan};
use super::segment::{self, Loaded};
use crate::disk::{Disk, File};
use std::collections::BTreeMap;
use wire::ids::{Index, ReplicaId};

/// A segment in use.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Segment {
    pub first_unit: u64,
    /// Entries written into it, dead ones too.
    pub entries: u64,
}

/// What the segments say.
#[derive(Debug, Default)]
pub(super) struct Replay {
    pub ledger: Ledger,
    pub contents: BTreeMap<ReplicaId, Content>,
    pub segments: BTreeMap<u64, Segment>,
    pub next_unit: u64,
    pub end: Option<End>,
    pub tail: Option<Tail>,
}

/// The newest segment.
#[derive(Debug)]
pub(super) struct Tail {
    pub file: Box<dyn File>,
    /// Its last whole unit, as read: where it begins, and its bytes.
    pub last_unit: Option<(u32, UnitKind, Vec<u8>)>,
}

/// Why there is no replay.
pub(super) enum Trouble {
    Damage { damage: Box<Damage>, unit: u64 },
    Open(OpenError),
}

impl From<OpenError> for Trouble {
    fn from(error: OpenError) -> Self {
        Trouble::Open(error)
    }
}

impl From<Trouble> for OpenError {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Open(error) => error,
            Trouble::Damage { damage, .. } => match damage.found {
                Found::Missing => OpenError::MissingFile(damage),
                Found::Short { .. } => OpenError::ShortFile(damage),
                _ => OpenError::Damaged(damage),
            },
        }
    }
}

/// Reads every segment the manifest names. Writes nothing.
pub(super) fn replay(disk: &dyn Disk, manifest: &Manifest) -> Result<Replay, Trouble> {
    let mut replay = Replay { next_unit: manifest.first_unit, ..Replay::default() };
    for number in manifest.first..=manifest.last {
        let mut frame = Frame { log: manifest.log, segment: number, newest: number == manifest.last };
        let stop = match segment::load(disk, number, manifest.segment_pages)? {
            Some(Loaded { file, bytes, short }) => {
                // A file cut short is whole only if its seal is still there.
                frame.newest &= short.is_none();
                match (replay.segment(frame, &bytes, number == manifest.first), short) {
                    (Ok((end, last)), _) => {
                        if number == manifest.last {
                            replay.end = Some(end);
                            replay.tail = Some(Tail::new(file, &bytes, last));
                        }
                        continue;
                    }
                    (Err(Stop::Damage { page, unit, .. }), Some(found)) => Stop::Damage { page, unit, found },
                    (Err(stop), _) => stop,
                }
            }
            None => Stop::Damage { page: 0, unit: replay.next_unit, found: Found::Missing },
        };
        return Err(match stop {
            Stop::Newer(version) => OpenError::NewerFormat { found: version.into(), known: FORMAT }.into(),
            Stop::Damage { page, unit, found } => {
                let place = Place { segment: number, page };
                let behind = behind(disk, manifest, place);
                Trouble::Damage { damage: Box::new(Damage { place, found, whole: replay.ends(), behind }), unit }
            }
        });
    }
    Ok(replay)
}

/// How far entries can be read from `place` on.
fn behind(disk: &dyn Disk, manifest: &Manifest, place: Place) -> BTreeMap<ReplicaId, Index> {
    let mut seen = BTreeMap::new();
    for number in place.segment..=manifest.last {
        let frame = Frame { log: manifest.log, segment: number, newest: false };
        let from = if number == place.segment { place.page } else { 0 };
        if let Ok(Some(loaded)) = segment::load(disk, number, manifest.segment_pages) {
            glean(&loaded.bytes, frame, from, |payload| {
                for record in record::read(payload).unwrap_or_default() {
                    if let Record::Append(ReplicaAppend { replica, entries, .. }) | Record::Moved(replica, entries) =
                        record
                        && let Some(last) = entries.last()
                    {
                        let end: &mut Index = seen.entry(replica).or_default();
                        *end = (*end).max(last.index);
                    }
                }
            });
        }
    }
    seen
}

/// Where a unit lies, how many pages it has, what it is.
type Last = Option<(u32, u32, UnitKind)>;

impl Tail {
    fn new(file: Box<dyn File>, bytes: &[u8], last: Last) -> Tail {
        let last_unit = last.map(|(page, pages, kind)| {
            let at = page as usize * PAGE;
            (page, kind, bytes[at..at + pages as usize * PAGE].to_vec())
        });
        Tail { file, last_unit }
    }
}

impl Replay {
    /// Up to where each replica's log goes.
    pub(super) fn ends(&self) -> BTreeMap<ReplicaId, Index> {
        self.ledger.replicas.iter().map(|(replica, log)| (*replica, log.last())).collect()
    }

    /// Replicas that lack an entry: it lay in a segment that is gone, and nothing moved, purged or cut it.
    pub(super) fn with_holes(&self) -> Vec<ReplicaId> {
        let holed = self.contents.iter().filter(|(_, content)| content.has_holes());
        holed.map(|(replica, _)| *replica).collect()
    }

    fn segment(&mut self, frame: Frame, bytes: &[u8], oldest: bool) -> Result<(End, Last), Stop> {
        let mut last = None;
        self.segments.insert(frame.segment, Segment { first_unit: self.next_unit, entries: 0 });
        let first_unit = self.next_unit;
        let (end, next) = scan(bytes, frame, first_unit, |unit| {
            self.unit(frame.segment, unit, oldest).map_err(|refused| match refused {
                Refused::Newer(version) => Stop::Newer(version),
                Refused::Because(what) => {
                    Stop::Damage { page: unit.page, unit: unit.number, found: Found::Contradiction(what) }
                }
            })?;
            // Whatever stops the reading later, all before it is whole.
            self.next_unit = unit.number + 1;
            last = Some((unit.page, unit.pages, unit.kind));
            Ok(())
        })?;
        self.next_unit = next;
        Ok((end, last))
    }

    fn unit(&mut self, segment: u64, unit: &Unit, oldest: bool) -> Result<(), Refused> {
        if (unit.page == 0) != (unit.kind == UnitKind::Checkpoint) {
            return Err("a checkpoint is first in its segment, and nothing else is".to_owned().into());
        }
        match unit.kind {
            UnitKind::Seal | UnitKind::Idle => Ok(()),
            UnitKind::Checkpoint => self.checkpoint(unit.payload, oldest),
            UnitKind::Batch => {
                let records = record::read(unit.payload)?;
                records.into_iter().try_for_each(|record| self.record(record, segment).map_err(Refused::Because))
            }
        }
    }

    /// In the oldest segment a checkpoint says where to begin; in the others it must say what the replay came to.
    fn checkpoint(&mut self, payload: &[u8], oldest: bool) -> Result<(), Refused> {
        let mut told = BTreeMap::new();
        for record in record::read(payload)? {
            let Record::Replica(replica, log) = record else {
                return Err("a checkpoint holds something else".to_owned().into());
            };
            told.insert(replica, log);
        }
        if oldest {
            for (replica, log) in &told {
                self.contents.insert(*replica, Content::gone(log.start.index.0 + 1, log.last().0));
            }
            self.ledger.replicas = told;
            return Ok(());
        }
        let known = &self.ledger.replicas;
        let same =
            |(replica, log): (&ReplicaId, &ReplicaLog)| known.get(replica).is_some_and(|known| known.agrees(log));
        if told.len() != known.len() || !told.iter().all(same) {
            return Err("a checkpoint does not agree with the segments before it".to_owned().into());
        }
        Ok(())
    }

    fn record(&mut self, record: Record, segment: u64) -> Result<(), String> {
        match record {
            Record::Replica(..) => Err("part of a checkpoint in a batch".to_owned()),
            Record::Append(append) => {
                let staged = self.ledger.stage([&append].into_iter(), segment).map_err(|broken| broken.to_string())?;
                self.ledger.commit(staged);
                self.written(segment, append.entries.len());
                if append.destroy {
                    self.contents.remove(&append.replica);
                } else {
                    self.contents.entry(append.replica).or_default().apply(append);
                }
                Ok(())
            }
            Record::Moved(replica, entries) => {
                let unknown = || format!("entries of {replica} moved, but there is no such replica");
                let log = self.ledger.replicas.get_mut(&replica).ok_or_else(unknown)?;
                log.moved(&entries, segment)?;
                self.written(segment, entries.len());
                self.contents.entry(replica).or_default().fill(entries);
                Ok(())
            }
        }
    }

    fn written(&mut self, segment: u64, entries: usize) {
        if let Some(segment) = self.segments.get_mut(&segment) {
            segment.entries += entries as u64;
        }
    }
}

enum Refused {
    Newer(u8),
    Because(String),
}

impl From<String> for Refused {
    fn from(what: String) -> Self {
        Refused::Because(what)
    }
}

impl From<Unreadable> for Refused {
    fn from(unreadable: Unreadable) -> Self {
        match unreadable {
            Unreadable::Newer(version) => Refused::Newer(version),
            Unreadable::Malformed(malformed) => Refused::Because(malformed.to_string()),
        }
    }
}
