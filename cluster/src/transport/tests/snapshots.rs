use super::*;
use crate::transport::{CallError, NOT_TAKEN};
use tokio::task::JoinHandle;

type Sent = JoinHandle<Result<(), CallError>>;

/// Sends one; its chunks come through what is returned.
fn send(from: &Node, to: &Node, head: &'static str, urgent: bool) -> (mpsc::Sender<Bytes>, Sent) {
    let (chunks, stream) = mpsc::channel(1);
    let (network, to) = (from.network.clone(), to.id);
    (chunks, tokio::spawn(async move { network.snapshot(to, head.into(), urgent, stream).await }))
}

async fn feed(chunks: &mpsc::Sender<Bytes>, chunk: impl Into<Bytes>) {
    timeout(PATIENCE, chunks.send(chunk.into())).await.expect("room").expect("wanted");
}

async fn sent(sent: Sent) -> Result<(), CallError> {
    timeout(PATIENCE, sent).await.expect("a verdict").unwrap()
}

#[tokio::test]
async fn one_arrives_whole() {
    let (_town, one, mut two) = pair().await;
    let (chunks, verdict) = send(&one, &two, "head", false);
    let long = Bytes::from(vec![9; 1 << 20]);
    for _ in 0..8 {
        feed(&chunks, long.clone()).await;
    }
    feed(&chunks, "end").await;
    drop(chunks);
    assert_eq!(sent(verdict).await, Ok(()));
    assert_eq!(two.event().await, Event::Begun("head".into()));
    assert_eq!(two.event().await, Event::Taken("head".into(), vec![long; 8]));
    assert_eq!((one.network.counters().snapshots_sent, two.network.counters().snapshots_received), (1, 1));
}

#[tokio::test]
async fn one_that_is_not_taken_ends_with_the_reason() {
    let (_town, one, two) = pair().await;
    let (chunks, verdict) = send(&one, &two, "head", false);
    feed(&chunks, "bad").await;
    // It would go on for ever.
    let pouring = async { while chunks.send(vec![0; 1 << 20].into()).await.is_ok() {} };
    timeout(PATIENCE, pouring).await.expect("stopped");
    match sent(verdict).await {
        Err(CallError::Refused(error)) => assert!(error.is(&NOT_TAKEN) && error.detail == "a bad chunk", "{error:?}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn one_whose_sender_is_gone_is_never_whole() {
    let (_town, one, mut two) = pair().await;
    let (chunks, verdict) = send(&one, &two, "head", false);
    feed(&chunks, "part").await;
    assert_eq!(two.event().await, Event::Begun("head".into()));
    verdict.abort();
    assert_eq!(two.event().await, Event::Cut("head".into()));
    // The source ends without the last chunk: the receiver is who notices.
    let (chunks, verdict) = send(&one, &two, "other", false);
    feed(&chunks, "part").await;
    drop(chunks);
    assert!(matches!(sent(verdict).await, Err(CallError::Refused(error)) if error.detail == "cut"));
}

#[tokio::test]
async fn one_whose_receiver_is_gone_is_lost() {
    let (_town, one, mut two) = pair().await;
    let (chunks, verdict) = send(&one, &two, "head", false);
    feed(&chunks, "part").await;
    assert_eq!(two.event().await, Event::Begun("head".into()));
    two.kill().await;
    assert!(matches!(sent(verdict).await, Err(CallError::Lost(_))));
}

#[tokio::test]
async fn two_at_a_time_and_the_urgent_before_the_others() {
    let town = Town::default();
    let mut to = Node::start(&town, me(9, 1), Limits::default()).await;
    let mut from = vec![];
    for n in 1..=4 {
        from.push(Node::start(&town, me(n, 1), Limits::default()).await);
    }
    let (first, first_verdict) = send(&from[0], &to, "first", false);
    let (second, second_verdict) = send(&from[1], &to, "second", false);
    feed(&first, "x").await;
    assert_eq!(to.event().await, Event::Begun("first".into()));
    feed(&second, "x").await;
    assert_eq!(to.event().await, Event::Begun("second".into()));
    let (third, third_verdict) = send(&from[2], &to, "third", false);
    feed(&third, "x").await;
    until("both wait", || to.network.snapshots_waiting() == 1).await;
    let (urgent, urgent_verdict) = send(&from[3], &to, "urgent", true);
    feed(&urgent, "x").await;
    until("both wait", || to.network.snapshots_waiting() == 2).await;
    for (chunks, verdict, head, next) in
        [(first, first_verdict, "first", Some("urgent")), (urgent, urgent_verdict, "urgent", Some("third"))]
    {
        feed(&chunks, "end").await;
        assert_eq!(sent(verdict).await, Ok(()));
        assert_eq!(to.event().await, Event::Taken(head.into(), vec!["x".into()]));
        assert_eq!(to.event().await, Event::Begun(next.unwrap().into()));
    }
    for (chunks, verdict) in [(second, second_verdict), (third, third_verdict)] {
        feed(&chunks, "end").await;
        assert_eq!(sent(verdict).await, Ok(()));
    }
}

#[tokio::test]
async fn a_receiver_that_is_slow_is_not_overrun_and_holds_up_no_other() {
    let (_town, one, mut two) = pair().await;
    let (slow, slow_verdict) = send(&one, &two, "slow", false);
    // What is on its way fills up, and then nothing more is taken.
    let mut poured = 0;
    while slow.try_send(vec![0; 1 << 20].into()).is_ok() || poured < 8 {
        tokio::task::yield_now().await;
        poured += 1;
    }
    let (quick, quick_verdict) = send(&one, &two, "quick", false);
    feed(&quick, "end").await;
    assert_eq!(sent(quick_verdict).await, Ok(()));
    assert_eq!(two.event().await, Event::Begun("quick".into()));
    assert_eq!(two.event().await, Event::Taken("quick".into(), vec![]));
    two.told.gate.add_permits(1 << 20);
    feed(&slow, "end").await;
    assert_eq!(sent(slow_verdict).await, Ok(()));
}

#[tokio::test]
async fn a_sender_without_a_word_is_given_up() {
    let town = Town::default();
    let limits = Limits { snapshot_silence: Duration::from_millis(150), ..Limits::default() };
    let two = Node::start(&town, me(2, 1), limits).await;
    let (far, near) = tokio::io::duplex(1 << 16);
    let mute = async {
        let mut link = crate::transport::link::Link::new(Box::new(far));
        let ours = strangers::greeting(me(3, 1))(crate::transport::hello::Lane::Snapshot);
        crate::transport::hello::dialled(&mut link, &ours, |_| Ok(())).await.unwrap();
        link.put(&crate::transport::frame::Frame::new(crate::transport::frame::Kind::Head, 0, "head"));
        while link.receive().await.is_ok() {}
    };
    let both = async { tokio::join!(two.network.serve(near, anywhere()), mute) };
    assert_eq!(timeout(PATIENCE, both).await.expect("given up").0, Ok(()));
}
