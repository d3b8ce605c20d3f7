//! The catalogue: one folder a service, one line here.
//!
//! A folder has four files: `mod.rs` (the whole service on one screen), `api.rs` (what the world sees), `commands.rs` (rows and
//! the rules on them) and `tests.rs`. `helloworld` is the one to copy when there is no state, `wallet` when there is.
//!
//! Absent on purpose: locks, clocks, files, sockets, account names, and any word about where a row lies.

use sdk::Service;

pub mod cache;
pub mod helloworld;
pub mod wallet;

/// Every service of the catalogue, by name.
pub fn all() -> Vec<Service> {
    vec![
        cache::service(), //
        helloworld::service(),
        wallet::service(),
    ]
}
