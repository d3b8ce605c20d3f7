//! What the world sees of `helloworld`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use wire::{Reason, endpoints};

endpoints! { helloworld:
    Local  Call(CallRequest)     -> CallResponse;
    Stream Stream(StreamRequest) -> StreamResponse;
}

/// Longest name, in bytes of UTF-8.
pub const NAME_BYTES_MAX: usize = 1024;
/// Most greetings of one stream.
pub const MESSAGES_MAX: i64 = 10_000;

/// The name is longer than [`NAME_BYTES_MAX`].
pub const NAME_TOO_LONG: Reason = Reason::bad_request("name_too_long");
/// Less than no greetings, or more than [`MESSAGES_MAX`].
pub const BAD_MESSAGES: Reason = Reason::bad_request("bad_messages");

/// Greet someone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct CallRequest {
    /// who to greet, such as Alice; up to 1,024 bytes
    pub name: String,
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
    /// who to greet; up to 1,024 bytes
    pub name: String,
    /// how many greetings to send, up to 10,000; 0 sends one
    pub messages: i64,
}

/// One greeting of a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StreamResponse {
    /// the greeting, Hello Alice
    pub message: String,
}
