//! What the world sees of `cache`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use wire::{Reason, endpoints};

endpoints! { cache:
    Query   Get(GetRequest)             -> GetResponse,       key key;
    Command Set(SetRequest)             -> SetResponse,       key key;
    Command Delete(DeleteRequest)       -> DeleteResponse,    key key;
    Command Increment(IncrementRequest) -> IncrementResponse, key key;
    Command Decrement(DecrementRequest) -> DecrementResponse, key key;
    Gather  ListKeys(ListKeysRequest)   -> ListKeysResponse,  page(keys: String, 1000..10000);
}

/// Longest key, in bytes of UTF-8.
pub const KEY_BYTES_MAX: usize = 512;
/// Longest value the cache is meant for, in bytes of UTF-8.
pub const VALUE_BYTES_MAX: usize = 1_000_000;
/// Longest value it takes today; those up to [`VALUE_BYTES_MAX`] come with blobs.
pub const VALUE_BYTES_MAX_NOW: usize = 64 << 10;
/// Longest time to live, in seconds: ten years with three leap days.
pub const TTL_SECS_MAX: i64 = 3653 * 86_400;

/// The key is empty.
pub const MISSING_KEY: Reason = Reason::bad_request("missing_key");
/// The key is longer than [`KEY_BYTES_MAX`].
pub const KEY_TOO_LONG: Reason = Reason::bad_request("key_too_long");
/// The value is longer than [`VALUE_BYTES_MAX`].
pub const VALUE_TOO_BIG: Reason = Reason::bad_request("value_too_big");
/// The value is longer than [`VALUE_BYTES_MAX_NOW`].
pub const VALUE_TOO_BIG_NOW: Reason = Reason::too_large("value_too_big");
/// The time to live is longer than [`TTL_SECS_MAX`].
pub const TTL_TOO_LONG: Reason = Reason::bad_request("ttl_too_long");
/// The stored value is no whole number of 64 bits, so it cannot count.
pub const NOT_AN_INTEGER: Reason = Reason::bad_request("not_an_integer");
/// The counter would leave the range of an int64; it stays as it was.
pub const OUT_OF_RANGE: Reason = Reason::bad_request("out_of_range");

/// Read a value.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct GetRequest {
    /// the key wanted, 1 to 512 bytes
    pub key: String,
}

/// The value of a key; empty when the key is missing or expired.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GetResponse {
    /// the key
    pub key: String,
    /// the value
    pub value: String,
    /// seconds left to live, a part of one counted whole; 0 = it does not expire
    pub ttl: i64,
}

/// Keep a value, for some time or for good.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct SetRequest {
    /// where to keep it, 1 to 512 bytes; what was there goes, its expiry too
    pub key: String,
    /// string to keep, up to 64 KiB
    pub value: String,
    /// lifetime in seconds, up to ten years; 0 or less keeps it for good
    pub ttl: i64,
}

/// The value is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SetResponse {
    /// ok
    pub status: String,
}

/// Forget a value.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct DeleteRequest {
    /// the key to forget, 1 to 512 bytes; it need not exist
    pub key: String,
}

/// The value is gone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeleteResponse {
    /// ok
    pub status: String,
}

/// Add to a counter; one that is missing counts from 0.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct IncrementRequest {
    /// the counter's key, 1 to 512 bytes; its expiry stays as it is
    pub key: String,
    /// how much to add; 0 reads the counter
    pub value: i64,
}

/// The counter after the addition.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct IncrementResponse {
    /// the key
    pub key: String,
    /// the new value
    pub value: i64,
}

/// Subtract from a counter; one that is missing counts from 0.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct DecrementRequest {
    /// the counter's key, 1 to 512 bytes; its expiry stays as it is
    pub key: String,
    /// how much to subtract; 0 reads the counter
    pub value: i64,
}

/// The counter after the subtraction.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DecrementResponse {
    /// the key
    pub key: String,
    /// the new value
    pub value: i64,
}

/// List the keys that have a value.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ListKeysRequest {
    /// how many at once, up to 10,000; 0 = 1,000
    pub limit: i64,
    /// the cursor of the page before; empty = from the start
    pub cursor: String,
}

/// Keys in the order of their bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ListKeysResponse {
    /// the keys
    pub keys: Vec<String>,
    /// where the next page begins; empty = there is none
    pub cursor: String,
}
