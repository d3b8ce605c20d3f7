//! Segments: the next one begins, dead ones go.

use super::error::LogError;
use super::page::{ROOM, UnitKind};
use super::record;
use super::replay::Segment;
use super::segment;
use super::writer::{Log, Room, Tail};

impl Log {
    /// Sees to it that `pages` can be written behind the tail, and one more for the seal. May begin a new segment: then what
    /// was in [`Log::buffer`] is gone, so callers keep theirs apart.
    pub(super) fn make_room(&mut self, pages: usize) -> Result<Room, LogError> {
        let all = self.manifest.now.segment_pages as usize;
        if !self.tail.sealed && self.tail.page as usize + pages < all {
            return Ok(Room::InSameSegment);
        }
        self.put_checkpoint();
        let checkpoint = self.buffer.pages();
        if checkpoint + pages >= all {
            let max = all.saturating_sub(checkpoint + 1) * ROOM;
            return Err(LogError::TooLarge { bytes: pages * ROOM, max });
        }
        self.begin_segment()?;
        self.shed_oldest()?;
        let same = self.tail.page as usize + pages < all;
        // Moving entries may have filled the new segment; then there is one more, which moves nothing.
        if !same {
            self.begin_segment()?;
        }
        Ok(Room::InNewSegment)
    }

    /// The order matters. First the space, the only thing that may be refused: nothing has been written then, and the call
    /// can be made again. Then the seal, the name, the manifest; only then may a unit be written into the new segment.
    fn begin_segment(&mut self) -> Result<(), LogError> {
        let spare = self.take_spare()?;
        if !self.tail.sealed {
            record::begin(&mut self.buffer);
            self.write_unit(UnitKind::Seal)?;
            self.tail.sealed = true;
        }
        let number = self.manifest.now.last + 1;
        let named = self.disk.rename(&spare.name, &segment::name(number)).and_then(|()| self.disk.sync_dir());
        self.fatal("name a new segment", named)?;
        self.counters.syncs += 1;
        self.manifest.now.last = number;
        let noted = self.manifest.write();
        self.fatal("write down a new segment", noted)?;
        self.tail = Tail { file: spare.file, page: 0, sealed: false, idle: true };
        self.counters.segments_begun += 1;
        self.counters.segments_recycled += u64::from(spare.recycled);
        self.begin_with_checkpoint()
    }

    /// The first unit of every segment: so none depends on the ones before it for more than live entries.
    pub(super) fn begin_with_checkpoint(&mut self) -> Result<(), LogError> {
        self.segments.insert(self.manifest.now.last, Segment { first_unit: self.next_unit, entries: 0 });
        self.put_checkpoint();
        self.write_unit(UnitKind::Checkpoint)
    }

    fn put_checkpoint(&mut self) {
        record::begin(&mut self.buffer);
        for (replica, log) in &self.ledger.replicas {
            record::put_replica(&mut self.buffer, *replica, log);
        }
    }

    /// Lets go of the oldest segments in which nothing is live.
    pub(super) fn free_dead_segments(&mut self) -> Result<(), LogError> {
        let last = self.manifest.now.last;
        let keep = self.ledger.oldest_live().unwrap_or(last).min(last);
        let first = self.manifest.now.first;
        if keep <= first {
            return Ok(());
        }
        // Nobody may miss them before they go.
        self.manifest.now.first = keep;
        self.manifest.now.first_unit = self.segments[&keep].first_unit;
        let noted = self.manifest.write();
        self.fatal("write down that segments are free", noted)?;
        for number in first..keep {
            self.segments.remove(&number);
            self.retire(number)?;
        }
        Ok(())
    }
}
