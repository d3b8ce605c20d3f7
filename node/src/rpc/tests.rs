//! The door and the client over loopback, on a runtime that does as it is told.

use super::{Limits, serve_within};
use crate::door::gate::Bounds;
use crate::door::testing::{
    BalanceRequest, CreditRequest, Fake, Reaction, TOKEN, WatchRequest, credited, doors, identity,
};
use crate::door::{Doors, Gate, stop};
use client::Client;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use wire::error::reasons;
use wire::rpc::RequestId;
use wire::{Outcome, Reason};

mod frames;
mod proxy;
mod retries;
mod streams;
mod tls;

pub struct Running {
    pub at: SocketAddr,
    pub stopper: stop::Stopper,
    pub task: tokio::task::JoinHandle<std::io::Result<()>>,
}

pub async fn run(fake: Arc<Fake>) -> Running {
    run_with(fake, |_| {}, |_| {}).await
}

pub async fn run_with(
    fake: Arc<Fake>,
    edit: impl FnOnce(&mut Doors),
    edit_limits: impl FnOnce(&mut Limits),
) -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    let (stopper, stop) = stop::channel();
    let mut limits = Limits::default();
    edit_limits(&mut limits);
    let task = tokio::spawn(serve_within(listener, doors(fake, edit), limits, stop));
    Running { at, stopper, task }
}

pub async fn client(at: SocketAddr) -> Client {
    Client::builder().node(at.to_string()).token(TOKEN).connect().await.unwrap()
}

pub fn credit(amount: i64) -> CreditRequest {
    CreditRequest { amount, ..Default::default() }
}

#[tokio::test]
async fn a_typed_call_and_its_errors() {
    const POOR: Reason = Reason::bad_request("insufficient_credit");
    let fake = Fake::new(|seen| match seen.body["amount"].as_i64() {
        Some(amount) if amount < 0 => Reaction::Fail(POOR.because("has 0")),
        Some(amount) => Reaction::Reply(credited(amount)),
        None => Reaction::Panic,
    });
    let node = run(fake.clone()).await;
    let client = client(node.at).await;
    assert_eq!(client.call(credit(i64::MAX)).await.unwrap().balance, i64::MAX);
    let error = client.call(credit(-1)).await.unwrap_err();
    assert!(error.is(&POOR) && error.outcome() == Outcome::Ran, "{error:?}");
    assert_eq!(error.answer().unwrap().id, "demo.credit");
    let error = client.call(BalanceRequest::default()).await.unwrap_err();
    assert!(error.is(&reasons::PANICKED), "{error:?}");
    // The connection lives on.
    assert_eq!(client.call(credit(1)).await.unwrap().balance, 1);
}

#[tokio::test]
async fn ids_are_made_before_the_call_and_reads_have_none() {
    let fake = Fake::new(|_| Reaction::Reply(credited(0)));
    let node = run(fake.clone()).await;
    let client = client(node.at).await;
    client.call(credit(1)).await.unwrap();
    client.call(credit(2)).await.unwrap();
    client.call(BalanceRequest::default()).await.unwrap();
    client.with_request_id("mine").call(credit(3)).await.unwrap();
    let ids: Vec<RequestId> = fake.seen().into_iter().map(|seen| seen.request_id).collect();
    let RequestId::Session { client: session, n: 1, low: 1 } = ids[0] else { panic!("{ids:?}") };
    assert_eq!(
        ids[1..],
        [RequestId::Session { client: session, n: 2, low: 2 }, RequestId::None, RequestId::Caller("mine".into())]
    );
    let error = client.with_request_id("two words").call(credit(4)).await.unwrap_err();
    assert!(error.is(&reasons::BAD_REQUEST_ID));
}

#[tokio::test]
async fn many_calls_share_a_connection_and_answers_overtake() {
    let (tell, told) = oneshot::channel();
    let first = std::sync::Mutex::new(Some(told));
    let fake = Fake::new(move |seen| match seen.body["amount"].as_i64().unwrap() {
        0 => Reaction::Later(first.lock().unwrap().take().unwrap()),
        amount => Reaction::Reply(credited(amount)),
    });
    let node = run(fake.clone()).await;
    let client = client(node.at).await;
    let slow = tokio::spawn({
        let client = client.clone();
        async move { client.call(credit(0)).await }
    });
    while fake.seen().is_empty() {
        tokio::task::yield_now().await;
    }
    let quick = (1..=500).map(|n| {
        let client = client.clone();
        async move { client.call(credit(n)).await.unwrap().balance }
    });
    let got = futures::future::join_all(quick).await;
    assert_eq!(got, (1..=500).collect::<Vec<i64>>());
    assert!(!slow.is_finished());
    tell.send(credited(7)).unwrap();
    assert_eq!(slow.await.unwrap().unwrap().balance, 7);
}

#[tokio::test]
async fn json_calls_have_the_leniency_and_the_look_of_http() {
    let fake = Fake::echo();
    let node = run(fake.clone()).await;
    let client = client(node.at).await;
    let reply =
        client.call_json("demo", "credit", &serde_json::json!({"amount": "5", "sessionId": "s"})).await.unwrap();
    assert_eq!(reply, serde_json::json!({"balance": "5", "note": "", "part": null}));
    let error = client.call_json("demo", "Credit", &serde_json::json!({"amount": "x"})).await.unwrap_err();
    assert_eq!(error.answer().unwrap().detail, r#"amount: "x" is not a 64-bit integer"#);
    let error = client.call_json("demo", "Credti", &serde_json::json!({})).await.unwrap_err();
    assert!(error.is(&reasons::NO_SUCH_ENDPOINT) && error.to_string().contains("did you mean \"Credit\""), "{error}");
    assert_eq!(
        client.call_json("_", "Status", &serde_json::json!({})).await.unwrap(),
        serde_json::json!({"nodes": []})
    );
    let services = client.call_json("_", "Services", &serde_json::json!({})).await.unwrap();
    assert_eq!((&services[0]["name"], services[0]["endpoints"].as_array().unwrap().len()), (&"demo".into(), 4));
}

#[tokio::test]
async fn a_call_gives_up_at_its_deadline_and_is_cancelled() {
    let fake = Fake::new(|_| Reaction::Later(oneshot::channel().1));
    let node = run(fake.clone()).await;
    let client = client(node.at).await.with_deadline(Duration::from_millis(60));
    let error = client.call(credit(1)).await.unwrap_err();
    assert!(matches!(error, client::Error::TimedOut { outcome: Outcome::Unknown, .. }), "{error:?}");
    let error = client.call(BalanceRequest::default()).await.unwrap_err();
    assert!(matches!(error, client::Error::TimedOut { outcome: Outcome::NotRun, .. }), "{error:?}");
    assert_eq!(fake.seen().len(), 2);
}

#[tokio::test]
async fn a_full_node_refuses_at_once_and_the_client_comes_back() {
    let (tell, told) = oneshot::channel();
    let first = std::sync::Mutex::new(Some(told));
    let fake = Fake::new(move |_| match first.lock().unwrap().take() {
        Some(told) => Reaction::Later(told),
        None => Reaction::Reply(credited(2)),
    });
    let node =
        run_with(fake.clone(), |doors| doors.gate = Gate::new(Bounds { calls: 1, ..Bounds::default() }), |_| {}).await;
    let client = client(node.at).await;
    let held = tokio::spawn({
        let client = client.clone();
        async move { client.call(credit(1)).await }
    });
    while fake.seen().is_empty() {
        tokio::task::yield_now().await;
    }
    let impatient = client.with_deadline(Duration::from_millis(80)).call(credit(9)).await.unwrap_err();
    assert!(impatient.is(&reasons::OVERLOADED) && impatient.outcome() == Outcome::NotRun, "{impatient:?}");
    let patient = tokio::spawn(async move { client.call(credit(2)).await });
    tell.send(credited(1)).unwrap();
    assert_eq!(held.await.unwrap().unwrap().balance, 1);
    assert_eq!(patient.await.unwrap().unwrap().balance, 2);
}

#[tokio::test]
async fn who_may_not_come_in_hears_why() {
    let node = run(Fake::echo()).await;
    let error = Client::builder().node(node.at.to_string()).token("cmn_wrong").connect().await.err().unwrap();
    assert!(error.is(&reasons::UNAUTHORIZED), "{error:?}");
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let error = Client::builder().node(nobody.to_string()).token(TOKEN).connect().await.err().unwrap();
    assert!(matches!(error, client::Error::Unreachable { outcome: Outcome::NotRun, .. }), "{error:?}");
    // The second address serves when the first does not.
    let both =
        Client::builder().node(nobody.to_string()).node(node.at.to_string()).token(TOKEN).connect().await.unwrap();
    assert_eq!(both.call(credit(3)).await.unwrap().balance, 3);
}

#[tokio::test]
async fn stopping_answers_what_is_under_way_and_refuses_the_rest() {
    let (tell, told) = oneshot::channel();
    let first = std::sync::Mutex::new(Some(told));
    let fake = Fake::new(move |_| Reaction::Later(first.lock().unwrap().take().unwrap()));
    let node = run(fake.clone()).await;
    let client = client(node.at).await;
    let held = tokio::spawn({
        let client = client.clone();
        async move { client.call(credit(1)).await }
    });
    while fake.seen().is_empty() {
        tokio::task::yield_now().await;
    }
    node.stopper.stop();
    // Until the door has heard it, a second call panics inside.
    let impatient = client.with_deadline(Duration::from_millis(50));
    while !impatient.call(credit(2)).await.unwrap_err().is(&reasons::STOPPING) {
        tokio::task::yield_now().await;
    }
    tell.send(credited(1)).unwrap();
    assert_eq!(held.await.unwrap().unwrap().balance, 1);
    node.task.await.unwrap().unwrap();
}

#[tokio::test]
async fn p22_a_read_that_may_be_behind_is_told_so() {
    let node = run(Fake::new(|_| Reaction::Reply(credited(7)))).await;
    let client = client(node.at).await;
    for (client, stale) in [(client.clone(), false), (client.stale_ok(), true)] {
        let told = client.call_told(BalanceRequest::default()).await.unwrap();
        assert_eq!((told.reply.balance, told.stale), (7, stale));
        let told = client.call_json_told("demo", "Balance", &serde_json::json!({})).await.unwrap();
        assert_eq!((&told.reply["balance"], told.stale), (&serde_json::json!("7"), stale));
        assert!(!client.call_told(credit(1)).await.unwrap().stale, "no command is a read");
    }
}

#[tokio::test]
async fn the_topology_is_told_to_who_has_a_token() {
    let node = run(Fake::echo()).await;
    let told = client(node.at).await.call_json("_", "Topology", &serde_json::json!({})).await.unwrap();
    let want =
        serde_json::json!({"version": null, "groups": 0, "leaders": [], "nodes": [], "node": 1, "account": "local"});
    assert_eq!(told, want);
}
