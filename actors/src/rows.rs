//! A replica's rows, as the kit reads them.

use bytes::Bytes;
use sdk::runtime::{Order, Rows};
use sdk::{Error, Time};
use storage::replica;
use storage::state::{self, View};
use wire::error::reasons;

/// Committed rows of one moment.
pub struct Committed<'a>(pub &'a replica::Rows<'a>);

impl Rows for Committed<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, Error> {
        self.0.get(key).map_err(engine_error)
    }

    fn scan(&self, from: &[u8], to: &[u8], order: Order, limit: usize) -> Result<Vec<(Bytes, Bytes)>, Error> {
        let order = match order {
            Order::Ascending => state::Order::Ascending,
            Order::Descending => state::Order::Descending,
        };
        self.0.scan(from..to, order, limit).map_err(engine_error)
    }
}

/// What a caller hears when the disk fails it; the log says it louder.
pub(crate) fn engine_error(error: impl std::fmt::Display) -> Error {
    tracing::error!(%error, "rows cannot be read");
    reasons::STORAGE.refuse(error.to_string())
}

/// The group's clock for a look at `rows`: never before what its commands, here or elsewhere, have seen already. A
/// restarted node's own clock may be: what it knew at its start was what was flushed (P13).
pub fn group_time(rows: &replica::Rows<'_>, service: &str, now: Time) -> Result<Time, Error> {
    let mark = cluster::node::mark_in(rows, service).map_err(engine_error)?;
    Ok(mark.map_or(now, |mark| now.max(wire::Rfc3339(mark.now_ns))))
}
