//! The world at work: seeds, schedules named after their bugs, mutants that must be found.

mod determinism;
mod directed;
mod leases;
#[cfg(feature = "mutants")]
mod mutants;
mod stage;
