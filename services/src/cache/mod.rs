//! Key-value storage with time to live and atomic counters.
//!
//! Durable as everything here: a `Set` that answered is on a quorum's disk. Nothing is ever evicted.
//!
//! Not yet: values over 64 KiB (they come with blobs), and the account-wide limits `cache.max_bytes` and `cache.max_keys`
//! (they come with *Accounts*).

mod api;
mod commands;
#[cfg(test)]
mod tests;

pub use api::*;

use commands::{ENTRY, decrement, delete, get, increment, list_keys, set};
use sdk::Service;

/// What `commons services` lists as `cache`.
pub fn service() -> Service {
    let (name, counter) = (|| "name".to_string(), || "counter".to_string());
    let ok = || "ok".to_string();
    Service::new("cache", "Key/value store with expiry and atomic counters")
        .category("storage")
        .row(&ENTRY)
        .query(get)
        .command(set)
        .command(delete)
        .command(increment)
        .command(decrement)
        .gather(list_keys())
        .example(
            "Set a value for an hour",
            SetRequest { key: name(), value: "Ada".into(), ttl: 3600 },
            SetResponse { status: ok() },
        )
        .example("Get it", GetRequest { key: name() }, GetResponse { key: name(), value: "Ada".into(), ttl: 3600 })
        .example("Count", IncrementRequest { key: counter(), value: 2 }, IncrementResponse { key: counter(), value: 2 })
        .example(
            "Count back",
            DecrementRequest { key: counter(), value: 2 },
            DecrementResponse { key: counter(), value: 0 },
        )
        .example(
            "List the keys",
            ListKeysRequest::default(),
            ListKeysResponse { keys: vec![counter(), name()], cursor: String::new() },
        )
        .example("Delete a key", DeleteRequest { key: name() }, DeleteResponse { status: ok() })
}
