//! P5.

use super::ground::{Ground, HOUR, Proposed, bump, caller, session, told};
use crate::kit::{BumpRequest, DENIED, DenyRequest};
use crate::shard::Step;
use cluster::group::Settled;
use wire::Outcome;
use wire::error::reasons;
use wire::rpc::RequestId;

/// The reply of a call that changes nothing, once it is confirmed.
fn repeat<R: wire::Request>(ground: &mut Ground, request: &R, id: RequestId) -> Result<R::Response, wire::Error> {
    let (command, answer) = ground.command(request, id);
    match ground.run([command]).pop() {
        Some(Step::Confirm { replies, .. }) => replies.finish(Settled::Applied),
        Some(Step::Propose { entry, .. }) => panic!("it would change {:?}", entry.ops),
        None => {}
    }
    told::<R>(answer).expect("answered")
}

#[test]
fn p5_the_reply_lies_in_the_commands_own_entry() {
    for id in [caller("k"), session(1, 1)] {
        let mut ground = Ground::new();
        let (proposed, _) = ground.propose(&bump("e", 1), id.clone());
        // The count, the reply, and for a caller's id the moment it is over.
        assert_eq!(proposed.entry.ops.len(), if matches!(id, RequestId::Caller(_)) { 3 } else { 2 });
        ground.settle(proposed, Settled::Applied);
        assert_eq!(repeat(&mut ground, &bump("e", 1), id.clone()).unwrap().count, 1);
        ground.open();
        assert_eq!(repeat(&mut ground, &bump("e", 1), id).unwrap().count, 1, "in another view too");
    }
    let mut ground = Ground::new();
    assert_eq!(ground.propose(&bump("e", 1), RequestId::None).0.entry.ops.len(), 1, "without an id no row");
}

#[test]
fn p5_a_refusal_is_kept_with_its_words() {
    let mut ground = Ground::new();
    let deny = DenyRequest { entity: "e".into() };
    let first = ground.call(&deny, caller("k")).unwrap_err();
    assert!(first.is(&DENIED));
    ground.call(&bump("e", 7), RequestId::None).unwrap();
    assert_eq!(repeat(&mut ground, &deny, caller("k")).unwrap_err(), first);
}

#[test]
fn p5_another_payload_or_entity_is_422_staged_or_not() {
    let mut ground = Ground::new();
    let (proposed, _) = ground.propose(&bump("e", 1), session(1, 1));
    let (other, answer) = ground.command(&bump("e", 2), session(1, 1));
    let Some(Step::Propose { entry, replies, .. }) = ground.run([other]).pop() else { panic!() };
    ground.settle(proposed, Settled::Applied);
    ground.settle(Proposed { entry, replies }, Settled::Applied);
    let error = told::<BumpRequest>(answer).unwrap().unwrap_err();
    assert!(error.is(&reasons::ID_REUSED) && error.code == 422 && error.outcome == Outcome::NotRun);
    assert!(repeat(&mut ground, &bump("other", 1), session(1, 1)).unwrap_err().is(&reasons::ID_REUSED));
    // A caller's ids are the entity's: elsewhere the same one is another call.
    ground.call(&bump("e", 1), caller("k")).unwrap();
    assert_eq!(ground.call(&bump("other", 1), caller("k")).unwrap().count, 1);
    assert!(repeat(&mut ground, &bump("e", 5), caller("k")).unwrap_err().is(&reasons::ID_REUSED));
}

#[test]
fn p5_a_second_arrival_waits_and_never_hears_that_the_call_will_not_run() {
    let mut ground = Ground::new();
    let (first, _) = ground.propose(&bump("e", 1), caller("k"));
    let (copy, mut second) = ground.command(&bump("e", 1), caller("k"));
    let Some(Step::Propose { entry, replies, .. }) = ground.run([copy]).pop() else { panic!() };
    assert!(second.try_recv().is_err());
    // The first is applied, the empty entry behind it is not: the call ran, whatever became of its copy.
    ground.settle(first, Settled::Applied);
    ground.settle(Proposed { entry, replies }, Settled::NotRun);
    assert_eq!(told::<BumpRequest>(second).unwrap().unwrap_err().outcome, Outcome::Unknown);
    ground.open();
    assert_eq!(repeat(&mut ground, &bump("e", 1), caller("k")).unwrap().count, 1);
}

#[test]
fn p5_what_a_session_waits_for_no_more_goes_and_does_not_run_again() {
    let mut ground = Ground::new();
    for n in 1..=5 {
        ground.call(&bump("e", 1), session(n, 1)).unwrap();
    }
    let rows = ground.rows.0.len();
    let (proposed, _) = ground.propose(&bump("e", 1), session(6, 5));
    ground.settle(proposed, Settled::Applied);
    assert_eq!(ground.rows.0.len(), rows + 1 - 4, "one more, and 1 to 4 gone");
    for _ in 0..2 {
        let error = repeat(&mut ground, &bump("e", 1), session(3, 3)).unwrap_err();
        assert!(error.is(&reasons::ID_REUSED) && error.outcome == Outcome::Unknown, "{error:?}");
        assert_eq!(repeat(&mut ground, &bump("e", 1), session(5, 5)).unwrap().count, 5);
        ground.open();
    }
}

#[test]
fn p5_a_callers_id_is_good_for_24_hours() {
    let mut ground = Ground::new();
    ground.call(&bump("e", 1), caller("k")).unwrap();
    ground.passes(HOUR * 24 - std::time::Duration::from_nanos(1));
    assert_eq!(repeat(&mut ground, &bump("e", 1), caller("k")).unwrap().count, 1);
    ground.passes(std::time::Duration::from_nanos(1));
    assert_eq!(ground.call(&bump("e", 1), caller("k")).unwrap().count, 2);
    // Written again before it was swept: the old place in the index must not take the new reply along.
    let sweep = ground.shard.sweep(&ground.rows, ground.now).unwrap();
    let Some(Step::Propose { entry, replies, .. }) = sweep else { panic!("something is due") };
    ground.settle(Proposed { entry, replies }, Settled::Applied);
    assert_eq!(repeat(&mut ground, &bump("e", 1), caller("k")).unwrap().count, 2);
}

#[test]
fn p5_accounts_share_no_ids() {
    let mut ground = Ground::new();
    ground.call(&bump("e", 1), caller("k")).unwrap();
    for id in [caller("k"), session(1, 1)] {
        let (theirs, _answer) = ground.command_of("bob", &bump("e", 5), id);
        let Some(Step::Propose { entry, .. }) = ground.run([theirs]).pop() else { panic!("taken for another's") };
        assert!(!entry.ops.is_empty());
    }
}
