//! Two engines a node: the [`log`] all groups share, and the [`state`] their entries are applied to.
//!
//! They are apart because an apply must never queue behind an fsync (one engine for both is 5 × slower).

pub mod disk;
pub mod folder;
pub mod log;
pub mod replica;
pub mod state;
