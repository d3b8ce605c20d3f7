//! Opening: whose log is it, is a cut unfinished, what do the segments say, and only then the first write.

use super::batch::{Entry, HardState, Start};
use super::counters::Counters;
use super::create::{ensure, holds_something};
use super::cut;
use super::damage::{Damage, Found};
use super::error::{OpenError, io_error};
use super::manifest::{self, Manifest, ManifestFile, Mark, Place, Why};
use super::options::Options;
use super::page::{PAGE, UnitKind};
use super::payload::PageBuffer;
use super::replay::{self, Replay, replay};
use super::scan::End;
use super::segment;
use super::spare::Spares;
use super::writer::{Log, Tail};
use crate::disk::{Disk, Lock};
use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use wire::ids::ReplicaId;

/// What a log held when it was opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovered {
    pub replicas: BTreeMap<ReplicaId, RecoveredReplica>,
    /// A tail that was never acknowledged was cut just now. Nothing is lost; worth a line in the node's log.
    pub torn: Option<Mark>,
    /// Every cut this log has seen, oldest first (the newest 32). One that is [`Why::Repaired`] may have lost acknowledged
    /// entries and votes.
    pub marks: Vec<Mark>,
    /// The log was made just now.
    pub created: bool,
}

/// One replica's log, all of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecoveredReplica {
    pub start: Start,
    /// From `start.index + 1` on, dense; terms do not fall.
    pub entries: Vec<Entry>,
    pub hard_state: HardState,
}

impl Log {
    /// Opens the log, or makes it if the options say so. After damage nothing is written.
    pub fn open(disk: Arc<dyn Disk>, options: &Options) -> Result<(Log, Recovered), OpenError> {
        let lock = take_lock(&*disk)?;
        let created = ensure(&*disk, options)?;
        let mut manifest = read_manifest(&*disk, options)?;
        cut::finish(&*disk, &mut manifest)?;
        let mut replayed = survey(&*disk, &manifest)?;
        refuse_holes(&replayed, &manifest)?;
        let torn = cut_torn(&*disk, &mut manifest, &mut replayed)?;
        let contents = std::mem::take(&mut replayed.contents);
        let log = Log::start(disk, lock, options, manifest, replayed)?;
        let mut recovered = Recovered { torn, marks: log.marks().to_vec(), created, ..Recovered::default() };
        for (replica, content) in contents {
            let Some(known) = log.ledger.replicas.get(&replica) else { continue };
            let (start, hard_state, entries) = (known.start, known.hard, content.into_entries());
            recovered.replicas.insert(replica, RecoveredReplica { start, entries, hard_state });
        }
        Ok((log, recovered))
    }

    /// From what was read to a log that can be appended to.
    pub(super) fn start(
        disk: Arc<dyn Disk>,
        lock: Lock,
        options: &Options,
        mut manifest: ManifestFile,
        replayed: Replay,
    ) -> Result<Log, OpenError> {
        let Replay { ledger, segments, next_unit, end, tail, .. } = replayed;
        let Some(tail) = tail else { return Err(missing(manifest.now.last).into()) };
        settle(&*disk, &mut manifest, &tail)?;
        let spares = tidy(&*disk, options, &manifest)?;
        let (page, sealed) = match end {
            Some(End::Open { page } | End::Torn { page }) => (page, false),
            Some(End::Sealed) | None => (manifest.now.segment_pages, true),
        };
        let idle = tail.last_unit.is_none_or(|(_, kind, _)| kind != UnitKind::Batch);
        let mut log = Log {
            disk,
            _lock: lock,
            manifest,
            ledger,
            segments,
            tail: Tail { file: tail.file, page, sealed, idle },
            next_unit,
            buffer: PageBuffer::default(),
            spares,
            segments_max: options.segments_max,
            counters: Counters::default(),
            dead: None,
        };
        if page == 0 {
            log.begin_with_checkpoint()?;
        }
        Ok(log)
    }
}

pub(super) fn take_lock(disk: &dyn Disk) -> Result<Lock, OpenError> {
    disk.lock().map_err(|error| match error.kind() {
        io::ErrorKind::WouldBlock => OpenError::Locked,
        _ => io_error("lock the log's folder")(error),
    })
}

/// The manifest of the log these options are about.
pub(super) fn read_manifest(disk: &dyn Disk, options: &Options) -> Result<ManifestFile, OpenError> {
    let file = ManifestFile::open(disk)?.map_err(|bad| {
        let found = Found::Manifest(bad.0);
        OpenError::Damaged(damage(Place { segment: 0, page: 0 }, found))
    })?;
    let Manifest { cluster, node, .. } = file.now;
    if cluster != options.cluster {
        return Err(OpenError::WrongCluster { found: cluster, expected: options.cluster });
    }
    if node != options.node {
        return Err(OpenError::WrongNode { found: node, expected: options.node });
    }
    Ok(file)
}

/// Reads everything, and looks for what the manifest should know and does not.
pub(super) fn survey(disk: &dyn Disk, manifest: &ManifestFile) -> Result<Replay, replay::Trouble> {
    let replayed = replay(disk, &manifest.now)?;
    for name in list(disk)? {
        // Such a file is named before the manifest says so, and written to only after: until then it is all zero.
        if let Some(number) = segment::number(&name).filter(|&number| number > manifest.now.last)
            && holds_something(disk, &manifest.now, number)?
        {
            let found = Found::Manifest(format!("it ends at segment {}, but there are more", manifest.now.last));
            let mut damage = damage(Place { segment: number, page: 0 }, found);
            damage.whole = replayed.ends();
            return Err(replay::Trouble::Damage { damage, unit: replayed.next_unit });
        }
    }
    Ok(replayed)
}

fn refuse_holes(replayed: &Replay, manifest: &ManifestFile) -> Result<(), OpenError> {
    let holed = replayed.with_holes();
    if holed.is_empty() {
        return Ok(());
    }
    let names: Vec<String> = holed.iter().take(12).map(ReplicaId::to_string).collect();
    let what = format!("entries of {} lie in no segment", names.join(", "));
    let mut damage = damage(Place { segment: manifest.now.first, page: 0 }, Found::Contradiction(what));
    damage.whole = replayed.ends().into_iter().filter(|(replica, _)| !holed.contains(replica)).collect();
    Err(OpenError::Damaged(damage))
}

/// Cuts a torn tail away; that it was there is durable before.
fn cut_torn(disk: &dyn Disk, manifest: &mut ManifestFile, replayed: &mut Replay) -> Result<Option<Mark>, OpenError> {
    let Some(End::Torn { page }) = replayed.end else { return Ok(None) };
    let place = Place { segment: manifest.now.last, page };
    let mark = Mark { why: Why::Torn, place, unit: replayed.next_unit };
    cut::cut(disk, manifest, mark)?;
    replayed.end = Some(End::Open { page });
    Ok(Some(mark))
}

/// Whatever was read may be in the kernel's memory alone: written before a kill, or forgotten by a failed fsync, which leaves
/// pages readable and clean that are not on disk. Only the last unit, the manifest and names can be in that state. So they
/// are written again, the same bytes, and synced, before anything is built on them.
fn settle(disk: &dyn Disk, manifest: &mut ManifestFile, tail: &replay::Tail) -> Result<(), OpenError> {
    let failed = || io_error("make what was read durable");
    if let Some((page, _, bytes)) = &tail.last_unit {
        tail.file.write_at(bytes, u64::from(*page) * PAGE as u64).map_err(failed())?;
    }
    tail.file.sync().map_err(failed())?;
    manifest.write().map_err(failed())?;
    disk.sync_dir().map_err(failed())
}

/// Removes what a crash left over, and counts the spares.
fn tidy(disk: &dyn Disk, options: &Options, manifest: &ManifestFile) -> Result<Spares, OpenError> {
    let failed = || io_error("remove left-over files");
    let mut spares = Spares::new(options.spares_max);
    for name in list(disk)? {
        let unnamed = |number| !(manifest.now.first..=manifest.now.last).contains(&number);
        if segment::is_spare(&name) && spares.used.len() < spares.max {
            spares.used.push_back(name);
        } else if segment::is_spare(&name) || segment::number(&name).is_some_and(unnamed) || name == manifest::DRAFT {
            disk.remove(&name).map_err(failed())?;
        }
    }
    Ok(spares)
}

pub(super) fn list(disk: &dyn Disk) -> Result<Vec<String>, OpenError> {
    disk.list().map_err(io_error("list the log's folder"))
}

pub(super) fn damage(place: Place, found: Found) -> Box<Damage> {
    Box::new(Damage { place, found, whole: BTreeMap::new(), behind: BTreeMap::new() })
}

fn missing(segment: u64) -> replay::Trouble {
    replay::Trouble::Damage { damage: damage(Place { segment, page: 0 }, Found::Missing), unit: 0 }
}
