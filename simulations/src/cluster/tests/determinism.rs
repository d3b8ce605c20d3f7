use crate::cluster::{Plan, run};
use crate::consensus::Trace;

#[test]
fn the_same_seed_gives_the_same_trace_byte_for_byte() {
    for seed in [0, 2, 3] {
        let traces: Vec<_> = (0..3).map(|_| run(Plan::of(seed), Trace::kept()).expect("a clean seed")).collect();
        assert!(traces[0].trace.as_ref().is_some_and(|trace| trace.len() > 10_000));
        for other in &traces[1..] {
            assert_eq!(traces[0].trace, other.trace, "seed {seed}");
            assert_eq!(traces[0].trace_hash, other.trace_hash);
        }
    }
}
