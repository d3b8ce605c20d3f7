use super::*;
use crate::transport::{BODY_BYTES_MAX, CallError};
use futures::future::join_all;
use wire::error::{Outcome, reasons};

fn refused(answer: Result<Bytes, CallError>) -> wire::Error {
    match answer {
        Err(CallError::Refused(error)) => error,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn many_at_a_time_over_one_connection_each_get_their_own_answer() {
    let (_town, one, two) = pair().await;
    let bodies: Vec<Bytes> = (0..1000_u32).map(|n| n.to_string().into()).collect();
    let answers = join_all(bodies.iter().map(|body| one.call(two.id, ECHO, body.clone()))).await;
    assert_eq!(answers.into_iter().map(Result::unwrap).collect::<Vec<_>>(), bodies);
}

#[tokio::test]
async fn a_slow_call_holds_up_no_other() {
    let (_town, one, mut two) = pair().await;
    let slow = one.call(two.id, GATE, "slow");
    let mut slow = std::pin::pin!(slow);
    assert!(futures::poll!(slow.as_mut()).is_pending());
    assert_eq!(two.event().await, Event::Called(NodeId(1), GATE));
    assert_eq!(one.call(two.id, ECHO, "quick").await.unwrap(), "quick");
    two.told.gate.add_permits(1);
    assert_eq!(slow.await.unwrap(), "slow");
}

#[tokio::test]
async fn an_error_of_the_other_side_arrives_whole() {
    let (_town, one, two) = pair().await;
    let error = refused(one.call(two.id, REFUSE, "").await);
    assert_eq!(error, NO.because("never").at("test.call"));
    let error = refused(one.call(two.id, PANIC, "").await);
    assert!(error.is(&reasons::PANICKED) && error.outcome == Outcome::Unknown, "{error:?}");
    assert_eq!(one.call(two.id, ECHO, "on").await.unwrap(), "on", "the connection is none the worse");
}

#[tokio::test]
async fn whoever_gives_up_is_worked_for_no_longer() {
    let (_town, one, mut two) = pair().await;
    {
        let mut call = std::pin::pin!(one.call(two.id, HANG, ""));
        assert!(futures::poll!(call.as_mut()).is_pending());
        assert_eq!(two.event().await, Event::Called(NodeId(1), HANG));
    }
    assert_eq!(two.event().await, Event::Dropped);
    let deadline = Instant::now() + Duration::from_millis(300);
    let answer = one.network.call(two.id, HANG, Bytes::new(), deadline).await;
    // Both clocks run out together; either side may say so first.
    let late = matches!(&answer, Err(CallError::Refused(error)) if error.is(&reasons::DEADLINE));
    assert!(late || answer == Err(CallError::TimedOut), "{answer:?}");
    assert_eq!([two.event().await, two.event().await], [Event::Called(NodeId(1), HANG), Event::Dropped]);
}

#[tokio::test]
async fn what_is_late_already_or_too_long_or_leads_nowhere_is_not_sent() {
    let (town, one, two) = pair().await;
    let not_sent = |answer| matches!(answer, Err(CallError::NotSent(_)));
    assert!(not_sent(one.network.call(two.id, ECHO, Bytes::new(), Instant::now()).await));
    assert!(not_sent(one.call(two.id, ECHO, vec![0; BODY_BYTES_MAX + 1]).await));
    assert!(not_sent(one.network.call(NodeId(9), ECHO, Bytes::new(), soon()).await), "nobody knows node 9");
    assert!(not_sent(one.network.call(NodeId(1), ECHO, Bytes::new(), soon()).await), "that is this node");
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    town.set(3, closed);
    assert!(not_sent(one.network.call(NodeId(3), ECHO, Bytes::new(), soon()).await), "nobody listens there");
}

#[tokio::test]
async fn the_longest_body_fits_both_ways_and_a_longer_answer_is_an_error() {
    let (_town, one, two) = pair().await;
    let body = Bytes::from(vec![3; BODY_BYTES_MAX]);
    assert_eq!(one.call(two.id, ECHO, body.clone()).await.unwrap(), body);
    let error = refused(one.call(two.id, LONG, (BODY_BYTES_MAX + 1).to_string()).await);
    assert!(error.is(&reasons::TOO_LARGE) && error.outcome == Outcome::Ran, "{error:?}");
}

#[tokio::test]
async fn a_connection_that_ends_leaves_nobody_waiting() {
    let (_town, one, mut two) = pair().await;
    let calls = join_all((0..20).map(|_| one.call(two.id, HANG, "")));
    let mut calls = std::pin::pin!(calls);
    assert!(futures::poll!(calls.as_mut()).is_pending());
    for _ in 0..20 {
        two.events.recv().await.unwrap();
    }
    two.door.shutdown().await;
    let answers = timeout(PATIENCE, calls).await.unwrap();
    assert!(answers.iter().all(|answer| matches!(answer, Err(CallError::Lost(_)))), "{answers:?}");
}

#[tokio::test]
async fn more_than_there_is_room_for_are_refused_at_once() {
    let town = Town::default();
    let small = |calls| Limits { calls, ..Limits::default() };
    let one = Node::start(&town, me(1, 1), small(3)).await;
    let mut two = Node::start(&town, me(2, 1), small(2)).await;
    let mut waiting: Vec<_> = (0..3).map(|_| Box::pin(one.call(two.id, GATE, "held"))).collect();
    for call in &mut waiting {
        assert!(futures::poll!(call).is_pending());
    }
    let error = refused(one.call(two.id, ECHO, "").await);
    assert!(error.is(&reasons::OVERLOADED) && error.outcome == Outcome::NotRun, "{error:?}");
    // The third got through here and is refused there.
    let error = refused(waiting.pop().unwrap().await);
    assert!(error.is(&reasons::OVERLOADED), "{error:?}");
    assert_eq!((one.network.counters().calls_overloaded, two.network.counters().calls_refused), (2, 1));
    two.told.gate.add_permits(2);
    let answers = join_all(waiting).await;
    assert!(answers.iter().all(|answer| answer.as_ref().unwrap() == "held"));
    assert_eq!(two.event().await, Event::Called(NodeId(1), GATE));
    assert_eq!(one.call(two.id, ECHO, "room").await.unwrap(), "room");
}

#[tokio::test]
async fn so_are_more_bytes() {
    let town = Town::default();
    let one = Node::start(&town, me(1, 1), Limits { call_bytes: 1000, ..Limits::default() }).await;
    let mut two = Node::start(&town, me(2, 1), Limits::default()).await;
    let mut held = Box::pin(one.call(two.id, GATE, vec![0; 800]));
    assert!(futures::poll!(held.as_mut()).is_pending());
    assert!(refused(one.call(two.id, ECHO, vec![0; 300]).await).is(&reasons::OVERLOADED));
    assert_eq!(one.call(two.id, ECHO, vec![0; 200]).await.unwrap().len(), 200);
    drop(held);
    // The room is free again once the lane has cancelled the call, not sooner.
    while two.event().await != Event::Dropped {}
    assert_eq!(one.call(two.id, ECHO, vec![0; 300]).await.unwrap().len(), 300);
}
