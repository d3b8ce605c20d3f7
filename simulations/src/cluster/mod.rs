//! Nodes that form a cluster, in memory under one virtual clock. Production's: the segment log on disks that break, the
//! memory engine, the consensus core and its three parts, snapshots through [`cluster::node::Receiver`], the real meta
//! group changed by [`cluster::meta::amend`], and the pure halves of membership, `steward` and `warden`. The world's own:
//! clock, network, disks, and the glue that `cluster::member` does with tokio.
//!
//! Clients propose fenced entries to whoever leads and read through it; checkers look at every entry any replica applies.

mod checkers;
mod clients;
mod faults;
mod healing;
mod life;
mod machine;
mod member;
mod mutants;
mod network;
mod parts;
mod plan;
mod replicas;
mod serving;
mod snapshots;
#[cfg(test)]
mod tests;
mod world;

pub use mutants::Mutant;
pub use plan::Plan;
pub use world::{Counts, World};

use crate::consensus::{Trace, panic_text};
use std::panic::{AssertUnwindSafe, catch_unwind};
use world::MS;

/// What a clean run amounted to.
#[derive(Clone, Debug)]
pub struct Report {
    pub trace_hash: u64,
    pub trace: Option<String>,
    pub counts: Counts,
    pub virtual_ms: u64,
}

/// Runs one plan through faults and healing. A panic anywhere is a failure like any other.
pub fn run(plan: Plan, trace: Trace) -> Result<Report, String> {
    let caught = catch_unwind(AssertUnwindSafe(|| {
        let faulty_ms = plan.faulty_ms;
        let mut world = World::new(plan, trace);
        world.start();
        world.run_until(faulty_ms * MS, |_| false)?;
        world.heal()?;
        Ok(world.report())
    }));
    caught.unwrap_or_else(|panic| Err(format!("panic: {}", panic_text(&*panic))))
}

impl World {
    /// The run so far.
    pub fn report(&self) -> Report {
        Report {
            trace_hash: self.trace.hash(),
            trace: self.trace.text().map(str::to_owned),
            counts: self.counts.clone(),
            virtual_ms: self.now / MS,
        }
    }
}
