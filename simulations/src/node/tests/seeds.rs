use crate::consensus::Trace;
use crate::node::{Counts, Plan, run};

/// What CI runs on every commit; `cargo xtask simulate --world node --seeds 2000` runs more.
const SEEDS: u64 = 200;

#[test]
fn random_seeds_hold_and_meet_what_they_are_for() {
    let mut all = Counts::default();
    for seed in 0..SEEDS {
        let plan = Plan::of(seed);
        let report = run(plan.clone(), Trace::default());
        let report = report.unwrap_or_else(|why| {
            panic!("seed {seed}: {why}\n{plan:?}\nreplay: cargo xtask simulate --world node --seed {seed} --trace")
        });
        all += report.counts;
    }
    let met = [
        all.crashes,
        all.failed_opens,
        all.fatals,
        all.terms,
        all.purges,
        all.proposals_lost,
        all.shards_dropped,
        all.refused,
        all.not_run,
        all.unknown,
        all.repeated,
        all.late_copies,
        all.forged,
        all.panics,
        all.queries,
    ];
    assert!(met.iter().all(|count| *count > SEEDS / 8), "{all:?}");
}
