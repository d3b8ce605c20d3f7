use crate::cluster::{Plan, run};
use crate::consensus::Trace;

/// What CI runs on every commit; `cargo xtask simulate --world cluster --seeds 2000` runs more.
const SEEDS: u64 = 100;

#[test]
fn random_seeds_hold() {
    for seed in 0..SEEDS {
        let plan = Plan::of(seed);
        if let Err(why) = run(plan.clone(), Trace::default()) {
            panic!("seed {seed}: {why}\n{plan:?}\nreplay: cargo xtask simulate --world cluster --seed {seed} --trace");
        }
    }
}
