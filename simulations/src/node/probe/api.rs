//! What the clients of the simulation call.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use wire::{Reason, endpoints};

endpoints! { probe:
    Command Append(AppendRequest)   -> Position, key entity;
    Command Refuse(RefuseRequest)   -> Position, key entity;
    Command Explode(ExplodeRequest) -> Position, key entity;
    Command Fill(FillRequest)       -> Position, key entity;
    Command Lend(LendRequest)       -> Position, key entity;
    Command Peek(PeekRequest)       -> Seen,     key entity;
    Query   Look(LookRequest)       -> Seen,     key entity;
}

/// It always refuses; the detail tells length and hash.
pub const REFUSED: Reason = Reason::conflict("refused");

macro_rules! requests {
    ($($(#[$doc:meta])* $name:ident { $($field:ident: $type:ty),* })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
        #[serde(default)]
        pub struct $name { pub entity: String, $(pub $field: $type),* }
    )*};
}

requests! {
    /// One more item.
    AppendRequest { token: u64 }
    /// Writes an item, then refuses.
    RefuseRequest { token: u64 }
    /// Writes an item, then panics.
    ExplodeRequest { token: u64 }
    /// One more item, and its mark in so many rows of so many bytes, instead of those before.
    FillRequest { token: u64, rows: u32, bytes: u32 }
    /// One more item, and a row that is there for so long.
    LendRequest { token: u64, ttl_ms: u64 }
    /// Reads, as a command without effects.
    PeekRequest {}
    /// Reads.
    LookRequest {}
}

/// Where an item came to lie.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Position {
    /// How many items there are with it.
    pub len: u64,
    /// Chained over all of them.
    pub hash: u64,
    /// The group's clock.
    pub now_ns: i64,
}

/// An entity, whole.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Seen {
    pub len: u64,
    pub hash: u64,
    pub now_ns: i64,
    /// Every item.
    pub items: Vec<u64>,
    /// The marks in the rows of the last filling, without repetitions, and how many rows.
    pub filling: Vec<u64>,
    pub filled: u64,
    /// What is lent and not due.
    pub lent: Vec<u64>,
}
