//! RAFT §5, §6: reads and leases.

use super::bench::{Bench, decode};
use crate::consensus::*;
use raft::eraftpb::MessageType::MsgHeartbeat;
use std::time::Duration;
use wire::ids::Index;

fn contexts(bench: &Bench, id: u64) -> Vec<Vec<u8>> {
    let messages = bench.stands[&id].outbox.iter().map(|(_, bytes)| decode(bytes));
    messages.filter(|message| message.get_msg_type() == MsgHeartbeat).map(|message| message.context.to_vec()).collect()
}

/// The answer waits until the index is applied.
#[test]
fn a_read_waits_until_its_index_is_applied() {
    let mut bench = Bench::of(3);
    bench.elect(1);
    bench.at(1).holds_applies = true;
    bench.propose(1, "one");
    bench.run();
    let read = bench.read(1);
    bench.run();
    assert_eq!(bench.answer(read), None);
    bench.apply(1);
    assert_eq!(bench.answer(read), Some(&Outcome::ReadAt(bench.view(1).commit)));
}

#[test]
fn a_follower_reads_through_its_leader() {
    let mut bench = Bench::of(3);
    bench.elect(1);
    bench.propose(1, "one");
    bench.run();
    let commit = bench.view(1).commit;
    let read = bench.read(3);
    bench.run();
    bench.tick();
    assert_eq!(bench.answer(read), Some(&Outcome::ReadAt(commit)));
}

/// One round at a time: what comes meanwhile waits for the next, since it began later.
#[test]
fn a_read_never_joins_a_round_that_began_before_it() {
    let mut bench = Bench::of(3);
    bench.elect(1);
    let first = bench.read(1);
    let round = contexts(&bench, 1);
    assert_eq!(round.len(), 2);
    let second = bench.read(1);
    assert_eq!(contexts(&bench, 1).len(), 2, "no second round beside the first");
    bench.run();
    assert!(bench.answer(first).is_some() && bench.answer(second).is_some());
}

/// P26: there is no notice of loss; after a deadline the read is asked again under a new context, and in the end
/// answered that nothing was read.
#[test]
fn a_lost_round_is_asked_again_under_a_new_context() {
    let mut bench = Bench::of(3);
    bench.elect(1);
    let read = bench.read(1);
    let lost = contexts(&bench, 1);
    bench.at(1).outbox.clear();
    bench.now += bench.settings.read_round_max;
    bench.tick_alone(1);
    let again = contexts(&bench, 1);
    assert!(again.iter().any(|context| !context.is_empty() && !lost.contains(context)));
    bench.run();
    assert!(matches!(bench.answer(read), Some(Outcome::ReadAt(_))));
    bench.cut.insert(1);
    let hopeless = bench.read(1);
    bench.now += bench.settings.read_max;
    bench.tick_alone(1);
    assert_eq!(bench.answer(hopeless), Some(&Outcome::NotRun));
}

/// P26: contexts are unique over replicas and restarts.
#[test]
fn contexts_are_never_the_same_twice() {
    let mut seen = std::collections::BTreeSet::new();
    let mut bench = Bench::of(3);
    for leader in [1, 2, 1, 1] {
        bench.elect(leader);
        for _ in 0..3 {
            bench.read(leader);
            let round = contexts(&bench, leader).into_iter().find(|context| !context.is_empty());
            assert!(seen.insert(round.expect("a round")));
            bench.run();
        }
        bench.restart(leader);
    }
}

/// §5: a leader that has not committed in its term would drop the round silently; it waits instead.
#[test]
fn a_new_leader_reads_only_after_its_first_commit() {
    let mut bench = Bench::of(3);
    bench.elect(1);
    bench.give(1, Input::Transfer { group: super::bench::GROUP, to: wire::ids::ReplicaId(2) });
    bench.at(2).holds_syncs = true;
    bench.run();
    bench.cut.insert(1);
    // It campaigns as soon as its vote is on disk; its first entry then is not.
    bench.sync(2);
    bench.run();
    let view = bench.view(2);
    assert_eq!(view.role, Role::Leader);
    bench.at(3).holds_syncs = true;
    assert!(view.commit < view.last);
    let read = bench.read(2);
    assert!(contexts(&bench, 2).iter().all(Vec::is_empty), "no round yet");
    bench.at(2).holds_syncs = false;
    bench.at(3).holds_syncs = false;
    bench.run();
    bench.ticks(6);
    assert_eq!(bench.answer(read), Some(&Outcome::ReadAt(bench.view(2).commit)));
}

fn with_leases() -> Bench {
    Bench::with(3, Settings { lease_drift: Some(Duration::from_millis(10)), ..Settings::default() })
}

/// P25: a lease is the start of an answered round + (election_tick − 1) ticks − drift, and no longer.
#[test]
fn a_lease_ends_when_it_should() {
    let mut bench = with_leases();
    bench.elect(1);
    let lease = |bench: &Bench, after_ms: u64| {
        bench.stands[&1].core.lease(super::bench::GROUP, bench.now + Duration::from_millis(after_ms))
    };
    assert_eq!(lease(&bench, 0), None, "no round was answered yet");
    bench.read(1);
    bench.run();
    let commit = bench.view(1).commit;
    assert_eq!(lease(&bench, 539), Some(commit));
    assert_eq!(lease(&bench, 540), None);
}

/// §6: none for the rest of the term after a transfer.
#[test]
fn a_transfer_forfeits_the_lease() {
    let mut bench = with_leases();
    bench.elect(1);
    bench.read(1);
    bench.run();
    bench.cut.insert(2);
    bench.give(1, Input::Transfer { group: super::bench::GROUP, to: wire::ids::ReplicaId(2) });
    bench.ticks(13);
    bench.read(1);
    bench.run();
    assert_eq!(bench.stands[&1].core.lease(super::bench::GROUP, bench.now), None);
    assert_eq!(bench.view(1).role, Role::Leader);
}

#[test]
fn leases_are_off_by_default_and_a_group_of_one_needs_none() {
    let mut bench = Bench::of(3);
    bench.elect(1);
    bench.read(1);
    bench.run();
    assert_eq!(bench.stands[&1].core.lease(super::bench::GROUP, bench.now), None);
    let mut alone = Bench::of(1);
    alone.elect(1);
    assert_eq!(alone.stands[&1].core.lease(super::bench::GROUP, alone.now), Some(alone.view(1).commit));
    assert!(alone.view(1).commit > Index(1));
}
