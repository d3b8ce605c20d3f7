//! The hunts for stale lease reads (RAFT.md §6): each needs its own schedule, over many seeds; random faults find next
//! to none. The clocks here do not drift and the lease is cut short by nothing but the rules.

use super::stage::{GROUP, quiet, tell};
use crate::consensus::checkers::Violation;
use crate::consensus::{Kind, Plan, Sabotage, World};
use cluster::consensus::{Input, Mutant};

const SEEDS: u64 = 40;

fn plan(seed: u64) -> Plan {
    Plan { leases: true, turn_us_max: 20, flush_every_ms: 1_000, ..quiet(seed, Kind::Leases) }
}

/// All seeds are clean with the rules on; left out, at least one is not.
fn hunt(without: impl Fn(Plan) -> Plan, story: impl Fn(&mut World) -> Result<(), Violation> + Copy) {
    let mut found = 0;
    for seed in 0..SEEDS {
        if let Err(why) = tell(plan(seed), story) {
            panic!("seed {seed}, with all rules on: {why}");
        }
        let wrong = without(plan(seed));
        if wrong.mutant.is_none() || cfg!(feature = "mutants") {
            found += u64::from(tell(wrong, story).is_err_and(|why| why.contains("stale read")));
        }
    }
    let silent = cfg!(not(feature = "mutants")) && without(plan(0)).mutant.is_some();
    println!("found in {found} of {SEEDS}");
    assert!(silent || found > 0, "nobody noticed that the rule is missing");
}

impl World {
    /// A round of reads at `node`, which earns it a lease.
    fn renew(&mut self, node: usize) -> Result<(), Violation> {
        self.read(node, GROUP);
        self.run_for_ms(8)
    }

    fn has_lease(&self, node: usize) -> bool {
        let (node, now) = (&self.nodes[node], self.now);
        node.core.as_ref().is_some_and(|core| core.lease(GROUP, node.clock(now)).is_some())
    }

    /// Hopes for lease reads at `node`, and for writes at whoever else leads, for a while.
    fn race(&mut self, node: usize, ms: u64) -> Result<(), Violation> {
        for _ in 0..ms / 4 {
            for other in (0..self.nodes.len()).filter(|other| *other != node) {
                if self.leads(other) {
                    self.write(other, GROUP);
                }
            }
            self.lease_read_at(node, GROUP);
            self.run_for_ms(4)?;
        }
        Ok(())
    }

    /// Nothing passes between the two, for as long as the story lasts.
    fn part(&mut self, a: usize, b: usize) {
        let until = self.in_ms(60_000);
        self.network.cut(a, b, until);
        self.network.cut(b, a, until);
    }
}

/// tikv#15035: B is cut off; A renews its lease with C; C restarts at once and votes for B.
#[test]
fn a_voter_that_restarts_votes_inside_the_lease_it_granted() {
    hunt(
        |plan| plan.with_mutant(Mutant::NoRefusal),
        |world| {
            world.lead(0)?;
            world.run_for_ms(500)?;
            world.part(0, 1);
            let ms = 700 + world.rng.below(900);
            for _ in 0..ms / 10 {
                world.renew(0)?;
                world.run_for_ms(2)?;
            }
            world.renew(0)?;
            world.crash(2);
            world.part(0, 2);
            world.restart(2)?;
            world.race(0, 900)
        },
    );
}

/// A voter wakes, acknowledges the heartbeats that queued up, then pays its missed ticks and votes.
#[test]
fn a_voter_that_pays_tick_debt_votes_inside_the_lease_it_granted() {
    hunt(
        |plan| plan.with_mutant(Mutant::TickDebt),
        |world| {
            world.lead(0)?;
            world.run_for_ms(500)?;
            world.part(0, 1);
            let ms = world.rng.below(600);
            world.run_for_ms(ms)?;
            // Longer than an election time-out; short enough that the leader still counts it as heard.
            let pause = 650 + world.rng.below(350);
            world.pause_for_ms(2, pause);
            world.run_for_ms(pause - 5)?;
            world.read(0, GROUP);
            for _ in 0..200 {
                world.run_until(world.now + 100_000)?;
                if world.has_lease(0) {
                    break;
                }
            }
            world.part(0, 2);
            world.race(0, 900)
        },
    );
}

/// A time-out-now that comes late forces an election past every lease.
#[test]
fn a_late_time_out_now_passes_every_lease() {
    hunt(
        |plan| plan.with_mutant(Mutant::LeaseAfterTransfer),
        |world| {
            world.lead(0)?;
            world.run_for_ms(500)?;
            let pause = 800 + world.rng.below(400);
            world.pause_for_ms(1, pause);
            let to = world.replica(1);
            world.input(0, Input::Transfer { group: GROUP, to });
            for _ in 0..(pause - 10) / 10 {
                world.renew(0)?;
                world.run_for_ms(2)?;
            }
            world.renew(0)?;
            world.part(0, 1);
            world.part(0, 2);
            world.race(0, 900)
        },
    );
}

/// A leader sleeps; the clock it looks at on waking was read before it drained its inbox.
#[test]
fn a_leader_that_wakes_trusts_a_clock_read_too_early() {
    hunt(
        |plan| plan.with_sabotage(Sabotage::OldNow),
        |world| {
            world.lead(0)?;
            world.run_for_ms(500)?;
            world.renew(0)?;
            let pause = 2_500 + world.rng.below(500);
            world.pause_for_ms(0, pause);
            world.lease_read_at(0, GROUP);
            world.part(0, 1);
            world.part(0, 2);
            world.race(0, pause + 300)
        },
    );
}

/// Half a lease too much.
#[test]
fn a_lease_longer_than_an_election_time_out_is_stale() {
    hunt(
        |plan| plan.with_mutant(Mutant::LeaseTooLong),
        |world| {
            world.lead(0)?;
            world.run_for_ms(500)?;
            world.renew(0)?;
            world.part(0, 1);
            world.part(0, 2);
            world.race(0, 1_500)
        },
    );
}
