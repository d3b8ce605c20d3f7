//! What the world sees of `helloworld`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use wire::limits::Bound;
use wire::{Reason, endpoints};

endpoints! { helloworld:
    Local  Call(CallRequest)     -> CallResponse;
    Stream Stream(StreamRequest) -> StreamResponse;
}

/// The name is too long.
pub const NAME_TOO_LONG: Reason = Reason::bad_request("name_too_long");
/// Fewer than no greetings, or too many.
pub const BAD_MESSAGES: Reason = Reason::bad_request("bad_messages");

/// The doors enforce these, and the docs show them.
const NAME: Bound = Bound::bytes(0, 1024).refused(NAME_TOO_LONG, "name over 1024 bytes");
const MESSAGES: Bound = Bound::range(0, 10_000).refused(BAD_MESSAGES, "messages must be 0-10000");

/// A language to greet in, by its ISO 639-1 code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Language {
    #[default]
    En,
    Ar,
    De,
    Es,
    Fr,
    Hi,
    It,
    Ja,
    Pt,
    Ru,
    Tr,
    Zh,
}

/// Greet someone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct CallRequest {
    /// who to greet, such as Alice
    #[schemars(transform = NAME.on())]
    pub name: String,
    /// which language to greet in; empty = en
    pub language: Language,
}

/// The greeting.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CallResponse {
    /// the greeting, Hello Alice
    pub message: String,
}

/// Greet someone again and again, as fast as you read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct StreamRequest {
    /// who to greet
    #[schemars(transform = NAME.on())]
    pub name: String,
    /// how many greetings to send; 0 sends one
    #[schemars(transform = MESSAGES.on())]
    pub messages: i64,
    /// how long to wait before each but the first, in milliseconds: to watch a stream by eye
    #[schemars(range(min = 0, max = 10_000))]
    pub interval_ms: i64,
    /// which language to greet in; empty = en
    pub language: Language,
}

/// One greeting of a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StreamResponse {
    /// the greeting, Hello Alice
    pub message: String,
}
