//! The author's kit: what a service is written with, and the [`Sandbox`] it is tested on.
//!
//! A service is plain functions over rows: no async, no lock, no clock, no account. `CONTRIBUTING.md` has the way to a
//! first endpoint in ten minutes; `services/src/wallet` is the one to copy from.
//!
//! Absent on purpose: a runtime, and any way to name another entity's or account's row.

mod cx;
pub mod describe;
mod here;
mod listing;
mod read;
pub mod runtime;
mod sandbox;
mod service;
mod table;
mod tx;

#[cfg(test)]
mod tests;

pub use cx::{Closed, Cx, Sink};
pub use here::{Here, Stamp};
pub use listing::Listing;
pub use read::{Read, Scan, View};
pub use sandbox::Sandbox;
pub use service::{Example, Service};
pub use table::{Row, Table, TableKey};
pub use tx::Tx;
pub use wire::endpoint::Limit;
pub use wire::{Bytes, Endpoint, Error, Json, Key, Kind, Page, Reason, Request, Rfc3339 as Time, UnixSecs, endpoints};

/// What every function of a service returns: its response, or a [`Reason`] with words.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Everything `api.rs` and `commands.rs` of a service need.
pub mod prelude {
    pub use crate::{
        Bytes, Cx, Error, Here, Json, Listing, Read, Reason, Result, Row, Service, Sink, Table, Time, Tx, UnixSecs,
        View, endpoints,
    };
    pub use schemars::JsonSchema;
    pub use serde::{Deserialize, Serialize};
}
