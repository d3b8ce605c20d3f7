//! Seeds, the same seed three times, rules left out, and schedules that chance does not find.

mod determinism;
mod directed;
mod mutants;
mod seeds;
