//! Load whose every answer is remembered, and the comparison with what a node holds: `chaos` and the tests of failing disks.
//!
//! An [`Op`] is done by one of four [`Way`]s and ends in a [`Fate`]; [`check::era`] reads wallets and counters whole and holds
//! them against all fates.

pub mod check;

mod book;
mod clients;
mod keys;
mod op;
mod ways;

pub use book::{Entry, Record};
pub use clients::{Until, collect, start};
pub use keys::{Keys, read_all};
pub use op::{COUNTERS, Fate, Op, WALLETS, Way, What};
pub use ways::Doors;
