//! The world at work: seeds, schedules named after their rules, mutants that must be found.

mod determinism;
mod mutants;
mod p13_p15_p18;
mod p1_views;
mod p2_panics;
mod p3_replies;
mod p5_once;
mod scene;
mod seeds;
