//! Every kind of endpoint.

use super::rig::{Rig, bump};
use crate::call::{Answer, Dispatch};
use crate::kit::*;
use wire::error::reasons;
use wire::rpc::RequestId;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_writes_and_a_query_reads_what_was_answered() {
    let rig = Rig::start().await;
    for count in 1..=20 {
        assert_eq!(rig.call(bump("e", 1)).await.unwrap().count, count);
        assert_eq!(rig.count("alice", "e").await, count);
    }
    let denied = rig.call(DenyRequest { entity: "e".into() }).await.unwrap_err();
    assert!(denied.is(&DENIED) && denied.is_refusal() && denied.id == "kit.deny", "{denied:?}");
    assert_eq!(denied.detail, "saw 20");
    assert_eq!(rig.count("alice", "e").await, 20);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn accounts_see_nothing_of_each_other() {
    let rig = Rig::start().await;
    for (account, by) in [("alice", 1), ("alic", 10), ("alicee", 100), ("", 1000)] {
        for entity in ["e", "", "e\0", "\0"] {
            rig.call_as(account, bump(entity, by)).await.unwrap();
            assert_eq!(rig.count(account, entity).await, by, "{account:?}/{entity:?}");
        }
        let all = rig.call_as(account, AllRequest::default()).await.unwrap();
        assert_eq!(all.names, ["", "\0", "e", "e\0"], "{account:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gather_is_in_order_page_by_page_over_all_groups() {
    let rig = Rig::start().await;
    let mut names: Vec<String> = (0..45).map(|n| format!("n{n}")).collect();
    for name in &names {
        rig.call(bump(name, 1)).await.unwrap();
    }
    names.sort();
    let (mut found, mut cursor, mut pages) = (Vec::new(), String::new(), 0);
    loop {
        let page = rig.call(AllRequest { limit: 10, cursor }).await.unwrap();
        pages += 1;
        assert!(page.names.len() <= 10);
        found.extend(page.names);
        cursor = page.cursor;
        if cursor.is_empty() {
            break;
        }
    }
    assert_eq!((found, pages), (names, 5));
    assert_eq!(rig.call(AllRequest { limit: 101, ..Default::default() }).await.unwrap_err().code, 400);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_local_a_handler_and_a_stream() {
    let rig = Rig::start().await;
    assert_eq!(rig.call(EchoRequest { text: "hi".into() }).await.unwrap().text, "hi");
    // It calls an internal endpoint as well, as the same account.
    assert_eq!(rig.call(TwiceRequest { entity: "e".into(), by: 5 }).await.unwrap().count, 105);
    assert_eq!(rig.count("bob", "e").await, 0);
    let call = Rig::call_of("alice", &StepsRequest { to: 100 }, RequestId::None);
    let Ok(Answer::Items(mut items)) = rig.router.call(call).await else { panic!("no stream") };
    let mut seen = 0;
    while let Some(item) = items.recv().await {
        seen += 1;
        assert_eq!(wire::endpoint::decode::<Counted>(&item.unwrap()).unwrap().count, seen);
    }
    assert_eq!(seen, 100);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_service_calls_is_held_to_its_limits() {
    let rig = Rig::start().await;
    let error = rig.call(TwiceRequest { entity: "e".into(), by: 1_000_001 }).await.unwrap_err();
    assert!(error.is(&reasons::BAD_FIELD) && error.id == "kit.bump", "{error:?}");
    assert_eq!(
        (error.detail.as_str(), rig.count("alice", "e").await),
        ("by: must be at most 1,000,000, it is 1,000,001", 0)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p12_a_retried_handler_makes_the_same_calls() {
    let rig = Rig::start().await;
    let twice = || TwiceRequest { entity: "e".into(), by: 5 };
    let first = rig.call_once(twice(), "k").await.unwrap();
    assert_eq!(rig.call_once(twice(), "k").await.unwrap(), first);
    assert_eq!(rig.count("alice", "e").await, 105);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p12_a_new_entity_has_the_same_name_at_every_retry() {
    let rig = Rig::start().await;
    let first = rig.call_once(MakeRequest::default(), "k").await.unwrap();
    assert_eq!(rig.call_once(MakeRequest::default(), "k").await.unwrap(), first);
    assert!(first.created);
    let other = rig.call_once(MakeRequest::default(), "l").await.unwrap();
    let without = rig.call(MakeRequest::default()).await.unwrap();
    assert!(other.entity != first.entity && without.entity != first.entity && without.entity != other.entity);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn internal_endpoints_cannot_be_reached_from_a_door() {
    let rig = Rig::start().await;
    let error = rig.call(HiddenRequest { entity: "e".into() }).await.unwrap_err();
    assert!(error.is(&reasons::NO_SUCH_ENDPOINT) && error.code == 404, "{error:?}");
    assert_eq!(rig.count("alice", "e").await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p5_once_through_the_router() {
    let rig = Rig::start().await;
    assert_eq!(rig.call_once(bump("e", 1), "k").await.unwrap().count, 1);
    rig.call(bump("e", 1)).await.unwrap();
    assert_eq!(rig.call_once(bump("e", 1), "k").await.unwrap().count, 1);
    assert_eq!(rig.call_once(bump("e", 2), "k").await.unwrap_err().code, 422);
    assert_eq!(rig.count("alice", "e").await, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_is_too_long_is_refused_by_name() {
    let rig = Rig::start().await;
    let error = rig.call(bump(&"x".repeat(1025), 1)).await.unwrap_err();
    assert!(error.code == 400 && error.detail.contains("entity"), "{error:?}");
}
