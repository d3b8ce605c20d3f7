//! What a unit says: a version byte, then records until its end. Little of it is anything but the entries' own bytes.

use super::batch::{Entry, EntryKind, HardState, ReplicaAppend, Start};
use super::ledger::{ReplicaLog, Run};
use super::payload::PageBuffer;
use super::varint::{Cursor, Malformed, put};
use bytes::Bytes;
use wire::ids::{Index, ReplicaId, Term};

/// First byte of every unit's payload. A change of any record is a new number and keeps the old one readable.
pub(super) const VERSION: u8 = 1;

const APPEND: u8 = 1;
const REPLICA: u8 = 2;
const MOVED: u8 = 3;

const RESET: u8 = 1;
const ENTRIES: u8 = 2;
const HARD: u8 = 4;
const PURGE: u8 = 8;
const DESTROY: u8 = 16;

const WITH_CONTEXT: u8 = 0x80;

#[derive(Debug)]
pub(super) enum Record {
    Append(ReplicaAppend),
    /// Part of a checkpoint: how a replica's log stood when the segment began.
    Replica(ReplicaId, ReplicaLog),
    /// Live entries of an old segment, written again so that it can go. They cut nothing.
    Moved(ReplicaId, Vec<Entry>),
}

/// Why a unit whose checksums hold cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unreadable {
    Newer(u8),
    Malformed(Malformed),
}

impl From<Malformed> for Unreadable {
    fn from(malformed: Malformed) -> Self {
        Unreadable::Malformed(malformed)
    }
}

pub(super) fn begin(out: &mut PageBuffer) {
    out.clear();
    out.put(&[VERSION]);
}

pub(super) fn put_append(out: &mut PageBuffer, append: &ReplicaAppend) {
    let flag = |on: bool, flag: u8| if on { flag } else { 0 };
    let flags = flag(append.reset.is_some(), RESET)
        | flag(!append.entries.is_empty(), ENTRIES)
        | flag(append.hard_state.is_some(), HARD)
        | flag(append.purge.is_some(), PURGE)
        | flag(append.destroy, DESTROY);
    out.put(&[APPEND, flags]);
    put(out, append.replica.0);
    if let Some(start) = append.reset {
        put_start(out, start);
    }
    if !append.entries.is_empty() {
        put_entries(out, &append.entries);
    }
    if let Some(hard) = append.hard_state {
        put_hard(out, hard);
    }
    if let Some(start) = append.purge {
        put_start(out, start);
    }
}

pub(super) fn put_replica(out: &mut PageBuffer, replica: ReplicaId, log: &ReplicaLog) {
    out.put(&[REPLICA]);
    put(out, replica.0);
    put_start(out, log.start);
    put_hard(out, log.hard);
    put(out, log.last().0);
    put(out, log.runs().len() as u64);
    for run in log.runs() {
        put(out, run.first);
        put(out, run.term);
    }
}

/// `entries` have dense indexes and terms that do not fall.
pub(super) fn put_moved(out: &mut PageBuffer, replica: ReplicaId, entries: &[Entry]) {
    out.put(&[MOVED]);
    put(out, replica.0);
    put_entries(out, entries);
}

fn put_start(out: &mut PageBuffer, start: Start) {
    put(out, start.index.0);
    put(out, start.term.0);
}

fn put_hard(out: &mut PageBuffer, hard: HardState) {
    put(out, hard.term.0);
    put(out, hard.vote.0);
    put(out, hard.commit.0);
}

fn put_entries(out: &mut PageBuffer, entries: &[Entry]) {
    put(out, entries.len() as u64);
    put(out, entries.first().map_or(0, |entry| entry.index.0));
    let mut term = 0;
    for entry in entries {
        // As a step from the last one: one byte, and a falling term cannot even be said.
        put(out, entry.term.0 - term);
        term = entry.term.0;
        let kind = match entry.kind {
            EntryKind::Normal => 0,
            EntryKind::Change => 1,
            EntryKind::ChangeV2 => 2,
        };
        out.put(&[kind | if entry.context.is_empty() { 0 } else { WITH_CONTEXT }]);
        put(out, entry.data.len() as u64);
        out.put(&entry.data);
        if !entry.context.is_empty() {
            put(out, entry.context.len() as u64);
            out.put(&entry.context);
        }
    }
}

/// At most so many bytes does an append take; for cutting a drain into units, not exact.
pub(super) fn upper_bound(append: &ReplicaAppend) -> usize {
    let entries: usize = append.entries.iter().map(|entry| 32 + entry.data.len() + entry.context.len()).sum();
    128 + entries
}

pub(super) fn read(payload: &[u8]) -> Result<Vec<Record>, Unreadable> {
    let mut cursor = Cursor(payload);
    let version = cursor.byte()?;
    if version > VERSION {
        return Err(Unreadable::Newer(version));
    }
    let mut records = Vec::new();
    while !cursor.is_empty() {
        records.push(match cursor.byte()? {
            APPEND => Record::Append(read_append(&mut cursor)?),
            REPLICA => read_replica(&mut cursor)?,
            MOVED => Record::Moved(ReplicaId(cursor.number()?), read_entries(&mut cursor)?),
            _ => return Err(Malformed("it is of an unknown kind").into()),
        });
    }
    Ok(records)
}

fn read_append(cursor: &mut Cursor) -> Result<ReplicaAppend, Malformed> {
    let flags = cursor.byte()?;
    if flags & !(RESET | ENTRIES | HARD | PURGE | DESTROY) != 0 {
        return Err(Malformed("it has unknown parts"));
    }
    let has = |flag: u8| flags & flag != 0;
    Ok(ReplicaAppend {
        replica: ReplicaId(cursor.number()?),
        reset: has(RESET).then(|| read_start(cursor)).transpose()?,
        entries: if has(ENTRIES) { read_entries(cursor)? } else { Vec::new() },
        hard_state: has(HARD).then(|| read_hard(cursor)).transpose()?,
        purge: has(PURGE).then(|| read_start(cursor)).transpose()?,
        destroy: has(DESTROY),
    })
}

fn read_replica(cursor: &mut Cursor) -> Result<Record, Malformed> {
    let replica = ReplicaId(cursor.number()?);
    let start = read_start(cursor)?;
    let hard = read_hard(cursor)?;
    let last = cursor.number()?;
    let mut runs = Vec::new();
    for _ in 0..cursor.number()? {
        runs.push(Run { first: cursor.number()?, term: cursor.number()? });
    }
    if last < start.index.0 || !runs.is_sorted_by(|a, b| a.first < b.first && a.term <= b.term) {
        return Err(Malformed("a checkpoint contradicts itself"));
    }
    Ok(Record::Replica(replica, ReplicaLog::told(start, hard, last, runs)))
}

fn read_start(cursor: &mut Cursor) -> Result<Start, Malformed> {
    Ok(Start { index: Index(cursor.number()?), term: Term(cursor.number()?) })
}

fn read_hard(cursor: &mut Cursor) -> Result<HardState, Malformed> {
    Ok(HardState { term: Term(cursor.number()?), vote: ReplicaId(cursor.number()?), commit: Index(cursor.number()?) })
}

fn read_entries(cursor: &mut Cursor) -> Result<Vec<Entry>, Malformed> {
    let count = cursor.number()?;
    let first = cursor.number()?;
    let mut entries = Vec::with_capacity(count.min(4096) as usize);
    let mut term = 0u64;
    for at in 0..count {
        let overflow = Malformed("a number overflows");
        let index = Index(first.checked_add(at).ok_or(overflow)?);
        term = term.checked_add(cursor.number()?).ok_or(overflow)?;
        let byte = cursor.byte()?;
        let kind = match byte & !WITH_CONTEXT {
            0 => EntryKind::Normal,
            1 => EntryKind::Change,
            2 => EntryKind::ChangeV2,
            _ => return Err(Malformed("an entry is of an unknown kind")),
        };
        // Copied out, so that one live entry does not keep the memory of its whole unit.
        let len = cursor.number()?;
        let data = Bytes::copy_from_slice(cursor.bytes(len)?);
        let context = if byte & WITH_CONTEXT == 0 {
            Bytes::new()
        } else {
            let len = cursor.number()?;
            Bytes::copy_from_slice(cursor.bytes(len)?)
        };
        entries.push(Entry { index, term: Term(term), kind, data, context });
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(index: u64, term: u64, data: &'static str, context: &'static str) -> Entry {
        let (data, context) = (Bytes::from(data), Bytes::from(context));
        Entry { index: Index(index), term: Term(term), kind: EntryKind::ChangeV2, data, context }
    }

    #[test]
    fn an_append_comes_back() {
        let point = |index, term| Start { index: Index(index), term: Term(term) };
        let append = ReplicaAppend {
            replica: ReplicaId(300),
            reset: Some(point(7, 2)),
            entries: vec![entry(8, 2, "eight", ""), entry(9, 1 << 40, "", "joint"), entry(10, u64::MAX, "x", "")],
            hard_state: Some(HardState { term: Term(u64::MAX), vote: ReplicaId(3), commit: Index(9) }),
            purge: Some(point(8, 2)),
            destroy: true,
        };
        let mut out = PageBuffer::default();
        begin(&mut out);
        put_append(&mut out, &append);
        let payload = out.written().to_vec();
        let records = read(&payload).unwrap();
        assert!(matches!(&records[..], [Record::Append(back)] if *back == append));
        for len in 1..payload.len() {
            assert!(read(&payload[..len]).is_err() || len == 1, "cut to {len} bytes");
        }
    }

    #[test]
    fn a_newer_version_is_named() {
        assert!(matches!(read(&[VERSION + 1, 9, 9]), Err(Unreadable::Newer(2))));
    }
}
