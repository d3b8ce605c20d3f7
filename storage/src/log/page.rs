//! One page: the unit a disk writes whole or not at all, and the unit that is judged.

/// Every page has this size on disk, its header included.
pub(super) const PAGE: usize = 4096;
pub(super) const HEADER: usize = 40;
/// Bytes of a unit that fit on one page.
pub(super) const ROOM: usize = PAGE - HEADER;

static ZERO: [u8; PAGE] = [0; PAGE];

/// What a unit (pages written together, whole or void) is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum UnitKind {
    /// What callers appended, or entries moved out of an old segment.
    Batch,
    /// First in every segment: where each replica's log stood when the segment began.
    Checkpoint,
    /// Empty: written when idle, so that the loss of the batch before it shows.
    Idle,
    /// Last in every segment but the newest.
    Seal,
}

/// The words on top of each page. All of them are under the checksum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub kind: UnitKind,
    /// Random, made with the log: pages of another log never count.
    pub log: u64,
    pub segment: u64,
    /// Units are numbered through all segments, without a hole.
    pub unit: u64,
    /// Which page of the segment this is: a misdirected write gives itself away.
    pub place: u32,
    /// This is page `part` of `parts`, from 1.
    pub part: u16,
    pub parts: u16,
    /// Payload bytes on this page.
    pub len: u16,
}

/// What a page on disk is, seen from the place it was read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Judged {
    /// Written for this place in this segment.
    New(Header),
    /// Not yet written in this segment's life: zero, or a whole page of an earlier one in a recycled file.
    Old,
    /// Neither: bytes that nobody wrote here.
    Neither(&'static str),
}

/// Writes header and checksum into a page whose payload is in place.
pub(super) fn stamp(page: &mut [u8], header: &Header) {
    page[4] = match header.kind {
        UnitKind::Batch => 1,
        UnitKind::Checkpoint => 2,
        UnitKind::Idle => 3,
        UnitKind::Seal => 4,
    };
    page[5] = 0;
    page[6..8].copy_from_slice(&header.len.to_le_bytes());
    page[8..16].copy_from_slice(&header.log.to_le_bytes());
    page[16..24].copy_from_slice(&header.segment.to_le_bytes());
    page[24..32].copy_from_slice(&header.unit.to_le_bytes());
    page[32..36].copy_from_slice(&header.place.to_le_bytes());
    page[36..38].copy_from_slice(&header.part.to_le_bytes());
    page[38..40].copy_from_slice(&header.parts.to_le_bytes());
    let sum = crc32fast::hash(&page[4..]);
    page[..4].copy_from_slice(&sum.to_le_bytes());
}

/// Judges the page read from `place` of `segment`.
pub(super) fn judge(page: &[u8], log: u64, segment: u64, place: u32) -> Judged {
    if page == ZERO {
        return Judged::Old;
    }
    if crc32fast::hash(&page[4..]) != u32::from_le_bytes(array(page, 0)) {
        return Judged::Neither("its checksum does not hold");
    }
    let kind = match page[4] {
        1 => UnitKind::Batch,
        2 => UnitKind::Checkpoint,
        3 => UnitKind::Idle,
        4 => UnitKind::Seal,
        _ => return Judged::Neither("it is of an unknown kind"),
    };
    let header = Header {
        kind,
        log: u64::from_le_bytes(array(page, 8)),
        segment: u64::from_le_bytes(array(page, 16)),
        unit: u64::from_le_bytes(array(page, 24)),
        place: u32::from_le_bytes(array(page, 32)),
        part: u16::from_le_bytes(array(page, 36)),
        parts: u16::from_le_bytes(array(page, 38)),
        len: u16::from_le_bytes(array(page, 6)),
    };
    if header.log != log {
        return Judged::Neither("it belongs to another log");
    }
    if header.place != place {
        return Judged::Neither("it was written for another place (a misdirected write or read)");
    }
    if header.segment > segment {
        return Judged::Neither("it belongs to a later segment (a misdirected write or read)");
    }
    if header.segment < segment {
        return Judged::Old;
    }
    if header.part == 0 || header.part > header.parts || header.len as usize > ROOM {
        return Judged::Neither("its header contradicts itself");
    }
    Judged::New(header)
}

/// `N` bytes at `at`, which the caller knows to be there.
pub(super) fn array<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let mut array = [0; N];
    array.copy_from_slice(&bytes[at..at + N]);
    array
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: Header =
        Header { kind: UnitKind::Batch, log: 5, segment: 7, unit: 40, place: 3, part: 1, parts: 2, len: 100 };

    fn page(header: Header) -> Vec<u8> {
        let mut page = vec![9; PAGE];
        stamp(&mut page, &header);
        page
    }

    #[test]
    fn a_page_is_new_old_or_neither() {
        let is = |header: Header| judge(&page(header), 5, 7, 3);
        assert_eq!(is(HEADER), Judged::New(HEADER));
        assert_eq!(judge(&[0; PAGE], 5, 7, 3), Judged::Old);
        assert_eq!(is(Header { segment: 6, ..HEADER }), Judged::Old, "of an earlier life of the file");
        for neither in [
            Header { segment: 8, ..HEADER },
            Header { log: 6, ..HEADER },
            Header { place: 4, ..HEADER },
            Header { place: 4, segment: 6, ..HEADER },
            Header { part: 0, ..HEADER },
            Header { part: 3, ..HEADER },
            Header { len: ROOM as u16 + 1, ..HEADER },
        ] {
            assert!(matches!(is(neither), Judged::Neither(_)), "{neither:?}");
        }
    }

    #[test]
    fn every_single_bit_counts() {
        let whole = page(HEADER);
        for bit in 0..PAGE * 8 {
            let mut flipped = whole.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(matches!(judge(&flipped, 5, 7, 3), Judged::Neither(_)), "bit {bit}");
        }
    }
}
