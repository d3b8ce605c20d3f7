//! Each rule left out is found within so many seeds. A mutant that is not found is a checker that looks away.

use crate::cluster::{Mutant, Plan, run};
use crate::consensus::Trace;

fn found(mutant: Mutant, within: u64) {
    let fails = |seed| Some((seed, run(Plan::of(seed).with_mutant(mutant), Trace::default()).err()?));
    let found = (0..within).find_map(fails);
    let (seed, why) = found.unwrap_or_else(|| panic!("{mutant:?} is not found in {within} seeds"));
    println!("{mutant:?}: seed {seed}: {why:.200}");
}

#[test]
fn a_replica_destroyed_when_it_is_to_leave() {
    found(Mutant::DestroyAtOnce, 40);
}

#[test]
fn a_lost_disk_that_comes_back_under_old_ids() {
    found(Mutant::OldIds, 60);
}

#[test]
fn batches_acknowledged_before_the_fsync() {
    found(Mutant::AckBeforeSync, 40);
}

#[cfg(feature = "mutants")]
#[test]
fn a_log_purged_up_to_what_is_applied() {
    found(Mutant::PurgeToApplied, 40);
}
