//! Seeds, the same seed three times, rules left out, and schedules that chance does not find.

mod determinism;
mod seeds;
