//! One node in memory under a virtual clock. Everything is production's but clock, randomness, disk and threads: the
//! segment log on a disk that breaks, the memory engine, the consensus core and its three parts, shards and services.
//!
//! Clients call under request ids, retry what is unknown and nothing else; faults come from the seed; checkers look at
//! every answer, at rows in between, and at everything once it has healed.

mod answers;
mod calls;
pub mod checkers;
mod clients;
mod faults;
mod healing;
mod life;
mod machine;
mod mutants;
mod parts;
mod plan;
mod probe;
mod queries;
mod report;
#[cfg(test)]
mod tests;
mod time;
mod world;

pub(crate) use life::Bag;
pub use mutants::Mutant;
pub use plan::Plan;
pub use report::{Counts, Report};
pub use world::World;

use crate::consensus::{Trace, panic_text};
use std::panic::{AssertUnwindSafe, catch_unwind};
use world::{Event, MS};

/// Runs one plan through faults and healing. A panic anywhere is a failure like any other.
pub fn run(plan: Plan, trace: Trace) -> Result<Report, String> {
    let caught = catch_unwind(AssertUnwindSafe(|| {
        let faulty_ms = plan.faulty_ms;
        let mut world = World::new(plan, trace);
        world.at(0, Event::Restart);
        world.at(100 * MS, Event::Look);
        world.start_clients();
        world.start_faults();
        world.run_until(faulty_ms * MS, |_| false)?;
        world.heal()?;
        Ok(world.report())
    }));
    caught.unwrap_or_else(|panic| Err(format!("panic: {}", panic_text(&*panic))))
}
