//! Retries: only when they cannot do a thing twice, and under the id of the first try.

use super::proxy::Proxy;
use super::*;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Hangs the first call, answers the others; like a runtime, it knows a request id again.
fn hang_once() -> Arc<Fake> {
    let calls = AtomicUsize::new(0);
    Fake::new(move |_| match calls.fetch_add(1, Ordering::SeqCst) {
        0 => Reaction::Later(oneshot::channel().1),
        _ => Reaction::Reply(credited(5)),
    })
}

async fn until_seen(fake: &Fake, count: usize) {
    while fake.seen().len() < count {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_connection_lost_mid_call_is_tried_again_under_the_same_id() {
    let fake = hang_once();
    let node = run(fake.clone()).await;
    let proxy = Proxy::new(node.at).await;
    let client = client(proxy.at).await;
    let call = tokio::spawn({
        let client = client.clone();
        async move { client.call(credit(5)).await }
    });
    until_seen(&fake, 1).await;
    proxy.cut();
    assert_eq!(call.await.unwrap().unwrap().balance, 5);
    let ids: Vec<RequestId> = fake.seen().into_iter().map(|seen| seen.request_id).collect();
    assert_eq!((ids.len(), &ids[0]), (2, &ids[1]));
    // The next call is the next number: none was used up by the retry.
    client.call(credit(6)).await.unwrap();
    assert!(matches!(fake.seen()[2].request_id, RequestId::Session { n: 2, low: 2, .. }));
}

#[tokio::test]
async fn when_no_retry_is_left_the_outcome_is_unknown() {
    let fake = hang_once();
    let node = run(fake.clone()).await;
    let proxy = Proxy::new(node.at).await;
    let client = client(proxy.at).await.with_deadline(Duration::from_millis(300));
    let call = tokio::spawn({
        let client = client.clone();
        async move { client.call(credit(5)).await }
    });
    until_seen(&fake, 1).await;
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    proxy.lead_to(nobody);
    proxy.cut();
    let error = call.await.unwrap().unwrap_err();
    assert_eq!(error.outcome(), Outcome::Unknown, "{error:?}");
    // A call that never left is another matter.
    let error = client.call(credit(6)).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::NotRun, "{error:?}");
    proxy.lead_to(node.at);
    assert_eq!(client.with_deadline(Duration::from_secs(10)).call(credit(7)).await.unwrap().balance, 5);
}

#[tokio::test]
async fn what_the_cluster_could_not_do_just_now_is_tried_again() {
    let failures = Mutex::new(vec![
        reasons::LEADER_LOST.refuse("lost").with_outcome(Outcome::Unknown),
        reasons::NO_LEADER.refuse("none").retry_after_ms(10),
        reasons::OVERLOADED.refuse("full"),
    ]);
    let fake = Fake::new(move |_| match failures.lock().unwrap().pop() {
        Some(error) => Reaction::Fail(error),
        None => Reaction::Reply(credited(1)),
    });
    let node = run(fake.clone()).await;
    assert_eq!(client(node.at).await.call(credit(1)).await.unwrap().balance, 1);
    let seen = fake.seen();
    assert!(seen.len() == 4 && seen.iter().all(|call| call.request_id == seen[0].request_id), "{seen:?}");
}

#[tokio::test]
async fn what_ran_or_is_refused_is_not_tried_again() {
    for error in [
        Reason::unavailable("closed").because("the service says so"),
        Reason::too_many("limit").because("the service says so"),
        reasons::BAD_BODY.refuse("no"),
        reasons::PANICKED.refuse("oops").with_outcome(Outcome::Unknown),
        reasons::DEADLINE.refuse("late"),
    ] {
        let fake = Fake::new({
            let error = error.clone();
            move |_| Reaction::Fail(error.clone())
        });
        let node = run(fake.clone()).await;
        let got = client(node.at).await.call(credit(1)).await.unwrap_err();
        assert_eq!((got.answer().unwrap().reason.clone(), got.outcome()), (error.reason.clone(), error.outcome));
        assert_eq!(fake.seen().len(), 1, "{error}");
    }
}

#[tokio::test]
async fn an_unknown_try_is_not_made_undone_by_a_later_refusal() {
    let calls = AtomicUsize::new(0);
    let fake = Fake::new(move |_| match calls.fetch_add(1, Ordering::SeqCst) {
        0 => Reaction::Fail(reasons::LEADER_LOST.refuse("lost").with_outcome(Outcome::Unknown)),
        _ => Reaction::Fail(reasons::TOO_LARGE.refuse("not run this time")),
    });
    let node = run(fake).await;
    let error = client(node.at).await.call(credit(1)).await.unwrap_err();
    assert!(error.is(&reasons::TOO_LARGE) && error.outcome() == Outcome::Unknown, "{error:?}");
}

#[tokio::test]
async fn types_of_another_version_travel_as_json() {
    // The same endpoint, as an older client knew it: a field less in each direction.
    mod older {
        use schemars::JsonSchema;
        use serde::{Deserialize, Serialize};
        wire::endpoints! { demo: Command Credit(CreditRequest) -> CreditResponse, key id; }
        #[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
        pub struct CreditRequest {
            pub id: String,
            pub amount: i64,
        }
        #[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
        pub struct CreditResponse {
            pub balance: i64,
            pub gone: Vec<u64>,
        }
    }
    assert_eq!(older::endpoints().len(), 1);
    let fake = Fake::echo();
    let node = run(fake.clone()).await;
    let client = client(node.at).await;
    for amount in [i64::MAX, 2] {
        let reply = client.call(older::CreditRequest { amount, ..Default::default() }).await.unwrap();
        assert_eq!((reply.balance, reply.gone), (amount, vec![]));
    }
    // The first one was asked in binary, refused, and not counted twice.
    assert!(matches!(fake.seen()[1].request_id, RequestId::Session { n: 2, .. }), "{:?}", fake.seen());
}

#[tokio::test]
async fn a_client_speaks_to_one_cluster_only() {
    let node = run(Fake::echo()).await;
    let other = run_with(Fake::echo(), |doors| doors.identity.cluster = wire::ids::ClusterId([8; 16]), |_| {}).await;
    assert_ne!(identity().cluster, wire::ids::ClusterId([8; 16]));
    let proxy = Proxy::new(node.at).await;
    let client = client(proxy.at).await;
    client.call(credit(1)).await.unwrap();
    proxy.lead_to(other.at);
    proxy.cut();
    let error = client.call(credit(2)).await.unwrap_err();
    assert_eq!(error.answer().map(|error| error.reason.as_ref()), Some("other_cluster"), "{error:?}");
}
