//! One row a key; a counter is its decimal text, so that `Get` shows it and `Set` can start it.

use super::api::*;
use sdk::prelude::*;
use std::time::Duration;

/// The value under a key.
pub static ENTRY: Row<Entry> = Row::new("entry").expiring();
/// The version of a key that changed in the very moment in which it went: see [`next_version`].
pub static FLOOR: Row<i64> = Row::new("floor").expiring();

/// What is kept under a key; when it is due stands beside it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub value: String,
    pub version: i64,
}

pub fn get(view: &View, req: GetRequest) -> Result<GetResponse> {
    let (value, version) = view.get(&ENTRY)?.map(|entry| (entry.value, entry.version)).unwrap_or_default();
    let left = view.due(&ENTRY)?.map(|due| view.now().until(due));
    Ok(GetResponse { key: req.key, value, ttl: left.map_or(0, secs_rounded_up), version })
}

pub fn set(tx: &mut Tx, req: SetRequest) -> Result<SetResponse> {
    let held = tx.get(&ENTRY)?;
    match (&held, req.if_absent, req.if_version) {
        (_, true, 1..) => return Err(CONTRADICTION.because("if_absent and if_version cannot both be met")),
        (Some(_), true, _) => return Err(NOT_ABSENT.because("the key has a value")),
        (None, _, 1..) => return Err(OTHER_VERSION.because("there is no such key")),
        (Some(held), _, version @ 1..) if held.version != version => {
            return Err(OTHER_VERSION.because(format!("the version is {}, not {version}", held.version)));
        }
        _ => {}
    }
    let version = next_version(tx, held.as_ref())?;
    let due = due(tx, req.ttl);
    keep(tx, Entry { value: req.value, version }, due)?;
    Ok(SetResponse { status: "ok".into(), version })
}

pub fn delete(tx: &mut Tx, _: DeleteRequest) -> Result<DeleteResponse> {
    forget(tx)?;
    Ok(DeleteResponse { status: "ok".into() })
}

pub fn increment(tx: &mut Tx, req: IncrementRequest) -> Result<IncrementResponse> {
    let value = count(tx, req.value, i64::checked_add)?;
    Ok(IncrementResponse { key: req.key, value })
}

pub fn decrement(tx: &mut Tx, req: DecrementRequest) -> Result<DecrementResponse> {
    // Not an increment by the negative: i64::MIN has none.
    let value = count(tx, req.value, i64::checked_sub)?;
    Ok(DecrementResponse { key: req.key, value })
}

/// Every key whose entry is alive.
pub fn list_keys() -> Listing<ListKeysRequest, Entry> {
    Listing::of(&ENTRY, |key, _, _| Some(key.to_string())).prefix(|req| &req.prefix)
}

pub fn touch(tx: &mut Tx, req: TouchRequest) -> Result<TouchResponse> {
    let Some(entry) = tx.get(&ENTRY)? else { return Ok(TouchResponse { key: req.key, version: 0 }) };
    let (version, due) = (entry.version, due(tx, req.ttl));
    keep(tx, entry, due)?;
    Ok(TouchResponse { key: req.key, version })
}

pub fn get_delete(tx: &mut Tx, req: GetDeleteRequest) -> Result<GetDeleteResponse> {
    let (value, version) = forget(tx)?.map(|entry| (entry.value, entry.version)).unwrap_or_default();
    Ok(GetDeleteResponse { key: req.key, value, version })
}

fn count(tx: &mut Tx, by: i64, step: fn(i64, i64) -> Option<i64>) -> Result<i64> {
    let entry = tx.get(&ENTRY)?;
    let held = match &entry {
        Some(entry) => entry.value.parse().map_err(|_| NOT_AN_INTEGER.because("value is not an integer"))?,
        None => 0,
    };
    let value = step(held, by).ok_or_else(|| OUT_OF_RANGE.because("value out of range"))?;
    // Reading a counter writes nothing, so it does not bring one into being.
    if by != 0 {
        let (version, due) = (next_version(tx, entry.as_ref())?, tx.due(&ENTRY)?);
        keep(tx, Entry { value: value.to_string(), version }, due)?;
    }
    Ok(value)
}

/// Greater than every version the key ever had, so that a lock's holder can be told from the ones before. The clock is
/// what remembers a key that is gone: it is behind a version only by the changes of one moment, and then the floor helps.
fn next_version(tx: &Tx, held: Option<&Entry>) -> Result<i64> {
    let before = match held {
        Some(entry) => entry.version,
        None => tx.get(&FLOOR)?.unwrap_or(0),
    };
    Ok(tx.now().0.max(before.saturating_add(1)))
}

fn keep(tx: &mut Tx, entry: Entry, due: Option<Time>) -> Result<()> {
    // It changed so shortly before its end that the clock will not have passed its version then.
    if due.is_some_and(|due| entry.version >= due.0) {
        remember(tx, entry.version)?;
    }
    tx.put_until(&ENTRY, &entry, due)
}

fn forget(tx: &mut Tx) -> Result<Option<Entry>> {
    let held = tx.get(&ENTRY)?;
    if let Some(Entry { version, .. }) = &held
        && *version >= tx.now().0
    {
        remember(tx, *version)?;
    }
    tx.delete(&ENTRY)?;
    Ok(held)
}

/// Until the clock has passed it.
fn remember(tx: &mut Tx, version: i64) -> Result<()> {
    tx.put_until(&FLOOR, &version, wire::Rfc3339(version.saturating_add(1)))
}

fn due(tx: &Tx, ttl_secs: i64) -> Option<Time> {
    let ttl = u64::try_from(ttl_secs).ok().filter(|secs| *secs > 0).map(Duration::from_secs);
    ttl.map(|ttl| tx.now().plus(ttl))
}

/// Rounded up, so that 0 never stands for "less than a second left".
fn secs_rounded_up(left: Duration) -> i64 {
    left.as_nanos().div_ceil(1_000_000_000).try_into().unwrap_or(i64::MAX)
}
