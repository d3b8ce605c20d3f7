//! The deterministic world of the consensus core (RAFT.md's head): virtual clock, simulated disks and network, faults
//! from a seed, checkers that look after every step, then a phase without faults in which everything must heal.

pub mod checkers;
mod clients;
mod disk;
mod faults;
mod healing;
pub(crate) mod network;
mod node;
mod plan;
mod rng;
mod rows;
#[cfg(test)]
mod tests;
mod trace;
mod world;

pub use plan::{Kind, Plan, Sabotage};
pub use rng::Rng;
pub use trace::Trace;
pub use world::World;

use std::panic::{AssertUnwindSafe, catch_unwind};

/// What a clean run amounted to.
#[derive(Clone, Debug)]
pub struct Report {
    pub trace_hash: u64,
    pub trace: Option<String>,
    pub turns: u64,
    pub crashes: u64,
    pub installs: u64,
    pub changes: u64,
    pub elections: u64,
    pub committed: u64,
    pub not_run: u64,
    pub unknown: u64,
    pub reads: u64,
    pub lease_reads: u64,
    pub virtual_ms: u64,
}

/// Runs one plan through both phases. A panic in the core is a failure like any other.
pub fn run(plan: Plan, trace: Trace) -> Result<Report, String> {
    let caught = catch_unwind(AssertUnwindSafe(|| {
        let faulty_ms = plan.faulty_ms;
        let mut world = World::new(plan, trace);
        world.start_clients();
        world.start_faults();
        world.run_for_ms(faulty_ms)?;
        world.heal()?;
        Ok(world.report())
    }));
    caught.unwrap_or_else(|panic| Err(format!("panic: {}", panic_text(&*panic))))
}

/// What a panic said.
pub fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| text.to_string())).unwrap_or_else(|| "(no text)".into())
}

impl World {
    /// The run so far.
    pub fn report(&self) -> Report {
        let Checked { outcomes, reads, leaders } = Checked::of(self);
        Report {
            trace_hash: self.trace.hash(),
            trace: self.trace.text().map(str::to_owned),
            turns: self.turns,
            crashes: self.crashes,
            installs: self.installs,
            changes: self.changes,
            elections: leaders.elections() as u64,
            committed: outcomes.committed,
            not_run: outcomes.not_run,
            unknown: outcomes.unknown,
            reads: reads.served,
            lease_reads: reads.lease_served,
            virtual_ms: self.now / world::MS,
        }
    }
}

struct Checked<'a> {
    outcomes: &'a checkers::Outcomes,
    reads: &'a checkers::ReadsNeverGoBack,
    leaders: &'a checkers::OneLeaderATerm,
}

impl<'a> Checked<'a> {
    fn of(world: &'a World) -> Checked<'a> {
        let checkers = &world.checkers;
        Checked { outcomes: &checkers.outcomes, reads: &checkers.reads, leaders: &checkers.leaders }
    }
}
