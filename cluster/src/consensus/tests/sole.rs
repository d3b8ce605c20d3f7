//! RAFT §4, P27: a group of one.

use super::bench::Bench;
use crate::consensus::*;
use wire::ids::ReplicaId;

/// A group of one leads at its first tick and answers after one fsync.
#[test]
fn a_sole_voter_leads_at_once() {
    let mut bench = Bench::of(1);
    bench.tick();
    assert!(bench.view(1).serving);
    let ticket = bench.propose(1, "one");
    assert_eq!(bench.answer(ticket), None);
    bench.run();
    assert!(matches!(bench.answer(ticket), Some(Outcome::Committed(_))));
}

/// The leak of 1 → 2: it wins, and the same ready offers messages and the unsynced vote. They wait for the vote.
#[test]
fn a_sole_voter_is_silent_until_its_vote_is_durable() {
    let mut bench = Bench::of(1);
    bench.elect(1);
    bench.add_learner(1, 2);
    bench.restart(1);
    bench.at(1).holds_syncs = true;
    bench.tick_alone(1);
    bench.propose(1, "first");
    assert_eq!(bench.view(1).role, Role::Leader);
    assert!(bench.at(1).outbox.is_empty(), "{:?}", bench.kinds(1));
    bench.sync(1);
    assert!(!bench.at(1).outbox.is_empty());
    // From now on the term is durable and a leader sends while its own fsync runs.
    bench.run();
    bench.at(1).outbox.clear();
    bench.propose(1, "second");
    assert!(!bench.at(1).outbox.is_empty() && !bench.at(1).written.is_empty());
}

/// A follower left as sole voter must not campaign before its tail is synced: the library panics.
#[test]
fn a_sole_voter_does_not_tick_over_an_unsynced_tail() {
    let mut bench = Bench::with(2, Settings { leader_may_leave: true, ..Settings::default() });
    bench.elect(1);
    bench.at(2).holds_syncs = true;
    bench.change(1, Change::Remove(ReplicaId(1)));
    // The removal is on 2's disk; what follows it is not.
    let appends = std::mem::take(&mut bench.at(1).outbox);
    for (to, bytes) in appends {
        bench.give(to.0, Input::Message { group: super::bench::GROUP, to, bytes });
    }
    bench.sync(2);
    bench.propose(1, "tail");
    bench.run();
    assert_eq!(bench.view(2).conf.voters, [ReplicaId(2)], "2 is alone now");
    assert!(!bench.at(2).written.is_empty());
    bench.ticks(60);
    assert_eq!(bench.view(2).role, Role::Follower);
    bench.at(2).holds_syncs = false;
    bench.ticks(60);
    assert_eq!(bench.view(2).role, Role::Leader);
}

/// A sole *leader* ticks on under load: its learners live on its heartbeats.
#[test]
fn a_sole_leader_ticks_while_it_writes() {
    let mut bench = Bench::of(1);
    bench.elect(1);
    bench.add_learner(1, 2);
    bench.at(1).holds_syncs = true;
    bench.propose(1, "under way");
    bench.at(1).outbox.clear();
    (0..6).for_each(|_| bench.tick_alone(1));
    assert!(bench.kinds(1).contains(&raft::eraftpb::MessageType::MsgHeartbeat));
}
