//! P1 and P2.

use super::ground::{Ground, TERM, bump, told};
use crate::kit::{BigRequest, BoomRequest, BumpRequest};
use crate::shard::{EFFECTS_BYTES_MAX, Step};
use cluster::group::Settled;
use std::time::Duration;
use wire::Outcome;
use wire::error::reasons;
use wire::rpc::RequestId;

#[test]
fn neighbours_are_one_proposal_and_the_next_run_does_not_wait() {
    let mut ground = Ground::new();
    let (commands, answers): (Vec<_>, Vec<_>) = (0..10).map(|_| ground.command(&bump("e", 1), RequestId::None)).unzip();
    let mut steps = ground.run(commands);
    let Some(Step::Propose { term, entry, replies }) = steps.pop() else { panic!("no proposal") };
    assert!(steps.is_empty());
    assert_eq!((term, entry.fence.n, entry.ops.len()), (TERM, 1, 10));
    let (next, later) = ground.propose(&bump("e", 1), RequestId::None);
    assert_eq!((next.entry.fence.epoch, next.entry.fence.n), (entry.fence.epoch, 2));
    ground.settle(super::ground::Proposed { entry, replies }, Settled::Applied);
    let counts: Vec<i64> = answers.into_iter().map(|a| told::<BumpRequest>(a).unwrap().unwrap().count).collect();
    assert_eq!(counts, (1..=10).collect::<Vec<_>>());
    ground.settle(next, Settled::Applied);
    assert_eq!(told::<BumpRequest>(later).unwrap().unwrap().count, 11);
}

#[test]
fn a_run_that_writes_much_is_several_entries_numbered_without_a_gap() {
    let mut ground = Ground::new();
    let big = BigRequest { entity: "e".into(), rows: 10, bytes: 60_000 };
    let (commands, _answers): (Vec<_>, Vec<_>) = (0..4).map(|_| ground.command(&big, RequestId::None)).unzip();
    let numbers: Vec<u64> = ground.run(commands).iter().map(number).collect();
    assert_eq!(numbers, [1, 2, 3, 4]);
}

fn number(step: &Step) -> u64 {
    match step {
        Step::Propose { entry, .. } => entry.fence.n,
        Step::Confirm { .. } => 0,
    }
}

#[test]
fn p1_a_lost_proposal_closes_the_view_and_everything_staged_is_gone() {
    for how in [Settled::NotRun, Settled::Unknown] {
        let mut ground = Ground::new();
        ground.call(&bump("e", 1), RequestId::None).unwrap();
        let (lost, answer) = ground.propose(&bump("e", 10), RequestId::None);
        let (behind, _) = ground.propose(&bump("e", 100), RequestId::None);
        ground.settle(lost, how);
        let outcome = told::<BumpRequest>(answer).unwrap().unwrap_err().outcome;
        assert_eq!(outcome, if how == Settled::NotRun { Outcome::NotRun } else { Outcome::Unknown });
        assert!(ground.shard.is_closed());
        // Its word comes when another view is open already: it must not touch that one.
        ground.open();
        ground.settle(behind, Settled::NotRun);
        assert!(ground.shard.is_open());
        assert_eq!(ground.call(&bump("e", 1), RequestId::None).unwrap().count, 2);
    }
}

#[test]
fn p1_nothing_runs_while_the_view_opens() {
    let mut ground = Ground::new();
    ground.shard.open(TERM, 99, ground.now);
    let (command, answer) = ground.command(&bump("e", 1), RequestId::None);
    assert!(ground.run([command]).is_empty());
    assert!(told::<BumpRequest>(answer).unwrap().unwrap_err().is(&reasons::NO_LEADER));
}

#[test]
fn p2_a_panic_takes_its_own_overlay_and_neighbours_run() {
    let mut ground = Ground::new();
    let (first, one) = ground.command(&bump("e", 1), RequestId::None);
    let (boom, panicked) = ground.command(&BoomRequest { entity: "e".into() }, super::ground::caller("k"));
    let (last, two) = ground.command(&bump("e", 1), RequestId::None);
    let Some(Step::Propose { entry, replies, .. }) = ground.run([first, boom, last]).pop() else { panic!() };
    let error = told::<BoomRequest>(panicked).unwrap().unwrap_err();
    assert!(error.is(&reasons::PANICKED) && error.code == 500 && error.outcome == Outcome::NotRun);
    assert_eq!(entry.ops.len(), 2, "two counts; of the panic no row, and no reply under its id");
    ground.settle(super::ground::Proposed { entry, replies }, Settled::Applied);
    assert_eq!(told::<BumpRequest>(one).unwrap().unwrap().count, 1);
    assert_eq!(told::<BumpRequest>(two).unwrap().unwrap().count, 2);
}

#[test]
fn p2_backoff_is_the_entitys_alone_and_ends() {
    let mut ground = Ground::new();
    for _ in 0..3 {
        let (boom, _answer) = ground.command(&BoomRequest { entity: "e".into() }, RequestId::None);
        assert!(ground.run([boom]).is_empty());
    }
    let (resting, answer) = ground.command(&bump("e", 1), RequestId::None);
    ground.run([resting]);
    let error = told::<BumpRequest>(answer).unwrap().unwrap_err();
    assert!(error.code == 429 && error.retry_after_ms > 0, "{error:?}");
    let (other, _answer) = ground.command_of("bob", &bump("e", 1), RequestId::None);
    assert_eq!(ground.run([other]).len(), 1);
    ground.passes(Duration::from_secs(1));
    let (again, _answer) = ground.command(&bump("e", 1), RequestId::None);
    assert_eq!(ground.run([again]).len(), 1);
}

#[test]
fn a_command_that_changes_too_much_is_refused_and_its_neighbours_run() {
    let mut ground = Ground::new();
    let rows = (EFFECTS_BYTES_MAX / 60_000 + 2) as u32;
    let (huge, answer) =
        ground.command(&BigRequest { entity: "e".into(), rows, bytes: 60_000 }, super::ground::caller("k"));
    let (small, _answer) = ground.command(&bump("e", 1), RequestId::None);
    let Some(Step::Propose { entry, .. }) = ground.run([huge, small]).pop() else { panic!() };
    let error = told::<BigRequest>(answer).unwrap().unwrap_err();
    assert!(error.is(&reasons::TOO_LARGE) && error.outcome == Outcome::NotRun, "{error:?}");
    assert_eq!(entry.ops.len(), 1);
}

#[test]
fn p13_an_opening_is_never_before_what_the_group_has_seen() {
    let mut ground = Ground::new();
    let seen = ground.now.time.plus(Duration::from_secs(60));
    ground.shard.not_before(seen);
    assert_eq!(ground.open().now_ns, seen.0);
    let (proposed, _) = ground.propose(&bump("e", 1), RequestId::None);
    assert_eq!(proposed.entry.now_ns, seen.0);
}
