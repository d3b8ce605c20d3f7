//! The world at work: seeds, schedules named after their rules, mutants that must be found.

mod determinism;
