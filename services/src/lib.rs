//! The catalogue: one folder a service, and its name twice in here.
//!
//! A folder has four files: `mod.rs` (the whole service on one screen), `api.rs` (what the world sees), `commands.rs` (rows and
//! the rules on them) and `tests.rs`. `helloworld` is the one to copy when there is no state, `wallet` when there is.
//!
//! Absent on purpose: locks, clocks, files, sockets, account names, and any word about where a row lies.

use sdk::{Endpoint, Service};

pub mod cache;
pub mod helloworld;
mod hidden;
pub mod id;
pub mod otp;
pub mod password;
pub mod time;
pub mod wallet;

/// One word a service, in the order of the alphabet.
macro_rules! catalogue {
    ($($service:ident)*) => {
        /// Every service of the catalogue, by name.
        pub fn all() -> Vec<Service> {
            vec![$($service::service()),*]
        }

        /// Each with the table of its `api.rs`: what the tests of the house rules loop over.
        pub fn tables() -> Vec<(Service, Vec<Endpoint>)> {
            vec![$(($service::service(), $service::endpoints())),*]
        }
    };
}

catalogue! {
    cache
    helloworld
    id
    otp
    password
    time
    wallet
}
