//! Deterministic simulations: whole worlds that one seed decides.

pub mod consensus;
pub mod node;
pub mod worlds;
