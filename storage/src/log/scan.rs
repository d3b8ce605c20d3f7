//! One segment, page by page: whole units, then how it ends. Here torn is told from damaged.

use super::damage::Found;
use super::page::{HEADER, Header, Judged, PAGE, UnitKind, judge};

/// What is known of a segment before it is read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    pub log: u64,
    pub segment: u64,
    /// Only the newest segment may end without a seal, or torn.
    pub newest: bool,
}

/// A whole unit.
#[derive(Debug)]
pub(super) struct Unit<'a> {
    pub kind: UnitKind,
    pub number: u64,
    pub page: u32,
    pub pages: u32,
    pub payload: &'a [u8],
}

/// How a segment ends, if nothing is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Sealed,
    /// The next unit goes to this page.
    Open {
        page: u32,
    },
    /// From this page on lie parts of a unit that was never acknowledged.
    Torn {
        page: u32,
    },
}

/// Why the reading stopped.
#[derive(Debug)]
pub(super) enum Stop {
    Damage { page: u32, unit: u64, found: Found },
    Newer(u8),
}

/// Reads the units of a segment, `unit` being the number of its first, and tells how it ends and which unit comes next.
pub(super) fn scan(
    bytes: &[u8],
    frame: Frame,
    mut unit: u64,
    mut each: impl FnMut(&Unit) -> Result<(), Stop>,
) -> Result<(End, u64), Stop> {
    let pages = (bytes.len() / PAGE) as u32;
    let mut payload = Vec::new();
    let mut page = 0;
    while let Some(head) = whole(bytes, frame, page, unit) {
        gather(bytes, page, &head, &mut payload);
        let parts = u32::from(head.parts);
        each(&Unit { kind: head.kind, number: unit, page, pages: parts, payload: &payload })?;
        unit += 1;
        page += parts;
        if head.kind == UnitKind::Seal {
            // Nothing behind a seal is ever read: what lies there is of no unit.
            return Ok((End::Sealed, unit));
        }
    }
    let damage = |page, found| Err(Stop::Damage { page, unit, found });
    if !frame.newest {
        return match judged(bytes, frame, page.min(pages.saturating_sub(1))) {
            Judged::Neither(why) => damage(page, Found::Page(why)),
            _ => damage(page, Found::NoSeal),
        };
    }
    // The first unit that is not whole. Only it may be unsynced: the next is written after it was synced. So whatever is new
    // from here on must be a part of it, in its place; anything else proves that it was acknowledged, or is no page of ours.
    if page == pages {
        // The writer keeps a page for the seal, always.
        return damage(page, Found::NoSeal);
    }
    let mut parts_seen = None;
    let mut seen = 0;
    for at in page..pages {
        match judged(bytes, frame, at) {
            Judged::Old => {}
            Judged::Neither(why) => return damage(at, Found::Page(why)),
            Judged::New(header) if header.unit > unit => return damage(page, Found::Hole),
            Judged::New(header) => {
                let due = header.unit == unit && u32::from(header.part) == at - page + 1;
                if !due || *parts_seen.get_or_insert(header.parts) != header.parts {
                    return damage(at, Found::Order("it is of a unit that has no place here"));
                }
                seen += 1;
            }
        }
    }
    match parts_seen {
        None => Ok((End::Open { page }, unit)),
        Some(parts) if seen == parts || u32::from(parts) >= pages - page => {
            damage(page, Found::Order("the unit's pages do not fit together"))
        }
        Some(_) => Ok((End::Torn { page }, unit)),
    }
}

/// Whole units that can still be read from `page` on, whatever else lies there. For telling what a cut would lose.
pub(super) fn glean(bytes: &[u8], frame: Frame, mut page: u32, mut each: impl FnMut(&[u8])) {
    let pages = (bytes.len() / PAGE) as u32;
    let mut payload = Vec::new();
    while page < pages {
        let number = match judged(bytes, frame, page) {
            Judged::New(header) => header.unit,
            _ => 0,
        };
        match whole(bytes, frame, page, number) {
            Some(head) => {
                gather(bytes, page, &head, &mut payload);
                each(&payload);
                page += u32::from(head.parts);
            }
            None => page += 1,
        }
    }
}

/// The header of the unit that begins on `page`, if all of it is there.
fn whole(bytes: &[u8], frame: Frame, page: u32, unit: u64) -> Option<Header> {
    let pages = (bytes.len() / PAGE) as u32;
    if page >= pages {
        return None;
    }
    let Judged::New(head) = judged(bytes, frame, page) else { return None };
    if head.unit != unit || head.part != 1 || u32::from(head.parts) > pages - page {
        return None;
    }
    for part in 2..=head.parts {
        let at = page + u32::from(part) - 1;
        match judged(bytes, frame, at) {
            Judged::New(next)
                if (next.unit, next.part, next.parts, next.kind) == (unit, part, head.parts, head.kind) => {}
            _ => return None,
        }
    }
    Some(head)
}

fn gather(bytes: &[u8], page: u32, head: &Header, payload: &mut Vec<u8>) {
    payload.clear();
    let first = page as usize * PAGE;
    for page in bytes[first..].chunks_exact(PAGE).take(usize::from(head.parts)) {
        let len = u16::from_le_bytes([page[6], page[7]]);
        payload.extend_from_slice(&page[HEADER..HEADER + usize::from(len)]);
    }
}

fn judged(bytes: &[u8], frame: Frame, page: u32) -> Judged {
    let at = page as usize * PAGE;
    judge(&bytes[at..at + PAGE], frame.log, frame.segment, page)
}

#[cfg(test)]
mod tests {
    use super::super::page::stamp;
    use super::*;

    const FRAME: Frame = Frame { log: 5, segment: 7, newest: true };

    /// A page of `(unit, part, parts)` at its place; `None` = never written.
    type Written = Option<(u64, u16, u16)>;

    fn segment(pages: &[Written]) -> Vec<u8> {
        let mut bytes = vec![0; 12 * PAGE];
        for ((page, at), written) in bytes.chunks_exact_mut(PAGE).zip(0..).zip(pages) {
            if let Some((unit, part, parts)) = *written {
                let header = Header { kind: UnitKind::Batch, log: 5, segment: 7, unit, place: at, part, parts, len: 9 };
                stamp(page, &header);
            }
        }
        bytes
    }

    fn end(pages: &[Written]) -> Result<End, Found> {
        match scan(&segment(pages), FRAME, 30, |_| Ok(())) {
            Ok((end, _)) => Ok(end),
            Err(Stop::Damage { found, .. }) => Err(found),
            Err(Stop::Newer(_)) => Err(Found::Missing),
        }
    }

    const A: Written = Some((30, 1, 1));

    #[test]
    fn torn_is_only_what_one_unfinished_unit_explains() {
        assert_eq!(end(&[]), Ok(End::Open { page: 0 }));
        assert_eq!(end(&[A]), Ok(End::Open { page: 1 }));
        assert_eq!(end(&[A, Some((31, 1, 2)), Some((31, 2, 2))]), Ok(End::Open { page: 3 }));
        assert_eq!(end(&[A, Some((31, 1, 3)), None, Some((31, 3, 3))]), Ok(End::Torn { page: 1 }));
        assert_eq!(end(&[A, None, None, Some((31, 3, 3))]), Ok(End::Torn { page: 1 }));
    }

    #[test]
    fn all_else_is_damage() {
        let order = |pages: &[Written]| matches!(end(pages), Err(Found::Order(_)));
        assert!(order(&[A, Some((30, 1, 2))]), "of a unit that was before");
        assert!(order(&[A, None, Some((30, 1, 1))]), "the same, behind a hole");
        assert!(order(&[A, Some((31, 2, 3))]), "a part in another part's place");
        assert!(order(&[A, None, Some((31, 3, 3))]), "the same, behind a page never written");
        assert!(order(&[A, Some((31, 1, 3)), None, Some((31, 3, 4))]), "parts of units of two sizes");
        assert!(order(&[A, Some((31, 1, 30))]), "more parts than pages");
        assert!(order(&[A, Some((31, 1, 11))]), "no page left for the seal");
        assert_eq!(end(&[A, None, Some((32, 1, 1))]), Err(Found::Hole));
        assert_eq!(end(&[A, Some((31, 1, 2)), Some((32, 1, 1))]), Err(Found::Hole));
    }

    #[test]
    fn a_segment_that_is_not_the_newest_ends_in_a_seal() {
        let older = Frame { newest: false, ..FRAME };
        for pages in [&[A][..], &[A, Some((31, 1, 2))]] {
            let stop = scan(&segment(pages), older, 30, |_| Ok(())).unwrap_err();
            assert!(matches!(stop, Stop::Damage { page: 1, unit: 31, found: Found::NoSeal }), "{stop:?}");
        }
    }
}
