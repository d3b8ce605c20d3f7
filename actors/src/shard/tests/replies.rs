//! P3 and P14: when and what a caller hears.

use super::ground::{Ground, HOUR, Proposed, TERM, bump, told};
use crate::kit::{BumpRequest, DENIED, DenyRequest};
use crate::shard::Step;
use cluster::group::Settled;
use wire::Outcome;
use wire::error::reasons;
use wire::rpc::RequestId;

#[test]
fn p3_a_reply_waits_for_its_proposal() {
    let mut ground = Ground::new();
    let (proposed, mut answer) = ground.propose(&bump("e", 1), RequestId::None);
    assert!(answer.try_recv().is_err());
    ground.settle(proposed, Settled::Applied);
    assert_eq!(told::<BumpRequest>(answer).unwrap().unwrap().count, 1);
}

#[test]
fn p3_without_effects_and_with_nothing_under_way_a_read_round_of_the_term_confirms() {
    let mut ground = Ground::new();
    for refuses in [true, false] {
        let (deny, denied) = ground.command(&DenyRequest { entity: "e".into() }, RequestId::None);
        let (look, mut looked) = ground.command(&bump("e", 0), RequestId::None);
        let mut steps = ground.run(if refuses { vec![deny] } else { vec![look] });
        let Some(Step::Confirm { term, replies }) = steps.pop() else { panic!("a proposal without effects") };
        assert_eq!(term, TERM);
        if refuses {
            replies.finish(Settled::Applied);
            assert!(told::<DenyRequest>(denied).unwrap().unwrap_err().is(&DENIED));
        } else {
            assert!(looked.try_recv().is_err(), "told before it was confirmed");
            replies.finish(Settled::NotRun);
            assert_eq!(told::<BumpRequest>(looked).unwrap().unwrap_err().outcome, Outcome::NotRun);
        }
    }
}

#[test]
fn p3_a_refusal_over_staged_rows_waits_behind_them() {
    let mut ground = Ground::new();
    let (under_way, _) = ground.propose(&bump("e", 5), RequestId::None);
    let (deny, mut denied) = ground.command(&DenyRequest { entity: "e".into() }, RequestId::None);
    let Some(Step::Propose { entry, replies, .. }) = ground.run([deny]).pop() else {
        panic!("nothing goes behind the rows it saw")
    };
    assert!(entry.ops.is_empty());
    ground.settle(under_way, Settled::Applied);
    assert!(denied.try_recv().is_err());
    ground.settle(Proposed { entry, replies }, Settled::Applied);
    assert_eq!(told::<DenyRequest>(denied).unwrap().unwrap_err().detail, "saw 5");
}

#[test]
fn p14_what_is_over_before_it_runs_does_not_run() {
    let mut ground = Ground::new();
    let (late, answer) = ground.command(&bump("e", 1), super::ground::caller("k"));
    let (gone, nobody) = ground.command(&bump("e", 1), RequestId::None);
    drop(nobody);
    let (fine, _answer) = ground.command(&bump("e", 1), RequestId::None);
    let late = crate::shard::Command { deadline: ground.now.instant, ..late };
    let Some(Step::Propose { entry, .. }) = ground.run([late, gone, fine]).pop() else { panic!() };
    assert_eq!(entry.ops.len(), 1);
    let error = told::<BumpRequest>(answer).unwrap().unwrap_err();
    assert!(error.is(&reasons::DEADLINE) && error.outcome == Outcome::NotRun);
    assert!(ground.now.instant + HOUR > ground.start);
}

#[test]
fn it_is_idle_only_when_nothing_is_under_way_and_no_session_lives() {
    let mut ground = Ground::new();
    assert!(ground.shard.is_idle());
    let (proposed, _) = ground.propose(&bump("e", 1), RequestId::None);
    assert!(!ground.shard.is_idle());
    ground.settle(proposed, Settled::Applied);
    assert!(ground.shard.is_idle());
    ground.call(&bump("e", 1), super::ground::session(1, 1)).unwrap();
    assert!(!ground.shard.is_idle());
}
