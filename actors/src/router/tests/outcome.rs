//! P6.

use super::rig::Rig;
use crate::kit::{BumpRequest, DENIED, DenyRequest, TwiceRequest, WhisperRequest};
use crate::outcome::{OutcomeRequest, OutcomeResponse};
use serde_json::json;
use wire::Outcome;
use wire::error::reasons;

fn bump(entity: &str, by: i64) -> BumpRequest {
    BumpRequest { entity: entity.into(), by }
}

async fn ask(rig: &Rig, account: &str, id: &str, fence: bool) -> OutcomeResponse {
    let asked = OutcomeRequest { id: id.into(), fence, service: String::new() };
    rig.call_as(account, asked).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p6_what_was_done_under_an_id_is_told_to_its_account() {
    let rig = Rig::start().await;
    rig.call_once(bump("e", 3), "k").await.unwrap();
    rig.call_once(bump("f", 4), "k").await.unwrap();
    rig.call_once(DenyRequest { entity: "g".into() }, "k").await.unwrap_err();
    rig.call_once(bump("e", 100), "kk").await.unwrap();
    let told = ask(&rig, "alice", "k", false).await;
    assert_eq!((told.state.as_str(), told.definite), ("done", false));
    let mut calls: Vec<_> = told.calls.iter().map(|c| (c.entity.as_str(), c.endpoint.as_str(), &c.reply.0)).collect();
    calls.sort_by_key(|call| call.0);
    let (three, four) = (json!({"count": "3"}), json!({"count": "4"}));
    assert_eq!(calls, [("e", "Bump", &three), ("f", "Bump", &four), ("g", "Deny", &json!(null))]);
    let refused = told.calls.iter().find(|call| call.entity == "g").unwrap();
    assert_eq!((&refused.error.0["reason"], &refused.error.0["outcome"]), (&json!(DENIED.word), &json!("ran")));
    assert_eq!(ask(&rig, "bob", "k", false).await.state, "not_seen");
    assert_eq!(
        ask(&rig, "alice", "never", false).await,
        OutcomeResponse { state: "not_seen".into(), ..Default::default() }
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p6_a_handlers_calls_are_told_too_and_sealed_replies_to_their_owner() {
    let rig = Rig::start().await;
    rig.call_once(TwiceRequest { entity: "e".into(), by: 5 }, "k").await.unwrap();
    let told = ask(&rig, "alice", "k", false).await;
    assert_eq!(told.calls.len(), 2, "{told:?}");
    rig.call_once(WhisperRequest { entity: "e".into(), ttl_ms: 60_000 }, "w").await.unwrap();
    let told = ask(&rig, "alice", "w", false).await;
    assert_eq!(told.calls[0].reply.0["entity"], "the secret of the day");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p6_only_a_fence_makes_not_seen_definite() {
    let rig = Rig::start().await;
    rig.call_once(bump("e", 3), "done").await.unwrap();
    let told = ask(&rig, "alice", "late", true).await;
    assert_eq!((told.state.as_str(), told.definite), ("not_seen", true));
    // The call comes after all: it is refused in every group, and nothing happens.
    for n in 0..50 {
        let error = rig.call_once(bump(&format!("e{n}"), 1), "late").await.unwrap_err();
        assert!(error.is(&reasons::ID_GIVEN_UP) && error.outcome == Outcome::NotRun, "{error:?}");
        assert_eq!(rig.count("alice", &format!("e{n}")).await, 0);
    }
    // Nor does what a handler would call under it.
    let error = rig.call_once(TwiceRequest { entity: "e0".into(), by: 1 }, "late").await.unwrap_err();
    assert!(error.is(&reasons::ID_GIVEN_UP), "{error:?}");
    assert_eq!(rig.count("alice", "e0").await, 0);
    // Other ids and accounts go on, and what was done before is told again.
    assert_eq!(rig.call_once(bump("e0", 1), "later").await.unwrap().count, 1);
    let told = ask(&rig, "alice", "done", true).await;
    assert_eq!((told.state.as_str(), told.calls.len()), ("done", 1));
    assert_eq!(rig.call_once(bump("e", 3), "done").await.unwrap().count, 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p6_a_call_under_way_is_told_as_running_until_it_is_certain() {
    let rig = std::sync::Arc::new(Rig::start().await);
    rig.call(bump("e", 1)).await.unwrap();
    rig.syncs.close();
    let call = tokio::spawn({
        let rig = rig.clone();
        async move { rig.call_once(bump("e", 1), "slow").await }
    });
    while ask(&rig, "alice", "slow", false).await.state != "running" {
        tokio::task::yield_now().await;
    }
    rig.syncs.open();
    assert_eq!(call.await.unwrap().unwrap().count, 2);
    assert_eq!(ask(&rig, "alice", "slow", false).await.state, "done");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_question_under_the_id_it_asks_for_is_no_call_under_way() {
    let rig = Rig::start().await;
    let asked = OutcomeRequest { id: "k".into(), ..Default::default() };
    assert_eq!(rig.call_once(asked, "k").await.unwrap().state, "not_seen");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_questions() {
    let rig = Rig::start().await;
    let ask = |id: &str, service: &str| OutcomeRequest { id: id.into(), fence: false, service: service.into() };
    let error = rig.call(ask("", "")).await.unwrap_err();
    assert!(error.is(&reasons::BAD_BODY) && error.detail.starts_with("id:"), "{error:?}");
    assert!(rig.call(ask("k", "nobody")).await.unwrap_err().is(&reasons::NO_SUCH_SERVICE));
    assert_eq!(rig.call(ask("k", "kit")).await.unwrap().state, "not_seen");
}
