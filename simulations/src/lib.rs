//! Deterministic simulations: whole worlds that one seed decides.

pub mod cluster;
pub mod consensus;
pub mod node;
pub mod worlds;
