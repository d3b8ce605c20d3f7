//! One file in memory: what is durable, and what is only written.

use super::{Fate, Rng};
use std::collections::BTreeMap;
use std::io;

pub(super) const SECTOR: u64 = 512;
pub(super) const PAGE: u64 = 4096;
const SECTORS_A_PAGE: u64 = PAGE / SECTOR;

type Sector = Box<[u8; SECTOR as usize]>;

#[derive(Clone, Debug, Default)]
pub(super) struct Inode {
    durable: Vec<u8>,
    len: u64,
    /// Written since the last sync: every version of each sector, newest last.
    dirty: BTreeMap<u64, Vec<Sector>>,
    /// A failed sync forgot them: readable, never to become durable by themselves.
    forgotten: BTreeMap<u64, Sector>,
}

impl Inode {
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    pub(super) fn read(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        let end = offset + buffer.len() as u64;
        if end > self.len {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof));
        }
        buffer.fill(0);
        let durable = (self.durable.len() as u64).min(end);
        if offset < durable {
            let from = &self.durable[offset as usize..durable as usize];
            buffer[..from.len()].copy_from_slice(from);
        }
        let sectors = offset / SECTOR..end.div_ceil(SECTOR);
        for (&number, sector) in self.forgotten.range(sectors.clone()) {
            overlay(buffer, offset, number, sector);
        }
        for (&number, versions) in self.dirty.range(sectors) {
            if let Some(sector) = versions.last() {
                overlay(buffer, offset, number, sector);
            }
        }
        Ok(())
    }

    pub(super) fn write(&mut self, bytes: &[u8], offset: u64) {
        let end = offset + bytes.len() as u64;
        for number in offset / SECTOR..end.div_ceil(SECTOR) {
            let mut sector = self.sector(number);
            let (from, to) = (offset.max(number * SECTOR), end.min((number + 1) * SECTOR));
            let within = (from - number * SECTOR) as usize..(to - number * SECTOR) as usize;
            sector[within].copy_from_slice(&bytes[(from - offset) as usize..(to - offset) as usize]);
            self.dirty.entry(number).or_default().push(sector);
        }
        self.len = self.len.max(end);
    }

    pub(super) fn set_len(&mut self, len: u64) {
        if len < self.len {
            let kept = len.div_ceil(SECTOR);
            self.dirty.split_off(&kept);
            self.forgotten.split_off(&kept);
            // What lies behind the new end must not come back when the file grows again.
            let (number, used) = (len / SECTOR, (len % SECTOR) as usize);
            for sector in self.dirty.get_mut(&number).into_iter().flatten().chain(self.forgotten.get_mut(&number)) {
                sector[used..].fill(0);
            }
            if (self.durable.len() as u64) > len {
                self.durable.truncate(len as usize);
            }
        }
        self.len = len;
    }

    pub(super) fn sync(&mut self) {
        self.durable.resize(self.len as usize, 0);
        for (number, versions) in std::mem::take(&mut self.dirty) {
            if let Some(sector) = versions.last() {
                self.settle(number, sector);
                self.forgotten.remove(&number);
            }
        }
    }

    /// A sync that failed: each dirty page became durable or was forgotten, by seed.
    pub(super) fn sync_fails(&mut self, rng: &mut Rng) {
        self.durable.resize(self.len as usize, 0);
        let mut lands = BTreeMap::new();
        for (number, mut versions) in std::mem::take(&mut self.dirty) {
            let Some(sector) = versions.pop() else { continue };
            if *lands.entry(number / SECTORS_A_PAGE).or_insert_with(|| rng.chance(5_000)) {
                self.settle(number, &sector);
                self.forgotten.remove(&number);
            } else {
                self.forgotten.insert(number, sector);
            }
        }
    }

    pub(super) fn crash(&mut self, fate: Fate, rng: &mut Rng) {
        match fate {
            Fate::Kept => return,
            Fate::Lost => {}
            Fate::Pages => {
                let pages: Vec<u64> = self.dirty_pages();
                let kept: Vec<u64> = pages.into_iter().filter(|_| rng.chance(5_000)).collect();
                let grown = rng.chance(5_000);
                return self.crash_keeping(grown, |page| kept.binary_search(&page).is_ok());
            }
            Fate::Sectors => {
                let grown = rng.chance(5_000);
                self.keep_length(grown);
                for (number, versions) in std::mem::take(&mut self.dirty) {
                    let pick = rng.below(versions.len() as u64 + 1) as usize;
                    if let Some(sector) = versions.get(pick) {
                        self.settle(number, sector);
                    }
                }
            }
        }
        self.dirty.clear();
        self.forgotten.clear();
        self.len = self.durable.len() as u64;
    }

    /// A crash that keeps exactly the unsynced pages the caller names.
    pub(super) fn crash_keeping(&mut self, grown: bool, keep: impl Fn(u64) -> bool) {
        self.keep_length(grown);
        for (number, versions) in std::mem::take(&mut self.dirty) {
            if let Some(sector) = versions.last().filter(|_| keep(number / SECTORS_A_PAGE)) {
                self.settle(number, sector);
            }
        }
        self.forgotten.clear();
        self.len = self.durable.len() as u64;
    }

    /// The unsynced pages, in order.
    pub(super) fn dirty_pages(&self) -> Vec<u64> {
        let mut pages: Vec<u64> = self.dirty.keys().map(|number| number / SECTORS_A_PAGE).collect();
        pages.dedup();
        pages
    }

    /// Whether the length written lives on, or the durable one; the file system decides that apart from the bytes.
    fn keep_length(&mut self, grown: bool) {
        if grown {
            self.durable.resize(self.len as usize, 0);
        }
    }

    fn sector(&self, number: u64) -> Sector {
        if let Some(sector) = self.dirty.get(&number).and_then(|versions| versions.last()) {
            return sector.clone();
        }
        if let Some(sector) = self.forgotten.get(&number) {
            return sector.clone();
        }
        let mut sector = Box::new([0; SECTOR as usize]);
        let from = (number * SECTOR).min(self.durable.len() as u64) as usize;
        let to = ((number + 1) * SECTOR).min(self.durable.len() as u64) as usize;
        sector[..to - from].copy_from_slice(&self.durable[from..to]);
        sector
    }

    fn settle(&mut self, number: u64, sector: &Sector) {
        let from = (number * SECTOR).min(self.durable.len() as u64) as usize;
        let to = ((number + 1) * SECTOR).min(self.durable.len() as u64) as usize;
        self.durable[from..to].copy_from_slice(&sector[..to - from]);
    }
}

fn overlay(buffer: &mut [u8], offset: u64, number: u64, sector: &Sector) {
    let end = offset + buffer.len() as u64;
    let (from, to) = (offset.max(number * SECTOR), end.min((number + 1) * SECTOR));
    if from < to {
        let within = (from - number * SECTOR) as usize..(to - number * SECTOR) as usize;
        buffer[(from - offset) as usize..(to - offset) as usize].copy_from_slice(&sector[within]);
    }
}
