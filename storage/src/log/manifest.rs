//! `MANIFEST`: which segments there are, whose log this is, and what was ever cut from it.
//!
//! Two pages with the same words. Each change is written and synced to one, then to the other, before anything relies on
//! it: so a crash leaves one whole page, and a page that goes bad at rest is read from its twin.

use super::error::{OpenError, io_error};
use super::page::{PAGE, array};
use crate::disk::{Disk, File};
use std::fmt;
use wire::ids::{ClusterId, NodeId};

pub(super) const NAME: &str = "MANIFEST";
/// A manifest in the making; it has no meaning yet.
pub(super) const DRAFT: &str = "MANIFEST.new";
/// The format of everything in the folder.
pub const FORMAT: u16 = 1;

const MAGIC: [u8; 8] = *b"commlog\0";
const MARKS_KEPT: usize = 32;
const FIXED: usize = 106;
const MARK: usize = 21;

/// A page of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub segment: u64,
    pub page: u32,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "segment {}, page {}", self.segment, self.page)
    }
}

/// Why something was cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The last unit was not whole: it was never acknowledged.
    Torn,
    /// An operator cut at damage: acknowledged entries may be lost.
    Repaired,
}

/// Written before the cut it tells of, and kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    pub why: Why,
    pub place: Place,
    /// The first unit that was cut away.
    pub unit: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Manifest {
    pub generation: u64,
    pub cluster: ClusterId,
    pub node: NodeId,
    pub log: u64,
    pub segment_pages: u32,
    pub first: u64,
    /// Number of the first unit of segment `first`.
    pub first_unit: u64,
    pub last: u64,
    /// A cut that was decided and may not be finished: everything from here on goes, before anything is read.
    pub pending: Option<Place>,
    /// The newest cuts; `cuts` counts all of them.
    pub marks: Vec<Mark>,
    pub cuts: u64,
}

/// What one page of the file says.
enum Slot {
    Says(Box<Manifest>),
    Newer(u16),
    Bad,
}

impl Manifest {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut page = Vec::with_capacity(PAGE);
        page.extend_from_slice(&[0; 4]);
        page.extend_from_slice(&FORMAT.to_le_bytes());
        page.extend_from_slice(&MAGIC);
        page.extend_from_slice(&self.cluster.0);
        for number in [self.generation, self.node.0, self.log, self.first, self.first_unit, self.last, self.cuts] {
            page.extend_from_slice(&number.to_le_bytes());
        }
        page.extend_from_slice(&self.segment_pages.to_le_bytes());
        let pending = self.pending.unwrap_or(Place { segment: 0, page: 0 });
        page.extend_from_slice(&pending.segment.to_le_bytes());
        page.extend_from_slice(&pending.page.to_le_bytes());
        page.extend_from_slice(&(self.marks.len() as u32).to_le_bytes());
        debug_assert_eq!(page.len(), FIXED);
        for mark in &self.marks {
            page.push(match mark.why {
                Why::Torn => 1,
                Why::Repaired => 2,
            });
            page.extend_from_slice(&mark.place.segment.to_le_bytes());
            page.extend_from_slice(&mark.place.page.to_le_bytes());
            page.extend_from_slice(&mark.unit.to_le_bytes());
        }
        page.resize(PAGE, 0);
        let sum = crc32fast::hash(&page[4..]);
        page[..4].copy_from_slice(&sum.to_le_bytes());
        page
    }

    fn decode(page: &[u8]) -> Slot {
        let sum = u32::from_le_bytes(array(page, 0));
        if crc32fast::hash(&page[4..]) != sum || page[6..14] != MAGIC {
            return Slot::Bad;
        }
        let format = u16::from_le_bytes(array(page, 4));
        if format > FORMAT {
            return Slot::Newer(format);
        }
        let number = |at: usize| u64::from_le_bytes(array(page, at));
        let short = |at: usize| u32::from_le_bytes(array(page, at));
        let place = |at: usize| Place { segment: number(at), page: short(at + 8) };
        let count = short(102) as usize;
        if count > MARKS_KEPT {
            return Slot::Bad;
        }
        let mut marks = Vec::with_capacity(count);
        for at in (FIXED..).step_by(MARK).take(count) {
            let why = match page[at] {
                1 => Why::Torn,
                2 => Why::Repaired,
                _ => return Slot::Bad,
            };
            marks.push(Mark { why, place: place(at + 1), unit: number(at + 13) });
        }
        let pending = place(90);
        Slot::Says(Box::new(Manifest {
            cluster: ClusterId(array(page, 14)),
            generation: number(30),
            node: NodeId(number(38)),
            log: number(46),
            first: number(54),
            first_unit: number(62),
            last: number(70),
            cuts: number(78),
            segment_pages: short(86),
            pending: (pending.segment != 0).then_some(pending),
            marks,
        }))
    }

    pub(super) fn mark(&mut self, mark: Mark) {
        if self.marks.len() == MARKS_KEPT {
            self.marks.remove(0);
        }
        self.marks.push(mark);
        self.cuts += 1;
    }
}

/// The file, and what it says now.
#[derive(Debug)]
pub(super) struct ManifestFile {
    file: Box<dyn File>,
    pub now: Manifest,
    /// The page that is the safer one to overwrite first: the bad or the older one.
    weaker: u64,
    /// Changes written, for the counters.
    pub syncs: u64,
}

/// The file does not say anything that can be believed.
pub(super) struct BadManifest(pub String);

impl ManifestFile {
    /// Makes the file, whole under its name or not at all.
    pub(super) fn create(disk: &dyn Disk, manifest: Manifest) -> Result<(), OpenError> {
        if disk.list().map_err(io_error("list the log's folder"))?.iter().any(|name| name == DRAFT) {
            disk.remove(DRAFT).map_err(io_error("remove an unfinished manifest"))?;
        }
        let page = manifest.encode();
        let write = || {
            let file = disk.create(DRAFT)?;
            file.write_at(&page, 0)?;
            file.write_at(&page, PAGE as u64)?;
            file.sync()?;
            disk.rename(DRAFT, NAME)?;
            disk.sync_dir()
        };
        write().map_err(io_error("write the manifest"))
    }

    pub(super) fn open(disk: &dyn Disk) -> Result<Result<ManifestFile, BadManifest>, OpenError> {
        let failed = || io_error("read the manifest");
        let file = disk.open(NAME).map_err(failed())?;
        let len = file.len().map_err(failed())?;
        if len < 2 * PAGE as u64 {
            return Ok(Err(BadManifest(format!("it has {len} bytes instead of {}", 2 * PAGE))));
        }
        let mut pages = vec![0; 2 * PAGE];
        file.read_at(&mut pages, 0).map_err(failed())?;
        let (now, weaker) = match (Manifest::decode(&pages[..PAGE]), Manifest::decode(&pages[PAGE..])) {
            (Slot::Newer(found), _) | (_, Slot::Newer(found)) => {
                return Err(OpenError::NewerFormat { found, known: FORMAT });
            }
            (Slot::Says(a), Slot::Says(b)) if a.generation >= b.generation => (a, 1),
            (Slot::Says(_), Slot::Says(b)) => (b, 0),
            (Slot::Says(a), Slot::Bad) => (a, 1),
            (Slot::Bad, Slot::Says(b)) => (b, 0),
            (Slot::Bad, Slot::Bad) => return Ok(Err(BadManifest("neither of its two pages is whole".to_owned()))),
        };
        Ok(Ok(ManifestFile { file, now: *now, weaker, syncs: 0 }))
    }

    /// Writes what `now` says, durably, to both pages, one after the other.
    pub(super) fn write(&mut self) -> std::io::Result<()> {
        self.now.generation += 1;
        let page = self.now.encode();
        for slot in [self.weaker, 1 - self.weaker] {
            self.file.write_at(&page, slot * PAGE as u64)?;
            self.file.sync()?;
            self.syncs += 1;
        }
        Ok(())
    }
}
