//! Consensus groups of a node, what their logs hold, and who owns what.

pub mod consensus;
pub mod entry;
pub mod gossip;
pub mod group;
pub mod member;
pub mod meta;
pub mod node;
pub mod placement;
pub mod topology;
pub mod transport;
pub mod trust;
