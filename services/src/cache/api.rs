//! What the world sees of `cache`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use wire::limits::Bound;
use wire::{Reason, endpoints};

endpoints! { cache:
    Query   Get(GetRequest)             -> GetResponse,       key key;
    Command Set(SetRequest)             -> SetResponse,       key key;
    Command Delete(DeleteRequest)       -> DeleteResponse,    key key;
    Command Increment(IncrementRequest) -> IncrementResponse, key key;
    Command Decrement(DecrementRequest) -> DecrementResponse, key key;
    Gather  ListKeys(ListKeysRequest)   -> ListKeysResponse,  page(keys: String, 1000..10000);
    Command Touch(TouchRequest)         -> TouchResponse,     key key;
    Command GetDelete(GetDeleteRequest) -> GetDeleteResponse, key key;
    Handler GetMany(GetManyRequest)     -> GetManyResponse;
    Handler SetMany(SetManyRequest)     -> SetManyResponse;
}

/// Longest key, in bytes of UTF-8.
pub const KEY_BYTES_MAX: usize = 512;
/// Longest value, in bytes of UTF-8; those up to 1,000,000 come with blobs.
pub const VALUE_BYTES_MAX: usize = 64 << 10;
/// Longest time to live, in seconds: ten years with three leap days.
pub const TTL_SECS_MAX: i64 = 3653 * 86_400;
/// Most keys of one GetMany or SetMany.
pub const KEYS_MAX: usize = 100;

/// The key is empty.
pub const MISSING_KEY: Reason = Reason::bad_request("missing_key");
/// The value is longer than [`VALUE_BYTES_MAX`].
pub const VALUE_TOO_BIG: Reason = Reason::too_large("value_too_big");
/// `if_absent` and a version at once: no key can be both.
pub const CONTRADICTION: Reason = Reason::bad_request("contradiction");
/// One call would set the key twice.
pub const KEY_TWICE: Reason = Reason::bad_request("key_twice");
/// The key has a value, and the call was to set it only if it had none.
pub const NOT_ABSENT: Reason = Reason::conflict("not_absent");
/// The key's version is another one than the call was for, or the key is gone.
pub const OTHER_VERSION: Reason = Reason::conflict("other_version");
/// The stored value is no whole number of 64 bits, so it cannot count.
pub const NOT_AN_INTEGER: Reason = Reason::bad_request("not_an_integer");
/// The counter would leave the range of an int64; it stays as it was.
pub const OUT_OF_RANGE: Reason = Reason::bad_request("out_of_range");

/// The doors enforce these, and the docs show them.
const KEY: Bound = Bound::bytes(1, KEY_BYTES_MAX).missing(MISSING_KEY, "missing key");
const PREFIX: Bound = Bound::bytes(0, KEY_BYTES_MAX);
const VALUE: Bound = Bound::bytes(0, VALUE_BYTES_MAX)
    .refused(VALUE_TOO_BIG, "value is too big: over 65536 bytes, until larger ones come with blobs");
const TTL: Bound = Bound::up_to(TTL_SECS_MAX);
const VERSION: Bound = Bound::range(0, i64::MAX);
const KEYS: Bound = Bound::items(1, KEYS_MAX).each(&KEY);
const ENTRIES: Bound = Bound::items(1, KEYS_MAX);

/// Read a value.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct GetRequest {
    /// the key wanted
    #[schemars(transform = KEY.on())]
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
    /// grows with every change of the key, over deletion and expiry too; 0 = there is no such key
    pub version: i64,
}

/// Keep a value, for some time or for good.
///
/// A lock: Set with `if_absent` and a ttl; whoever gets a version holds it, and shows that version wherever an older holder
/// must be refused. Set with `if_version` prolongs it; GetDelete gives it back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct SetRequest {
    /// where to keep it; what was there goes, its expiry too
    #[schemars(transform = KEY.on())]
    pub key: String,
    /// string to keep
    #[schemars(transform = VALUE.on())]
    pub value: String,
    /// lifetime in seconds, up to ten years; 0 or less keeps it for good
    #[schemars(transform = TTL.on())]
    pub ttl: i64,
    /// only if the key has this version, as Get or Set told it; 0 = whatever it has
    #[schemars(transform = VERSION.on())]
    pub if_version: i64,
    /// only if there is no such key
    pub if_absent: bool,
}

/// The value is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SetResponse {
    /// ok
    pub status: String,
    /// the key's new version
    pub version: i64,
}

/// Forget a value.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct DeleteRequest {
    /// the key to forget; it need not exist
    #[schemars(transform = KEY.on())]
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
    /// the counter's key; its expiry stays as it is
    #[schemars(transform = KEY.on())]
    pub key: String,
    /// how much to add; 0 reads the counter
    #[schemars(transform = Bound::any().on())]
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
    /// the counter's key; its expiry stays as it is
    #[schemars(transform = KEY.on())]
    pub key: String,
    /// how much to subtract; 0 reads the counter
    #[schemars(transform = Bound::any().on())]
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
    /// only keys that begin with it; empty = all
    #[schemars(transform = PREFIX.on())]
    pub prefix: String,
    /// how many at once; 0 = 1,000
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

/// Give a key another lifetime; its value and version stay.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct TouchRequest {
    /// the key
    #[schemars(transform = KEY.on())]
    pub key: String,
    /// lifetime in seconds from now, up to ten years; 0 or less keeps it for good
    #[schemars(transform = TTL.on())]
    pub ttl: i64,
}

/// The lifetime is set, if there is such a key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TouchResponse {
    /// the key
    pub key: String,
    /// its version; 0 = there is no such key
    pub version: i64,
}

/// Read a value and forget it, in one step: of several callers only one gets it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct GetDeleteRequest {
    /// the key to read and forget; it need not exist
    #[schemars(transform = KEY.on())]
    pub key: String,
}

/// The value that is gone now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GetDeleteResponse {
    /// the key
    pub key: String,
    /// the value
    pub value: String,
    /// the version it had; 0 = there was no such key
    pub version: i64,
}

/// Read several values; each by itself, together they are no one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct GetManyRequest {
    /// the keys wanted
    #[schemars(transform = KEYS.on())]
    pub keys: Vec<String>,
}

/// What each key holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GetManyResponse {
    /// one for each key, in the order asked
    pub results: Vec<Found>,
}

/// What GetMany found under one key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Found {
    /// the key
    pub key: String,
    /// the value; empty when the key is missing or expired
    pub value: String,
    /// seconds left to live; 0 = it does not expire
    pub ttl: i64,
    /// the key's version; 0 = there is no such key
    pub version: i64,
    /// why there is no answer for this key; null = there is one
    pub error: Option<Failed>,
}

/// Keep several values; each by itself: some may be kept while others are refused.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct SetManyRequest {
    /// what to keep, each as for Set; no key twice
    #[schemars(transform = ENTRIES.on())]
    pub entries: Vec<SetRequest>,
}

/// What became of each entry.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SetManyResponse {
    /// one for each entry, in the order given
    pub results: Vec<Kept>,
}

/// What became of one entry of SetMany.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Kept {
    /// the key
    pub key: String,
    /// the key's new version; 0 = it was not set, or nobody can tell
    pub version: i64,
    /// why it was not set; null = it was
    pub error: Option<Failed>,
}

/// Why one key of several has no answer: what a call of that key alone would have failed with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Failed {
    /// as an HTTP status
    pub code: i32,
    /// a stable word
    pub reason: String,
    /// for people
    pub detail: String,
    /// not_run, ran or unknown
    pub outcome: String,
}
