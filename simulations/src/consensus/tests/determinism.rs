use crate::consensus::{Plan, Trace, run};

#[test]
fn the_same_seed_gives_the_same_trace_byte_for_byte() {
    for seed in 0..8 {
        let traces: Vec<_> = (0..3).map(|_| run(Plan::of(seed), Trace::kept()).expect("a clean seed")).collect();
        assert!(traces[0].trace.as_ref().is_some_and(|trace| trace.len() > 10_000));
        for other in &traces[1..] {
            assert_eq!(traces[0].trace, other.trace, "seed {seed}");
            assert_eq!(traces[0].trace_hash, other.trace_hash);
        }
    }
}

/// §7: the library's own election time-outs come from the thread's randomness; with them a seed means nothing.
#[cfg(feature = "mutants")]
#[test]
fn without_our_own_election_timeouts_no_seed_repeats() {
    let plan = || Plan::of(0).with_mutant(cluster::consensus::Mutant::RandomTimeouts);
    let hashes: std::collections::BTreeSet<_> =
        (0..4).map(|_| run(plan(), Trace::default()).map_or(0, |report| report.trace_hash)).collect();
    assert!(hashes.len() > 1);
}
