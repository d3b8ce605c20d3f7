//! Pages being filled: records go straight into the buffer that is written, headers are stamped at the end.

use super::page::{HEADER, Header, PAGE, ROOM, UnitKind, stamp};

/// The pages of one unit. Reused from unit to unit.
#[derive(Debug, Default)]
pub(super) struct PageBuffer {
    bytes: Vec<u8>,
}

/// Where a unit goes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Address {
    pub kind: UnitKind,
    pub log: u64,
    pub segment: u64,
    pub unit: u64,
    /// Its first page.
    pub place: u32,
}

impl PageBuffer {
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
    }

    pub(super) fn put(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let used = self.bytes.len() % PAGE;
            if used == 0 {
                // The header's place; stamped when the number of pages is known.
                self.bytes.extend_from_slice(&[0; HEADER]);
                continue;
            }
            let fits = bytes.len().min(PAGE - used);
            self.bytes.extend_from_slice(&bytes[..fits]);
            bytes = &bytes[fits..];
        }
    }

    /// A unit has at least one page.
    pub(super) fn pages(&self) -> usize {
        self.bytes.len().div_ceil(PAGE).max(1)
    }

    /// The pages, ready to be written at `address`.
    pub(super) fn finish(&mut self, address: Address) -> &[u8] {
        let pages = self.pages();
        let last = (self.bytes.len() - (pages - 1) * PAGE).saturating_sub(HEADER);
        self.bytes.resize(pages * PAGE, 0);
        for (at, page) in self.bytes.chunks_exact_mut(PAGE).enumerate() {
            let header = Header {
                kind: address.kind,
                log: address.log,
                segment: address.segment,
                unit: address.unit,
                place: address.place + at as u32,
                part: at as u16 + 1,
                parts: pages as u16,
                len: if at + 1 == pages { last } else { ROOM } as u16,
            };
            stamp(page, &header);
        }
        &self.bytes
    }

    /// What was put, if it fits on one page.
    #[cfg(test)]
    pub(super) fn written(&self) -> &[u8] {
        &self.bytes[HEADER..]
    }
}
