//! What goes wrong stays where it went wrong.

use super::rig::{Rig, bump};
use crate::kit::*;
use crate::mailbox::COMMANDS_MAX;
use crate::router::Patience;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use wire::Outcome;
use wire::error::reasons;
use wire::rpc::RequestId;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p2_a_panic_is_answered_with_500_and_harms_nobody_else() {
    let rig = Rig::start().await;
    rig.call(bump("e", 1)).await.unwrap();
    let (boom, same, other) = tokio::join!(
        rig.call(BoomRequest { entity: "e".into() }),
        rig.call(bump("e", 1)),
        rig.call_as("bob", bump("e", 1)),
    );
    let error = boom.unwrap_err();
    assert!(error.is(&reasons::PANICKED) && error.code == 500 && error.outcome == Outcome::NotRun, "{error:?}");
    assert_eq!((same.unwrap().count, other.unwrap().count), (2, 1));
    let error = rig.call(BadRequest { entity: "e".into() }).await.unwrap_err();
    assert!(error.is(&reasons::PANICKED), "{error:?}");
    assert_eq!(rig.count("alice", "e").await, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p2_an_actor_that_fails_is_replaced_and_what_it_answered_is_there() {
    let rig = Rig::start().await;
    rig.call(bump("e", 1)).await.unwrap();
    for round in 0..5 {
        rig.break_actor.store(true, Ordering::SeqCst);
        let error = rig.call(bump("e", 1)).await.unwrap_err();
        assert_eq!(error.outcome, Outcome::Unknown, "nobody can tell: {error:?}");
        // Under an id it is asked again, and done once.
        rig.break_actor.store(true, Ordering::SeqCst);
        assert_eq!(rig.call_once(bump("e", 1), &format!("k{round}")).await.unwrap().count, 2 + round);
    }
    assert_eq!(rig.count("alice", "e").await, 6);
    assert_eq!(rig.router.active_shards().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn overload_is_refused_at_once_and_the_rest_is_done() {
    let rig = Rig::start().await;
    // The view of a new shard cannot open while the disk stands still, so everything waits in its mailbox.
    rig.syncs.close();
    let wanted = COMMANDS_MAX + 50;
    let calls: Vec<_> = (0..wanted)
        .map(|_| {
            let router = rig.router.clone();
            let call = Rig::call_of("alice", &bump("e", 1), RequestId::None);
            tokio::spawn(async move { crate::call::Dispatch::call(&router, call).await.map(drop) })
        })
        .collect();
    let refused = || calls.iter().filter(|call| call.is_finished()).count();
    rig.until(|_| refused() >= 50).await;
    rig.syncs.open();
    let mut done = 0;
    for call in calls {
        match call.await.unwrap() {
            Ok(()) => done += 1,
            Err(error) => {
                assert!(error.is(&reasons::OVERLOADED) && error.code == 429, "{error:?}");
                assert!(error.retry_after_ms > 0 && error.outcome == Outcome::NotRun);
            }
        }
    }
    assert_eq!(done, COMMANDS_MAX);
    assert_eq!(rig.count("alice", "e").await, COMMANDS_MAX as i64);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p14_a_call_whose_time_is_over_does_not_run() {
    let rig = Rig::start().await;
    let mut call = Rig::call_of("alice", &bump("e", 1), RequestId::None);
    call.deadline = Instant::now();
    let error = rig.send::<BumpRequest>(call).await.unwrap_err();
    assert!(error.is(&reasons::DEADLINE) && error.code == 504 && error.outcome == Outcome::NotRun, "{error:?}");
    // One whose time ends while it waits: nobody can tell its caller, and it does not run later.
    rig.syncs.close();
    let mut call = Rig::call_of("alice", &bump("e", 1), RequestId::None);
    call.deadline = Instant::now() + Duration::from_millis(30);
    let error = rig.send::<BumpRequest>(call).await.unwrap_err();
    assert!(error.is(&reasons::DEADLINE) && error.outcome == Outcome::Unknown, "{error:?}");
    rig.syncs.open();
    assert_eq!(rig.call(bump("e", 10)).await.unwrap().count, 10);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_idle_shard_goes_and_comes_back() {
    let patience = Patience { idle: Duration::ZERO, look_every: Duration::from_millis(5) };
    let rig = Rig::start_with(patience).await;
    for count in 1..=10 {
        assert_eq!(rig.call(bump("e", 1)).await.unwrap().count, count);
        rig.until(|rig| rig.router.active_shards().is_empty()).await;
    }
    // Calls and rests at the same time.
    for count in 11..=300 {
        assert_eq!(rig.call(bump("e", 1)).await.unwrap().count, count);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p15_due_rows_go_though_nobody_calls() {
    let patience = Patience { idle: Duration::ZERO, look_every: Duration::from_millis(5) };
    let rig = Rig::start_with(patience).await;
    rig.call(FadeRequest { entity: "e".into(), ttl_ms: 30 }).await.unwrap();
    let rows = |rig: &Rig| {
        let stores = &rig.running.as_ref().unwrap().stores;
        let due = |store: &storage::replica::ReplicaStore| {
            store
                .view(|rows| Ok(sdk::runtime::expiry::next_due(&crate::rows::Committed(rows), "kit")))
                .unwrap()
                .unwrap()
        };
        stores.values().filter_map(due).count()
    };
    assert_eq!(rows(&rig), 1);
    rig.until(|rig| rows(rig) == 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_that_change_much_neither_stop_the_node_nor_each_other() {
    let rig = Rig::start().await;
    let big = |rows| BigRequest { entity: "e".into(), rows, bytes: 60_000 };
    // Alone it would not fit into a batch of the log, whose writer would have to end the node.
    let error = rig.call(big(300)).await.unwrap_err();
    assert!(error.is(&reasons::TOO_LARGE) && error.outcome == Outcome::NotRun, "{error:?}");
    // And together, in one turn of the loop, neither would these: 24 entities of four groups, 72 MB.
    rig.syncs.slow_ms.store(20, Ordering::SeqCst);
    let calls = (0..24).map(|n| rig.call(BigRequest { entity: format!("e{n}"), rows: 50, bytes: 60_000 }));
    for done in futures::future::join_all(calls).await {
        // The library takes only so much at once; it says so.
        assert!(done.is_ok() || done.as_ref().is_err_and(|e| e.outcome == Outcome::NotRun), "{done:?}");
    }
    rig.call(bump("e", 1)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_actor_that_is_killed_leaves_its_mailbox_to_the_next() {
    let rig = Rig::start().await;
    rig.syncs.close();
    let waiting = rig.call(bump("e", 1));
    let killed = async {
        rig.until(|rig| !rig.router.active_shards().is_empty()).await;
        for mailbox in rig.router.inner.services["kit"].mailboxes.values() {
            if let Some(actor) = mailbox.actor() {
                actor.kill();
            }
        }
        rig.syncs.open();
    };
    assert_eq!(tokio::join!(waiting, killed).0.unwrap().count, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_router_that_stops_says_so_at_once_to_everybody() {
    let rig = Rig::start().await;
    rig.router.stop();
    rig.until(|rig| rig.router.inner.services["kit"].supervisor.get_status() == ractor::ActorStatus::Stopped).await;
    for _ in 0..3 {
        let error = rig.call(bump("e", 1)).await.unwrap_err();
        assert!(error.is(&reasons::STOPPING) && error.outcome == Outcome::NotRun, "{error:?}");
    }
}
