//! Streams: in order, as fast as they are read, and gone with their reader.

use super::*;
use actors::call::{Answer, Call, Dispatch, Pending};
use std::sync::atomic::{AtomicI64, Ordering};
use tokio::sync::mpsc;

fn watch() -> WatchRequest {
    WatchRequest { messages: 3 }
}

#[tokio::test]
async fn items_come_in_order_then_the_end() {
    let items = |count: i64| (0..count).map(|n| serde_json::json!({ "n": n })).collect::<Vec<_>>();
    let node = run(Fake::new(move |_| Reaction::Items(items(1000), Some(Ok(()))))).await;
    let client = client(node.at).await;
    let mut stream = client.stream(watch()).await.unwrap();
    for n in 0..1000 {
        assert_eq!(stream.next().await.unwrap().unwrap().n, n);
    }
    assert!(stream.next().await.is_none() && stream.next().await.is_none());
    let mut json = client.stream_json("demo", "Watch", &serde_json::json!({"messages": "3"})).await.unwrap();
    assert_eq!(json.next().await.unwrap().unwrap(), serde_json::json!({"n": "0"}));
}

#[tokio::test]
async fn an_error_ends_a_stream() {
    let full = reasons::STOPPING.refuse("gone");
    let node =
        run(Fake::new(move |_| Reaction::Items(vec![serde_json::json!({"n": 1})], Some(Err(full.clone()))))).await;
    let mut stream = client(node.at).await.stream(watch()).await.unwrap();
    assert_eq!(stream.next().await.unwrap().unwrap().n, 1);
    assert!(stream.next().await.unwrap().err().unwrap().is(&reasons::STOPPING));
    assert!(stream.next().await.is_none());
}

/// Sends for ever, and counts what it could send.
struct Fountain {
    sent: Arc<AtomicI64>,
    closed: mpsc::UnboundedSender<()>,
}

impl Dispatch for Fountain {
    fn call(&self, call: Call) -> Pending {
        let (out, items) = mpsc::channel(1);
        let (sent, closed, encode) = (self.sent.clone(), self.closed.clone(), call.endpoint.response_from_json);
        tokio::spawn(async move {
            loop {
                let item = encode(serde_json::json!({"n": sent.load(Ordering::SeqCst)})).unwrap();
                if out.send(Ok(item.into())).await.is_err() {
                    let _ = closed.send(());
                    return;
                }
                sent.fetch_add(1, Ordering::SeqCst);
            }
        });
        Box::pin(async move { Ok(Answer::Items(items)) })
    }
}

async fn fountain() -> (Running, Arc<AtomicI64>, mpsc::UnboundedReceiver<()>) {
    let sent = Arc::new(AtomicI64::new(0));
    let (closed, closing) = mpsc::unbounded_channel();
    let dispatch = Arc::new(Fountain { sent: sent.clone(), closed });
    (run_with(Fake::echo(), move |doors| doors.dispatch = dispatch, |_| {}).await, sent, closing)
}

#[tokio::test]
async fn a_slow_reader_holds_the_stream_back_and_others_go_on() {
    let (node, sent, _closing) = fountain().await;
    let client = client(node.at).await;
    let mut slow = client.stream(watch()).await.unwrap();
    let mut quick = client.stream(watch()).await.unwrap();
    for _ in 0..2_000 {
        quick.next().await.unwrap().unwrap();
    }
    // `sent` counts both: of the slow one no more than its window, what waits in its channel, and one in a hand.
    let held = sent.load(Ordering::SeqCst) - 2_000;
    assert!(held <= 2 * (64 + 3), "{held} items went to a reader that takes none");
    slow.next().await.unwrap().unwrap();
}

#[tokio::test]
async fn a_reader_that_leaves_ends_the_stream() {
    let (node, _sent, mut closing) = fountain().await;
    let client = client(node.at).await;
    let mut stream = client.stream(watch()).await.unwrap();
    stream.next().await.unwrap().unwrap();
    drop(stream);
    closing.recv().await.unwrap();
    // And one that leaves with its whole connection.
    let mut stream = client.stream(watch()).await.unwrap();
    stream.next().await.unwrap().unwrap();
    drop((stream, client));
    closing.recv().await.unwrap();
}

#[tokio::test]
async fn a_stopping_node_ends_its_streams() {
    let (node, _sent, _closing) = fountain().await;
    let mut stream = client(node.at).await.stream(watch()).await.unwrap();
    stream.next().await.unwrap().unwrap();
    node.stopper.stop();
    let error = loop {
        match stream.next().await {
            Some(Ok(_)) => {}
            Some(Err(error)) => break error,
            None => panic!("the stream ended as if all were well"),
        }
    };
    assert!(error.is(&reasons::STOPPING), "{error:?}");
    node.task.await.unwrap().unwrap();
}
