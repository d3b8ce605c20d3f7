use super::*;

fn raft(from: u64, frame: impl Into<Bytes>) -> Event {
    Event::Raft(NodeId(from), frame.into())
}

/// Both ways open.
async fn meet(one: &Node, two: &Node) {
    one.network.know(vec![one.id, two.id]);
    two.network.know(vec![one.id, two.id]);
    connected(one, two).await;
    connected(two, one).await;
}

async fn connected(one: &Node, two: &Node) {
    until("lane 1", || one.network.heard(two.id).is_some() && trouble(one, two).is_none()).await;
}

fn trouble(one: &Node, two: &Node) -> Option<String> {
    one.network.states().into_iter().find(|state| state.node == two.id).and_then(|state| state.trouble)
}

#[tokio::test]
async fn frames_arrive_in_order_both_ways() {
    let (_town, mut one, mut two) = pair().await;
    meet(&one, &two).await;
    for n in 0..100_u8 {
        one.network.raft(two.id, vec![n].into());
        two.network.raft(one.id, vec![n, n].into());
    }
    for n in 0..100_u8 {
        assert_eq!(two.event().await, raft(1, vec![n]));
        assert_eq!(one.event().await, raft(2, vec![n, n]));
    }
}

#[tokio::test]
async fn the_first_frame_to_a_node_opens_the_way() {
    let (_town, one, mut two) = pair().await;
    one.network.raft(two.id, "hello".into());
    assert_eq!(two.event().await, raft(1, "hello"));
    assert!(one.network.heard(two.id).is_some());
}

#[tokio::test]
async fn what_waits_is_bounded_and_the_newest_is_dropped() {
    let town = Town::default();
    let one = Node::start(&town, me(1, 1), Limits { raft_queue_bytes: 1000, ..Limits::default() }).await;
    // Somebody who takes the connection and says nothing: the dialling goes on, and what is sent waits for it.
    let mute = TcpListener::bind("127.0.0.1:0").await.unwrap();
    town.set(2, mute.local_addr().unwrap());
    (0..15).for_each(|_| one.network.raft(NodeId(2), vec![0; 100].into()));
    let counters = one.network.counters();
    assert_eq!((counters.raft_dropped_full, counters.raft_dropped_unreachable), (5, 0));
    one.network.raft(NodeId(2), vec![0; crate::transport::BODY_BYTES_MAX + 1].into());
    one.network.raft(NodeId(9), "to nobody".into());
    let counters = one.network.counters();
    assert_eq!((counters.raft_dropped_too_long, counters.raft_dropped_unreachable), (1, 1));
    // Nobody at all: what waited is dropped with the try.
    drop(mute);
    until("dropped", || one.network.counters().raft_dropped_unreachable >= 11).await;
}

#[tokio::test]
async fn the_longest_frame_goes_through() {
    let (_town, one, mut two) = pair().await;
    meet(&one, &two).await;
    let frame = Bytes::from(vec![5; crate::transport::BODY_BYTES_MAX]);
    one.network.raft(two.id, frame.clone());
    one.network.raft(two.id, "and on".into());
    assert_eq!(two.event().await, Event::Raft(NodeId(1), frame));
    until("room", || {
        one.network.raft(two.id, "now".into());
        one.network.counters().raft_sent >= 2
    })
    .await;
}

#[tokio::test]
async fn a_peer_that_comes_back_as_a_newer_life_is_found_again() {
    let (town, one, two) = pair().await;
    meet(&one, &two).await;
    assert_eq!(one.call(two.id, ECHO, "before").await.unwrap(), "before");
    two.kill().await;
    until("noticed", || one.network.states()[0].trouble.is_some()).await;
    let mut two = Node::start(&town, me(2, 2), Limits::default()).await;
    connected(&one, &two).await;
    assert_eq!(one.call(two.id, ECHO, "after").await.unwrap(), "after");
    let seen = until("a frame", || {
        one.network.raft(NodeId(2), "again".into());
        one.network.counters().raft_sent > 0
    });
    seen.await;
    assert_eq!(two.event().await, Event::Called(NodeId(1), ECHO));
    assert_eq!(two.event().await, raft(1, "again"));
}

#[tokio::test]
async fn a_newer_life_ends_what_its_older_one_left_open() {
    let (town, mut one, two) = pair().await;
    let mut call = Box::pin(two.call(one.id, HANG, ""));
    assert!(futures::poll!(call.as_mut()).is_pending());
    assert_eq!(one.event().await, Event::Called(NodeId(2), HANG));
    // The older one hangs, and its connections with it; the newer one says hello.
    let newer = Node::start(&town, me(2, 2), Limits::default()).await;
    assert_eq!(newer.call(one.id, ECHO, "here").await.unwrap(), "here");
    // In either order: the older life's call is worked for no longer.
    let events = [one.event().await, one.event().await];
    assert!(events.contains(&Event::Dropped) && events.contains(&Event::Called(NodeId(2), ECHO)), "{events:?}");
    assert!(matches!(call.await, Err(crate::transport::CallError::Lost(_))));
}

#[tokio::test]
async fn a_node_that_left_is_let_go() {
    let (_town, one, two) = pair().await;
    meet(&one, &two).await;
    let mut call = Box::pin(one.call(two.id, HANG, ""));
    assert!(futures::poll!(call.as_mut()).is_pending());
    one.network.know(vec![one.id]);
    assert!(call.await.is_err());
    assert!(one.network.heard(two.id).is_none() || one.network.states().len() <= 1);
}

#[tokio::test]
async fn a_peer_that_falls_silent_is_dialled_anew_and_its_calls_are_given_up() {
    let town = Town::default();
    let brief =
        Limits { silence: Duration::from_millis(400), keep_alive: Duration::from_millis(50), ..Limits::default() };
    let one = Node::start(&town, me(1, 1), brief).await;
    // It says hello on every lane, and then nothing.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    town.set(2, listener.local_addr().unwrap());
    let half_open = tokio::spawn(async move {
        let mut open = vec![];
        while let Ok((tcp, _)) = listener.accept().await {
            open.push(strangers::greet(tcp, me(2, 1)).await);
        }
    });
    one.network.know(vec![NodeId(1), NodeId(2)]);
    let answer = one.network.call(NodeId(2), ECHO, Bytes::new(), soon()).await;
    assert_eq!(answer, Err(crate::transport::CallError::Lost("it fell silent".into())));
    until("dialled anew", || one.network.counters().opened >= 2).await;
    assert!(one.network.counters().silent >= 1);
    half_open.abort();
}

#[tokio::test]
async fn a_node_that_stood_still_does_not_take_its_peers_for_silent() {
    let town = Town::default();
    let one = Node::start(&town, me(1, 1), Limits { keep_alive: STALL / 50, ..Limits::default() }).await;
    let brief = Limits { keep_alive: STALL / 10, silence: STALL / 2, ..Limits::default() };
    let mut two = Node::start(&town, me(2, 1), brief).await;
    meet(&one, &two).await;
    one.network.raft(two.id, "stall".into());
    assert_eq!(two.event().await, raft(1, "stall"));
    one.network.raft(two.id, "on".into());
    assert_eq!(two.event().await, raft(1, "on"));
    assert_eq!((two.network.counters().silent, two.network.counters().opened), (0, 1));
}

#[tokio::test]
async fn when_secrets_are_replaced_connections_are_made_anew_and_no_call_is_lost() {
    let (town, one, mut two) = pair().await;
    meet(&one, &two).await;
    let mut held = Box::pin(one.call(two.id, GATE, "held"));
    assert!(futures::poll!(held.as_mut()).is_pending());
    assert_eq!(two.event().await, Event::Called(NodeId(1), GATE));
    town.1.send_modify(|changes| *changes += 1);
    let mut next = Box::pin(one.call(two.id, ECHO, "next"));
    assert!(futures::poll!(next.as_mut()).is_pending());
    until("lane 1 is anew", || one.network.counters().opened == 2 && two.network.counters().opened == 2).await;
    two.told.gate.add_permits(1);
    assert_eq!(held.await.unwrap(), "held");
    assert_eq!(next.await.unwrap(), "next");
}

#[tokio::test]
async fn nobody_begins_anything_once_it_stops() {
    let (_town, one, two) = pair().await;
    meet(&one, &two).await;
    two.network.stop();
    assert!(matches!(two.call(one.id, ECHO, "").await, Err(crate::transport::CallError::NotSent(_))));
    two.network.raft(one.id, "late".into());
    assert_eq!(two.network.counters().raft_dropped_unreachable, 1);
    until("noticed", || trouble(&one, &two).is_some()).await;
}
