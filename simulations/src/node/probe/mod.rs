//! A service made to be watched: every reply tells the whole history of its entity, as a length and a chained hash.

mod api;
mod commands;

pub use api::*;
pub use commands::chain;

use commands::*;
use sdk::Service;

pub fn service() -> Service {
    Service::new("probe", "What a shard does to an entity, seen from inside")
        .row(&HEAD)
        .table(&ITEMS)
        .table(&FILLING)
        .table(&LENT)
        .command(append)
        .command(refuse)
        .command(explode)
        .command(fill)
        .command(lend)
        .command(peek)
        .query(look)
}
