//! Rules that need no world: a few cores on a bench, every message and every fsync by hand.

mod bench;
mod incoming;
mod members;
mod order;
mod proposing;
mod reading;
mod restarting;
mod snapshots;
mod sole;
