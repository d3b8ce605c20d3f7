//! Calls that come in at one node and are answered by another.

use super::cluster::{Cluster, Fate};
use super::rig::{Rig, bump};
use crate::call::Call;
use crate::kit::*;
use crate::outcome::OutcomeRequest;
use crate::router::message::{Asked, Of, Remote, Reply, Told};
use std::time::{Duration, Instant};
use wire::Outcome;
use wire::error::reasons;
use wire::ids::{Incarnation, NodeId};
use wire::rpc::{Body, RequestId};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_takes_one_hop_to_its_leader_and_a_query_none() {
    let cluster = Cluster::start().await;
    for count in 1..=5 {
        assert_eq!(cluster.at(2, bump("e", 1)).await.unwrap().count, count);
        assert_eq!(cluster.sent(), [(2, 1)]);
        assert_eq!(cluster.count(3, "e").await, count);
        assert_eq!(cluster.sent(), []);
    }
    let denied = cluster.at(3, DenyRequest { entity: "e".into() }).await.unwrap_err();
    assert!(denied.is(&DENIED) && denied.is_refusal() && denied.id == "kit.deny", "{denied:?}");
    assert_eq!(cluster.at(1, bump("e", 1)).await.unwrap().count, 6);
    assert_eq!(cluster.sent(), [(3, 1)], "and none where it is led");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_entity_has_the_name_the_first_node_gave_it() {
    let cluster = Cluster::start().await;
    let made = cluster.at(2, MakeRequest::default()).await.unwrap();
    assert!(made.created);
    assert_eq!(cluster.count(1, &made.entity).await, 1);
    let first = cluster.once_at(2, MakeRequest::default(), "k").await.unwrap();
    assert_eq!(cluster.once_at(3, MakeRequest::default(), "k").await.unwrap(), first);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_does_not_lead_says_who_does_and_that_is_remembered() {
    // The third node holds nothing, so it must ask.
    let cluster = Cluster::of(|node, _| node != 3, |_| service()).await;
    cluster.lead(2);
    assert_eq!(cluster.at(3, bump("e", 1)).await.unwrap().count, 1);
    assert_eq!(cluster.sent(), [(3, 1), (3, 2)]);
    assert_eq!(cluster.at(3, bump("e", 1)).await.unwrap().count, 2);
    assert_eq!(cluster.sent(), [(3, 2)]);
    // A query needs a replica, and the leader's answers without asking further.
    assert_eq!(cluster.count(3, "e").await, 2);
    assert_eq!(cluster.sent(), [(3, 2)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_of_another_node_is_never_sent_on() {
    let cluster = Cluster::start().await;
    let body = wire::endpoint::encode(&bump("e", 1)).unwrap();
    let schema = (wire::Endpoint::of::<BumpRequest>().schema_hash)();
    let of = Of {
        account: "alice".into(),
        service: "kit".into(),
        endpoint: "Bump".into(),
        body: Body::Binary { schema, bytes: wire::Bytes(body) },
        stale_ok: false,
        trace: [0; 16],
        span: [0; 8],
    };
    let asked = Remote::Command(Asked { of, request_id: RequestId::None, entity: "e".into() });
    let message = bytes::Bytes::from(wire::codec::encode(&asked).unwrap());
    let told = |node: u64, time: Duration| {
        let answer = cluster.routers[&node].remote(NodeId(3), message.clone(), time);
        async { wire::codec::decode::<Told<Reply>>(&answer.await.unwrap()).unwrap() }
    };
    let Told { what, leader } = told(2, Duration::from_secs(20)).await;
    let error = what.unwrap_err();
    assert!(error.is(&reasons::NO_LEADER) && error.outcome == Outcome::NotRun, "{error:?}");
    assert_eq!((leader, cluster.sent()), (Some(NodeId(1)), vec![]));
    // One that comes too late does not run (P14).
    let error = told(1, Duration::ZERO).await.what.unwrap_err();
    assert!(error.is(&reasons::DEADLINE) && error.outcome == Outcome::NotRun, "{error:?}");
    assert_eq!(cluster.count(1, "e").await, 0);
    assert!(told(1, Duration::from_secs(20)).await.what.is_ok());
    let garbage = cluster.routers[&1].remote(NodeId(3), bytes::Bytes::from_static(&[1, 99]), Duration::from_secs(1));
    assert_eq!(garbage.await.unwrap_err().outcome, Outcome::NotRun);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failover_is_waited_out_and_the_call_is_done_once() {
    let cluster = std::sync::Arc::new(Cluster::start().await);
    cluster.once_at(2, bump("e", 1), "first").await.unwrap();
    for (round, id) in [(1, Some("k")), (2, None)] {
        cluster.lead(0);
        cluster.sent();
        let call = tokio::spawn({
            let cluster = cluster.clone();
            async move {
                match id {
                    Some(id) => cluster.once_at(2, bump("e", 1), id).await,
                    None => cluster.at(2, bump("e", 1)).await,
                }
            }
        });
        // It asks around until somebody leads.
        cluster.sent_at_least(4).await;
        cluster.lead(3);
        assert_eq!(call.await.unwrap().unwrap().count, 1 + round);
    }
    assert_eq!(cluster.once_at(1, bump("e", 1), "k").await.unwrap().count, 2, "under its own id");
    assert_eq!(cluster.count(1, "e").await, 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_waits_runs_here_once_this_node_leads() {
    let cluster = std::sync::Arc::new(Cluster::start().await);
    cluster.next(1, [Fate::NotSent; 1000]);
    let call = tokio::spawn({
        let cluster = cluster.clone();
        async move { cluster.at(2, bump("e", 1)).await }
    });
    cluster.sent_at_least(2).await;
    cluster.lead(2);
    assert_eq!(call.await.unwrap().unwrap().count, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_lost_is_asked_again_under_an_id_and_never_without() {
    let cluster = Cluster::start().await;
    for (n, fate) in [Fate::AnswerLost, Fate::Lost].into_iter().enumerate() {
        let (with, without) = (format!("with{n}"), format!("without{n}"));
        cluster.next(1, [fate; 2]);
        assert_eq!(cluster.once_at(2, bump(&with, 1), &with).await.unwrap().count, 1);
        assert_eq!(cluster.count(1, &with).await, 1);
        cluster.sent();
        cluster.next(1, [fate]);
        let error = cluster.at(2, bump(&without, 1)).await.unwrap_err();
        assert!(error.is(&reasons::LEADER_LOST) && error.outcome == Outcome::Unknown, "{error:?}");
        assert_eq!(cluster.sent(), [(2, 1)]);
        assert_eq!(cluster.count(1, &without).await, i64::from(fate == Fate::AnswerLost));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_hears_not_run_of_a_call_that_may_have() {
    let cluster = Cluster::start().await;
    // It runs, its answer is lost, and nobody leads any more.
    cluster.next(1, [vec![Fate::AnswerLost], vec![Fate::NotSent; 10_000]].concat());
    cluster.next(3, [Fate::NotSent; 10_000]);
    let soon = Instant::now() + Duration::from_millis(300);
    let call = Call { deadline: soon, ..Rig::call_of("alice", &bump("e", 1), RequestId::Caller("k".into())) };
    let error = cluster.send::<BumpRequest>(2, call).await.unwrap_err();
    assert!(error.is(&reasons::NO_LEADER) && error.outcome == Outcome::Unknown, "{error:?}");
    assert_eq!(cluster.count(1, "e").await, 1);
    // One that never left is another matter.
    let soon = Instant::now() + Duration::from_millis(100);
    let call = Call { deadline: soon, ..Rig::call_of("alice", &bump("e", 1), RequestId::None) };
    let error = cluster.send::<BumpRequest>(2, call).await.unwrap_err();
    assert!(error.is(&reasons::NO_LEADER) && error.outcome == Outcome::NotRun, "{error:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leader_that_went_silent_is_not_waited_for() {
    let cluster = std::sync::Arc::new(Cluster::start().await);
    cluster.next(1, [Fate::Swallowed]);
    let call = tokio::spawn({
        let cluster = cluster.clone();
        async move { cluster.once_at(2, bump("e", 1), "k").await }
    });
    cluster.sent_at_least(1).await;
    cluster.lead(3);
    assert_eq!(call.await.unwrap().unwrap().count, 1);
    assert_eq!(cluster.sent(), [(2, 1), (2, 3)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_goes_elsewhere_when_this_replica_knows_nobody() {
    let cluster = Cluster::start().await;
    cluster.at(1, bump("e", 7)).await.unwrap();
    cluster.blind(2);
    assert_eq!(cluster.count(2, "e").await, 7);
    // A lost answer of a read is asked for again: it changed nothing.
    cluster.next(1, [Fate::Lost]);
    assert_eq!(cluster.count(2, "e").await, 7);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_that_move_are_found_where_they_are_now() {
    let cluster = Cluster::of(|node, _| node == 1, |_| service()).await;
    assert_eq!(cluster.at(3, bump("e", 1)).await.unwrap().count, 1);
    let mut meta = (*cluster.routers[&3].meta()).clone();
    meta.topology.placed.retain(|placed| placed.node != NodeId(1));
    meta.topology.version += 1;
    cluster.meta.send(std::sync::Arc::new(meta)).unwrap();
    assert_eq!(cluster.routers[&3].meta().topology.version, 2);
    // What it remembers is wrong by now, and nobody else is known to hold the group.
    cluster.lead(2);
    let soon = Instant::now() + Duration::from_millis(100);
    let call = Call { deadline: soon, ..Rig::call_of("alice", &bump("e", 1), RequestId::None) };
    let error = cluster.send::<BumpRequest>(3, call).await.unwrap_err();
    assert!(error.is(&reasons::NO_LEADER) && error.outcome == Outcome::NotRun, "{error:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p6_an_outcome_is_told_by_all_nodes() {
    let cluster = std::sync::Arc::new(Cluster::start().await);
    let ask = |id: &str, fence: bool| OutcomeRequest { id: id.into(), fence, ..Default::default() };
    cluster.once_at(3, bump("e", 1), "done").await.unwrap();
    let told = cluster.at(2, ask("done", false)).await.unwrap();
    assert_eq!((told.state.as_str(), told.calls.len()), ("done", 1));
    // Came in at the third, runs on the first, asked for at the second.
    let syncs = cluster.ground.as_ref().unwrap().syncs.clone();
    syncs.close();
    let call = tokio::spawn({
        let cluster = cluster.clone();
        async move { cluster.once_at(3, bump("e", 1), "slow").await }
    });
    while cluster.at(2, ask("slow", false)).await.unwrap().state != "running" {
        tokio::task::yield_now().await;
    }
    syncs.open();
    assert_eq!(call.await.unwrap().unwrap().count, 2);
    // A fence at one node holds at all.
    let told = cluster.at(2, ask("late", true)).await.unwrap();
    assert_eq!((told.state.as_str(), told.definite), ("not_seen", true));
    for node in 1..=3 {
        let error = cluster.once_at(node, bump("e", 1), "late").await.unwrap_err();
        assert!(error.is(&reasons::ID_GIVEN_UP) && error.outcome == Outcome::NotRun, "{error:?}");
    }
    assert_eq!(cluster.count(2, "e").await, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_that_got_too_little_time_elsewhere_is_asked_again() {
    let cluster = Cluster::start().await;
    cluster.at(1, bump("e", 7)).await.unwrap();
    cluster.blind(2);
    // Taken in late: the time that this try was given is over by then.
    cluster.next(1, [Fate::Late]);
    assert_eq!(cluster.count(2, "e").await, 7);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn worker_numbers_come_from_who_leads_meta() {
    let cluster = Cluster::start().await;
    let lease = |node: u64, life: u64| {
        let router = cluster.routers[&node].clone();
        async move { router.lease(Incarnation(life), Instant::now() + Duration::from_secs(20)).await.unwrap() }
    };
    let (first, second, third) = (lease(1, 1).await, lease(2, 1).await, lease(3, 1).await);
    assert!(first != second && second != third && first != third, "{first} {second} {third}");
    assert_eq!(lease(2, 1).await, second, "renewed");
    assert!(![first, second, third].contains(&lease(2, 2).await), "the next life takes another");
    // An answer that is lost is asked for again, and the number is the same.
    cluster.next(1, [Fate::AnswerLost]);
    assert_eq!(lease(3, 1).await, third);
}
