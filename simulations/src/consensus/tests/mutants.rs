//! Each rule left out must be found (§10): `cargo test --release -p simulations --features mutants`.
//!
//! What random faults do not find has a schedule of its own: `directed`, `leases`, or a test on `cluster`'s bench.

use crate::consensus::{Kind, Plan, Sabotage, Trace, run};
use cluster::consensus::Mutant;

enum Wrong {
    Core(Mutant),
    Driver(Sabotage),
}

/// One rule left out, and the world in which seeds from 0 must find it.
struct Hunt {
    wrong: Wrong,
    kind: Kind,
    /// Most seeds it may take.
    within: u64,
    /// What makes the world likelier to meet the bug.
    tuned: fn(Plan) -> Plan,
}

const fn core(mutant: Mutant, kind: Kind, within: u64) -> Hunt {
    Hunt { wrong: Wrong::Core(mutant), kind, within, tuned: as_it_is }
}

const fn driver(sabotage: Sabotage, kind: Kind, within: u64) -> Hunt {
    Hunt { wrong: Wrong::Driver(sabotage), kind, within, tuned: as_it_is }
}

fn as_it_is(plan: Plan) -> Plan {
    plan
}

/// Flips take long, and snapshots are needed all the time.
fn long_flips(plan: Plan) -> Plan {
    Plan { flip_us_max: 3_000_000, window_bytes_max: 3_000, crash_every_ms: 1_500, down_ms_max: 2_000, ..plan }
}

const HUNTS: &[Hunt] = &[
    core(Mutant::AckBeforeSync, Kind::Three, 30),
    core(Mutant::MessagesBeforeSync, Kind::Three, 30),
    core(Mutant::EmptyShortcut, Kind::Three, 60),
    Hunt { tuned: long_flips, ..core(Mutant::TickInstalling, Kind::Three, 60) },
    core(Mutant::NoSnapshotDeadline, Kind::Three, 150),
    core(Mutant::PurgeToApplied, Kind::Three, 60),
    core(Mutant::BatchAppend, Kind::Three, 30),
    core(Mutant::NonVoterLeads, Kind::Membership, 30),
    core(Mutant::RepeatedContexts, Kind::Three, 300),
    core(Mutant::LeaseTooLong, Kind::Leases, 300),
    driver(Sabotage::ForgetCommit, Kind::Membership, 150),
    driver(Sabotage::ReuseIds, Kind::Three, 20),
    driver(Sabotage::NewerConf, Kind::Membership, 60),
    driver(Sabotage::StaleTail, Kind::Three, 150),
    driver(Sabotage::StopRemoved, Kind::Growth, 150),
];

impl Hunt {
    fn name(&self) -> String {
        match self.wrong {
            Wrong::Core(mutant) => format!("{mutant:?}"),
            Wrong::Driver(sabotage) => format!("{sabotage:?}"),
        }
    }

    fn plan(&self, seed: u64) -> Plan {
        (self.tuned)(Plan::of_kind(seed, self.kind))
    }

    fn wrong_plan(&self, seed: u64) -> Plan {
        match self.wrong {
            Wrong::Core(mutant) => self.plan(seed).with_mutant(mutant),
            Wrong::Driver(sabotage) => self.plan(seed).with_sabotage(sabotage),
        }
    }

    /// The first seed that finds it, and what it says; and how many of all do.
    fn go(&self, to_the_end: bool) -> (u64, Option<(u64, String)>) {
        let mut first = None;
        let mut found = 0;
        for seed in 0..self.within {
            if let Err(why) = run(self.wrong_plan(seed), Trace::default()) {
                found += 1;
                first.get_or_insert((seed, why));
                if !to_the_end {
                    break;
                }
            }
        }
        (found, first)
    }
}

/// Panics of the core are findings here, not noise.
fn quietly<T>(run: impl FnOnce() -> T) -> T {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let out = run();
    std::panic::set_hook(hook);
    out
}

#[test]
fn hunt_every_mutant() {
    let missed = quietly(|| {
        let mut missed = Vec::new();
        for hunt in HUNTS {
            match hunt.go(false).1 {
                Some((seed, why)) => {
                    let why: String = why.chars().take(100).collect();
                    println!("{:20} {:?}: found by seed {seed}: {why}", hunt.name(), hunt.kind);
                    // The same seed is clean without the mutant: it is the mutant that was found.
                    if let Err(why) = run(hunt.plan(seed), Trace::default()) {
                        missed.push(format!("{}: seed {seed} fails anyway: {why}", hunt.name()));
                    }
                }
                None => missed.push(format!("{} in {} seeds", hunt.name(), hunt.within)),
            }
        }
        missed
    });
    assert!(missed.is_empty(), "not found: {missed:?}");
}

/// The table of §10, counted to the end: `COUNT_MUTANTS=1`, some minutes.
#[test]
fn hunt_and_count() {
    if std::env::var_os("COUNT_MUTANTS").is_none() {
        return;
    }
    quietly(|| {
        for hunt in HUNTS {
            let (found, first) = hunt.go(true);
            let first = first.map(|(seed, _)| seed);
            println!("{:20} {:?}: {found} of {}, first at {first:?}", hunt.name(), hunt.kind, hunt.within);
        }
    });
}
