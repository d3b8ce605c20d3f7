//! Each rule left out must be found (§10): `cargo test --release -p simulations --features mutants`.

use crate::consensus::{Kind, Plan, Sabotage, Trace, run};
use cluster::consensus::Mutant;

enum Wrong {
    Core(Mutant),
    Driver(Sabotage),
}

/// What is left out, in which world, and the seeds within which it must be found.
const HUNTS: &[(Wrong, Kind, u64)] = &[
    (Wrong::Core(Mutant::AckBeforeSync), Kind::Three, 60),
    (Wrong::Core(Mutant::MessagesBeforeSync), Kind::Three, 60),
    (Wrong::Core(Mutant::EmptyShortcut), Kind::Three, 150),
    (Wrong::Core(Mutant::TickInstalling), Kind::Three, 100),
    (Wrong::Core(Mutant::NoSnapshotDeadline), Kind::Three, 100),
    (Wrong::Core(Mutant::PurgeToApplied), Kind::Three, 30),
    (Wrong::Core(Mutant::BatchAppend), Kind::Three, 30),
    (Wrong::Core(Mutant::NonVoterLeads), Kind::Membership, 100),
    (Wrong::Core(Mutant::SoleVoterTicks), Kind::Growth, 300),
    (Wrong::Core(Mutant::SoleVoterSends), Kind::Growth, 300),
    (Wrong::Core(Mutant::PeersPropose), Kind::Three, 100),
    (Wrong::Core(Mutant::RepeatedContexts), Kind::Three, 300),
    (Wrong::Core(Mutant::NoRefusal), Kind::Leases, 300),
    (Wrong::Core(Mutant::LeaseAfterTransfer), Kind::Leases, 300),
    (Wrong::Core(Mutant::TickDebt), Kind::Leases, 300),
    (Wrong::Core(Mutant::LeaseTooLong), Kind::Leases, 300),
    (Wrong::Driver(Sabotage::ForgetVote), Kind::Three, 300),
    (Wrong::Driver(Sabotage::ForgetCommit), Kind::Membership, 300),
    (Wrong::Driver(Sabotage::ReuseIds), Kind::Three, 60),
    (Wrong::Driver(Sabotage::NewerConf), Kind::Membership, 100),
    (Wrong::Driver(Sabotage::OldNow), Kind::Leases, 300),
    (Wrong::Driver(Sabotage::StaleTail), Kind::Three, 100),
    (Wrong::Driver(Sabotage::StopRemoved), Kind::Growth, 300),
];

#[test]
fn hunt() {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    for (wrong, kind, seeds) in HUNTS {
        let mut found = 0;
        let mut first = String::new();
        for seed in 0..*seeds {
            let plan = Plan::of_kind(seed, *kind);
            let plan = match wrong {
                Wrong::Core(mutant) => plan.with_mutant(*mutant),
                Wrong::Driver(sabotage) => plan.with_sabotage(*sabotage),
            };
            if let Err(why) = run(plan, Trace::default()) {
                found += 1;
                if found == 1 {
                    first = format!("first at {seed}: {}", why.chars().take(110).collect::<String>());
                }
            }
        }
        let name = match wrong {
            Wrong::Core(mutant) => format!("{mutant:?}"),
            Wrong::Driver(sabotage) => format!("{sabotage:?}"),
        };
        println!("{name:20} {kind:?}: {found} of {seeds} {first}");
    }
    std::panic::set_hook(hook);
}
