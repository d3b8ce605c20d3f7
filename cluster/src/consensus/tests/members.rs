//! RAFT §4: changes of membership.

use super::bench::Bench;
use crate::consensus::*;
use wire::ids::ReplicaId;

fn refused(why: Refusal) -> Option<Outcome> {
    Some(Outcome::Refused(why))
}

#[test]
fn a_group_grows_from_one_to_three_and_swaps() {
    let mut bench = Bench::of(1);
    bench.elect(1);
    for id in [2, 3, 4] {
        bench.add_learner(1, id);
        if id < 4 {
            let ticket = bench.change(1, Change::Promote(ReplicaId(id)));
            bench.run();
            bench.ticks(6);
            assert!(matches!(bench.answer(ticket), Some(Outcome::Committed(_))), "{id}: {:?}", bench.answer(ticket));
        }
    }
    let ticket = bench.change(1, Change::Swap { into: ReplicaId(4), out: ReplicaId(2) });
    bench.run();
    bench.ticks(6);
    assert!(matches!(bench.answer(ticket), Some(Outcome::Committed(_))));
    let conf = bench.view(1).conf;
    assert_eq!(conf.voters, [ReplicaId(1), ReplicaId(3), ReplicaId(4)]);
    assert!(conf.voters_outgoing.is_empty(), "the joint phase ended by itself");
}

/// One at a time: the library says `Ok` to a second one and makes it an empty entry.
#[test]
fn a_second_change_is_refused_until_the_first_is_applied() {
    let mut bench = Bench::of(3);
    bench.elect(1);
    bench.at(1).holds_applies = true;
    bench.change(1, Change::AddLearner(ReplicaId(8)));
    bench.run();
    let second = bench.change(1, Change::AddLearner(ReplicaId(9)));
    assert_eq!(bench.answer(second).cloned(), refused(Refusal::ChangePending));
    bench.at(1).holds_applies = false;
    bench.run();
    let third = bench.change(1, Change::AddLearner(ReplicaId(9)));
    bench.run();
    assert!(matches!(bench.answer(third), Some(Outcome::Committed(_))));
}

#[test]
fn changes_that_may_not_be_made_are_refused_by_name() {
    let mut bench = Bench::of(3);
    bench.elect(1);
    let cases = [
        (Change::Remove(ReplicaId(1)), Refusal::Leader),
        (Change::Demote(ReplicaId(1)), Refusal::Leader),
        (Change::Promote(ReplicaId(9)), Refusal::Impossible),
        (Change::AddLearner(ReplicaId(2)), Refusal::Impossible),
        (Change::Remove(ReplicaId(9)), Refusal::Impossible),
        (Change::Swap { into: ReplicaId(2), out: ReplicaId(3) }, Refusal::Impossible),
    ];
    for (change, why) in cases {
        let ticket = bench.change(1, change.clone());
        assert_eq!(bench.answer(ticket).cloned(), refused(why), "{change:?}");
    }
    let elsewhere = bench.change(2, Change::AddLearner(ReplicaId(9)));
    assert_eq!(bench.answer(elsewhere), Some(&Outcome::NotLeader(Some(ReplicaId(1)))));
}

/// A learner votes only when it is near the end of the log.
#[test]
fn a_learner_far_behind_is_not_promoted() {
    let mut bench = Bench::of(1);
    bench.elect(1);
    bench.change(1, Change::AddLearner(ReplicaId(2)));
    bench.run();
    let early = bench.change(1, Change::Promote(ReplicaId(2)));
    assert_eq!(bench.answer(early).cloned(), refused(Refusal::Behind));
}

#[test]
fn the_last_voter_stays() {
    let mut bench = Bench::with(1, Settings { leader_may_leave: true, ..Settings::default() });
    bench.elect(1);
    let ticket = bench.change(1, Change::Remove(ReplicaId(1)));
    assert_eq!(bench.answer(ticket).cloned(), refused(Refusal::Impossible));
}

/// A leader that finds itself no voter steps down by itself, removed or demoted, and reads nothing from then on.
#[test]
fn a_leader_that_is_no_voter_steps_down() {
    for change in [Change::Remove(ReplicaId(1)), Change::Demote(ReplicaId(1))] {
        let mut bench = Bench::with(2, Settings { leader_may_leave: true, ..Settings::default() });
        bench.elect(1);
        bench.change(1, change);
        bench.run();
        assert_ne!(bench.view(1).role, Role::Leader);
        bench.cut.insert(1);
        let read = bench.read(1);
        bench.run();
        assert_eq!(bench.answer(read), None);
        assert_eq!(bench.stands[&1].core.lease(super::bench::GROUP, bench.now), None);
        bench.elect(2);
    }
}

/// P13: a leader whose clock cannot be trusted gives up its place.
#[test]
fn a_leader_steps_down_when_told() {
    let mut bench = Bench::of(3);
    bench.elect(1);
    bench.give(1, Input::StepDown { group: super::bench::GROUP });
    assert_eq!(bench.view(1).role, Role::Follower);
}

#[test]
fn leadership_is_handed_over() {
    let mut bench = Bench::of(3);
    bench.elect(1);
    bench.give(1, Input::Transfer { group: super::bench::GROUP, to: ReplicaId(3) });
    bench.run();
    assert_eq!(bench.view(3).role, Role::Leader);
    assert_eq!(bench.view(1).leader, Some(ReplicaId(3)));
}

/// §4: a removed replica goes on voting until it is destroyed.
#[test]
fn a_removed_replica_still_votes() {
    let mut bench = Bench::of(2);
    bench.elect(1);
    let kept = bench.at(1).state.clone();
    bench.change(1, Change::Remove(ReplicaId(2)));
    bench.run();
    bench.tick();
    // 1 forgets that it was committed: its state was not flushed and its newest commit was not synced.
    bench.at(1).state = kept;
    let hard_state = &mut bench.at(1).disk.hard_state;
    hard_state.commit = wire::ids::Index(hard_state.commit.0 - 1);
    bench.restart(1);
    assert_eq!(bench.view(1).conf.voters.len(), 2, "it needs 2 again");
    bench.elect(1);
    assert_eq!(bench.view(1).conf.voters, [ReplicaId(1)]);
}
