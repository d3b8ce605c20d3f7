//! The world at work: seeds, schedules named after their bugs, mutants that must be found.

mod determinism;
#[cfg(feature = "mutants")]
mod mutants;
