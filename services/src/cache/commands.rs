//! One row a key; a counter is its decimal text, so that `Get` shows it and `Set` can start it.

use super::api::*;
use sdk::prelude::*;
use std::time::Duration;

/// The value under a key.
pub static ENTRY: Row<Entry> = Row::new("entry").expiring();

/// What is kept under a key; when it is due stands beside it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub value: String,
}

pub fn get(view: &View, req: GetRequest) -> Result<GetResponse> {
    check_key(&req.key)?;
    let value = view.get(&ENTRY)?.map(|entry| entry.value).unwrap_or_default();
    let left = view.due(&ENTRY)?.map(|due| view.now().until(due));
    Ok(GetResponse { key: req.key, value, ttl: left.map_or(0, secs_rounded_up) })
}

pub fn set(tx: &mut Tx, req: SetRequest) -> Result<SetResponse> {
    check_key(&req.key)?;
    check_value(&req.value)?;
    if req.ttl > TTL_SECS_MAX {
        return Err(TTL_TOO_LONG.because(format!("ttl must be at most {TTL_SECS_MAX} seconds")));
    }
    let ttl = u64::try_from(req.ttl).ok().filter(|secs| *secs > 0).map(Duration::from_secs);
    let due = ttl.map(|ttl| tx.now().plus(ttl));
    tx.put_until(&ENTRY, &Entry { value: req.value }, due)?;
    Ok(SetResponse { status: "ok".into() })
}

pub fn delete(tx: &mut Tx, req: DeleteRequest) -> Result<DeleteResponse> {
    check_key(&req.key)?;
    tx.delete(&ENTRY)?;
    Ok(DeleteResponse { status: "ok".into() })
}

pub fn increment(tx: &mut Tx, req: IncrementRequest) -> Result<IncrementResponse> {
    let value = count(tx, &req.key, req.value, i64::checked_add)?;
    Ok(IncrementResponse { key: req.key, value })
}

pub fn decrement(tx: &mut Tx, req: DecrementRequest) -> Result<DecrementResponse> {
    // Not an increment by the negative: i64::MIN has none.
    let value = count(tx, &req.key, req.value, i64::checked_sub)?;
    Ok(DecrementResponse { key: req.key, value })
}

/// Every key whose entry is alive.
pub fn list_keys() -> Listing<ListKeysRequest, Entry> {
    Listing::of(&ENTRY, |key, _, _| Some(key.to_string()))
}

fn count(tx: &mut Tx, key: &str, by: i64, step: fn(i64, i64) -> Option<i64>) -> Result<i64> {
    check_key(key)?;
    let held = match tx.get(&ENTRY)? {
        Some(entry) => entry.value.parse().map_err(|_| NOT_AN_INTEGER.because("value is not an integer"))?,
        None => 0,
    };
    let value = step(held, by).ok_or_else(|| OUT_OF_RANGE.because("value out of range"))?;
    // Reading a counter writes nothing, so it does not bring one into being.
    if by != 0 {
        let due = tx.due(&ENTRY)?;
        tx.put_until(&ENTRY, &Entry { value: value.to_string() }, due)?;
    }
    Ok(value)
}

fn check_key(key: &str) -> Result<()> {
    match key.len() {
        0 => Err(MISSING_KEY.because("missing key")),
        1..=KEY_BYTES_MAX => Ok(()),
        bytes => Err(KEY_TOO_LONG.because(format!("key must be at most {KEY_BYTES_MAX} bytes, it has {bytes}"))),
    }
}

fn check_value(value: &str) -> Result<()> {
    if value.len() > VALUE_BYTES_MAX {
        return Err(VALUE_TOO_BIG.because("value is too big"));
    }
    if value.len() > VALUE_BYTES_MAX_NOW {
        let why = format!("value is too big: over {VALUE_BYTES_MAX_NOW} bytes, until larger ones come with blobs");
        return Err(VALUE_TOO_BIG_NOW.because(why));
    }
    Ok(())
}

/// Rounded up, so that 0 never stands for "less than a second left".
fn secs_rounded_up(left: Duration) -> i64 {
    left.as_nanos().div_ceil(1_000_000_000).try_into().unwrap_or(i64::MAX)
}
