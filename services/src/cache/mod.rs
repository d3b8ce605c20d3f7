//! Key-value storage with time to live and atomic counters.
//!
//! Durable as everything here: a `Set` that answered is on a quorum's disk. Nothing is ever evicted.
//!
//! Not yet: values over 64 KiB (they come with blobs), and the account-wide limits `cache.max_bytes` and `cache.max_keys`
//! (they come with *Accounts*).

mod api;
mod commands;
mod many;
#[cfg(test)]
mod tests;

pub use api::*;

use commands::{ENTRY, FLOOR, decrement, delete, get, get_delete, increment, list_keys, set, touch};
use many::{get_many, set_many};
use sdk::Service;

/// What `commons services` lists as `cache`.
pub fn service() -> Service {
    let (name, counter) = (|| "name".to_string(), || "counter".to_string());
    let ok = || "ok".to_string();
    Service::new("cache", "Key/value store with expiry and atomic counters")
        .category("storage")
        .row(&ENTRY)
        .row(&FLOOR)
        .query(get)
        .command(set)
        .command(delete)
        .command(increment)
        .command(decrement)
        .gather(list_keys())
        .command(touch)
        .command(get_delete)
        .handler(get_many)
        .handler(set_many)
        .refuses::<GetRequest>(&[MISSING_KEY])
        .refuses::<SetRequest>(&[MISSING_KEY, VALUE_TOO_BIG, CONTRADICTION, NOT_ABSENT, OTHER_VERSION])
        .refuses::<DeleteRequest>(&[MISSING_KEY])
        .refuses::<IncrementRequest>(&[MISSING_KEY, NOT_AN_INTEGER, OUT_OF_RANGE])
        .refuses::<DecrementRequest>(&[MISSING_KEY, NOT_AN_INTEGER, OUT_OF_RANGE])
        .refuses::<TouchRequest>(&[MISSING_KEY])
        .refuses::<GetDeleteRequest>(&[MISSING_KEY])
        .refuses::<GetManyRequest>(&[MISSING_KEY])
        .refuses::<SetManyRequest>(&[MISSING_KEY, VALUE_TOO_BIG, KEY_TWICE])
        .example(
            "Set a value for an hour",
            SetRequest { key: name(), value: "Ada".into(), ttl: 3600, ..Default::default() },
            SetResponse { status: ok(), version: 1 },
        )
        .example(
            "Get it",
            GetRequest { key: name() },
            GetResponse { key: name(), value: "Ada".into(), ttl: 3600, version: 1 },
        )
        .example(
            "Change it, if nobody else has",
            SetRequest { key: name(), value: "Ada L.".into(), if_version: 1, ..Default::default() },
            SetResponse { status: ok(), version: 2 },
        )
        .example(
            "Give it another hour",
            TouchRequest { key: name(), ttl: 3600 },
            TouchResponse { key: name(), version: 2 },
        )
        .example("Count", IncrementRequest { key: counter(), value: 2 }, IncrementResponse { key: counter(), value: 2 })
        .example(
            "Count back",
            DecrementRequest { key: counter(), value: 2 },
            DecrementResponse { key: counter(), value: 0 },
        )
        .example(
            "Set several, each by itself",
            SetManyRequest { entries: vec![entry("a", false), entry("counter", true)] },
            SetManyResponse {
                results: vec![
                    Kept { key: "a".into(), version: 1, error: None },
                    Kept { key: counter(), version: 0, error: Some(NOT_ABSENT.because("the key has a value").into()) },
                ],
            },
        )
        .example(
            "Get several",
            GetManyRequest { keys: vec!["a".into(), "b".into()] },
            GetManyResponse {
                results: vec![
                    Found { key: "a".into(), value: "1".into(), version: 1, ..Default::default() },
                    Found { key: "b".into(), ..Default::default() },
                ],
            },
        )
        .example(
            "List the keys",
            ListKeysRequest::default(),
            ListKeysResponse { keys: vec!["a".into(), counter(), name()], cursor: String::new() },
        )
        .example(
            "Take a value out",
            GetDeleteRequest { key: "a".into() },
            GetDeleteResponse { key: "a".into(), value: "1".into(), version: 1 },
        )
        .example("Delete a key", DeleteRequest { key: name() }, DeleteResponse { status: ok() })
}

fn entry(key: &str, if_absent: bool) -> SetRequest {
    SetRequest { key: key.into(), value: "1".into(), if_absent, ..Default::default() }
}
