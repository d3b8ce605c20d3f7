//! Each rule left out is found within so many seeds. A mutant that is not found is a checker that looks away.

use crate::consensus::Trace;
use crate::node::{Mutant, Plan, run};

/// The first seed that notices.
fn found(mutant: Mutant, within: u64) -> u64 {
    let fails = |seed| Some((seed, run(Plan::of(seed).with_mutant(mutant), Trace::default()).err()?));
    let found = (0..within).find_map(fails);
    let (seed, why) = found.unwrap_or_else(|| panic!("{mutant:?} is not found in {within} seeds"));
    println!("{mutant:?}: seed {seed}: {why:.200}");
    seed
}

#[test]
fn a_reply_before_it_is_applied() {
    found(Mutant::ReplyBeforeApplied, 10);
}

#[test]
fn entries_without_a_fence() {
    found(Mutant::NoFence, 100);
}

#[test]
fn batches_acknowledged_before_the_fsync() {
    found(Mutant::AckBeforeSync, 20);
}

#[test]
fn a_clock_that_follows_the_wall() {
    found(Mutant::WallClock, 20);
}

#[cfg(feature = "mutants")]
mod of_production {
    use super::*;
    use actors::shard::Mutant as OfShard;

    #[test]
    fn a_staged_view_kept_over_a_lost_term() {
        found(Mutant::Shard(OfShard::KeepStaged), 40);
    }

    #[test]
    fn a_request_id_in_an_entry_of_its_own() {
        found(Mutant::Shard(OfShard::DeferRequestRow), 40);
    }

    #[test]
    fn a_panic_that_keeps_its_writes() {
        found(Mutant::Shard(OfShard::PanicKeepsOverlay), 10);
    }

    #[test]
    fn a_refusal_that_does_not_wait() {
        found(Mutant::Shard(OfShard::RefuseAtOnce), 100);
    }

    #[test]
    fn a_log_purged_up_to_what_is_applied() {
        found(Mutant::PurgeToApplied, 40);
    }
}
