//! What a peer may send that our client would not.

use super::*;
use bytes::BytesMut;
use rand::{Rng, SeedableRng};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use wire::codec;
use wire::frame::{Frame, Kind};
use wire::rpc::{Body, Call, Credit, Hello, Reply, Welcome};

struct Raw {
    stream: TcpStream,
    input: BytesMut,
}

impl Raw {
    async fn new(at: SocketAddr) -> Raw {
        Raw { stream: TcpStream::connect(at).await.unwrap(), input: BytesMut::new() }
    }

    /// Through the handshake.
    async fn admitted(at: SocketAddr) -> Raw {
        let mut raw = Raw::new(at).await;
        raw.send(&[hello(TOKEN)]).await;
        let frame = raw.frame().await.unwrap();
        let welcome: Welcome = codec::decode(&frame.payload).unwrap();
        assert_eq!((frame.kind, welcome.cluster), (Kind::Welcome, identity().cluster));
        raw
    }

    async fn send(&mut self, frames: &[Frame]) {
        let mut out = BytesMut::new();
        frames.iter().for_each(|frame| frame.encode(&mut out));
        self.stream.write_all(&out).await.unwrap();
    }

    /// The next frame; `None` once the node has closed.
    async fn frame(&mut self) -> Option<Frame> {
        let read = async {
            loop {
                if let Some(frame) = Frame::decode(&mut self.input).unwrap() {
                    return Some(frame);
                }
                match self.stream.read_buf(&mut self.input).await {
                    Ok(1..) => {}
                    _ => return None,
                }
            }
        };
        timeout(Duration::from_secs(5), read).await.expect("the node says nothing and holds the connection")
    }

    async fn error(&mut self) -> wire::Error {
        let frame = self.frame().await.unwrap();
        assert_eq!(frame.kind, Kind::Error);
        codec::decode(&frame.payload).unwrap()
    }
}

fn hello(token: &str) -> Frame {
    let hello = Hello { token: token.into(), cluster: None, agent: "test".into() };
    Frame::new(Kind::Hello, 0, codec::encode(&hello).unwrap())
}

fn call(stream: u64, endpoint: &str, body: Body) -> Frame {
    let call =
        Call { service: "demo".into(), endpoint: endpoint.into(), request_id: RequestId::None, body, stale_ok: false };
    Frame::new(Kind::Call, stream, codec::encode(&call).unwrap())
}

fn json(text: &str) -> Body {
    Body::Json(wire::Bytes(text.as_bytes().to_vec()))
}

#[tokio::test]
async fn nonsense_before_and_after_the_hello_ends_the_connection() {
    let fake = Fake::echo();
    let node = run(fake.clone()).await;
    let mut rng = rand::rngs::SmallRng::seed_from_u64(1);
    let mut first: Vec<Vec<u8>> =
        (0..50).map(|_| (0..rng.random_range(200..400)).map(|_| rng.random()).collect()).collect();
    first.push(b"POST /v1/demo/Credit HTTP/1.1\r\nHost: localhost\r\n\r\n".to_vec());
    first.push(vec![0; 64]);
    for nonsense in &first {
        let mut raw = Raw::new(node.at).await;
        raw.stream.write_all(nonsense).await.unwrap();
        let _ = raw.stream.shutdown().await;
        assert!(raw.frame().await.is_none());
    }
    let wrong = [
        Frame::new(Kind::Welcome, 1, vec![]),
        Frame::new(Kind::Reply, 1, vec![]),
        Frame::new(Kind::Call, 1, vec![]),
        Frame::new(Kind::Call, 1, vec![1, 255, 255, 255, 255]),
        Frame::new(Kind::Credit, 1, vec![9]),
        hello(TOKEN),
    ];
    for frame in wrong {
        let mut raw = Raw::admitted(node.at).await;
        raw.send(&[frame]).await;
        assert!(raw.frame().await.is_none());
    }
    // A call before the hello.
    let mut raw = Raw::new(node.at).await;
    raw.send(&[call(1, "Credit", json("{}"))]).await;
    assert!(raw.frame().await.is_none());
    assert!(fake.seen().is_empty());
}

#[tokio::test]
async fn a_bad_token_is_told_then_the_door_closes() {
    let node = run(Fake::echo()).await;
    for token in ["", "cmn_wrong"] {
        let mut raw = Raw::new(node.at).await;
        raw.send(&[hello(token)]).await;
        assert!(raw.error().await.is(&reasons::UNAUTHORIZED));
        assert!(raw.frame().await.is_none());
    }
}

#[tokio::test]
async fn silence_and_half_frames_are_not_waited_for() {
    let short = |limits: &mut Limits| {
        *limits = Limits {
            hello_within: Duration::from_millis(100),
            patience: Duration::from_millis(100),
            idle: Duration::from_millis(300),
            ..*limits
        }
    };
    let node = run_with(Fake::echo(), |_| {}, short).await;
    assert!(Raw::new(node.at).await.frame().await.is_none());
    let mut half = Raw::admitted(node.at).await;
    half.stream.write_all(&[200, 0, 0]).await.unwrap();
    assert!(half.frame().await.is_none());
    let mut idle = Raw::admitted(node.at).await;
    assert!(idle.frame().await.is_none());
}

#[tokio::test]
async fn calls_right_behind_the_hello_are_answered_and_a_number_is_used_once() {
    let node = run(Fake::new(|seen| match seen.endpoint {
        "Balance" => Reaction::Later(oneshot::channel().1),
        _ => Reaction::Reply(credited(1)),
    }))
    .await;
    let mut raw = Raw::new(node.at).await;
    raw.send(&[hello(TOKEN), call(1, "Credit", json("{}")), call(2, "Credit", json(r#"{"amount":"x"}"#))]).await;
    assert_eq!(raw.frame().await.unwrap().kind, Kind::Welcome);
    let error = raw.error().await;
    assert_eq!(error.detail, r#"amount: "x" is not a 64-bit integer"#);
    let reply: Reply = codec::decode(&raw.frame().await.unwrap().payload).unwrap();
    assert_eq!(reply.body, json(r#"{"balance":"1","note":"","part":null}"#));
    raw.send(&[call(3, "Balance", json("{}")), call(3, "Balance", json("{}"))]).await;
    assert!(raw.frame().await.is_none());
}

#[tokio::test]
async fn what_is_sent_in_a_row_goes_inside_in_that_order() {
    let fake = Fake::echo();
    let node = run(fake.clone()).await;
    let mut raw = Raw::admitted(node.at).await;
    let frames: Vec<Frame> = (1..=500).map(|n| call(n, "Credit", json(&format!(r#"{{"amount":{n}}}"#)))).collect();
    raw.send(&frames).await;
    for _ in 0..500 {
        assert_eq!(raw.frame().await.unwrap().kind, Kind::Reply);
    }
    let order: Vec<i64> = fake.seen().iter().map(|seen| seen.body["amount"].as_i64().unwrap()).collect();
    assert_eq!(order, (1..=500).collect::<Vec<i64>>());
}

#[tokio::test]
async fn bodies_that_do_not_fit() {
    let node = run(Fake::echo()).await;
    let mut raw = Raw::admitted(node.at).await;
    let rows = [
        (json(""), None),
        (json("{"), Some("broken JSON at line 1, column 1: EOF while parsing an object")),
        (json("[]"), Some("the body must be a JSON object, not a list")),
        (Body::Json(wire::Bytes(vec![255])), Some("the body is not UTF-8: bad byte at 0")),
        (
            Body::Binary { schema: 1, bytes: wire::Bytes(vec![1]) },
            Some("this node's types are of another version: send JSON"),
        ),
        (json(&" ".repeat((8 << 20) + 1)), Some("this request holds at most 8 MiB")),
        (json(&format!(r#"{{"id":"{}"}}"#, "x".repeat(1 << 20))), Some("this request holds at most 1 MiB")),
    ];
    for (body, want) in rows {
        raw.send(&[call(1, "Credit", body)]).await;
        match want {
            None => assert_eq!(raw.frame().await.unwrap().kind, Kind::Reply),
            Some(detail) => assert_eq!(raw.error().await.detail, detail),
        }
    }
}

#[tokio::test]
async fn too_many_on_one_connection_are_refused_not_held() {
    let node = run_with(Fake::new(|_| Reaction::Later(oneshot::channel().1)), |_| {}, |limits| limits.calls = 2).await;
    let mut raw = Raw::admitted(node.at).await;
    let frames: Vec<Frame> = (1..=3).map(|n| call(n, "Credit", json("{}"))).collect();
    raw.send(&frames).await;
    let error = raw.error().await;
    assert!(error.is(&reasons::OVERLOADED) && error.outcome == Outcome::NotRun, "{error:?}");
    // A cancelled call makes room.
    raw.send(&[Frame::new(Kind::Cancel, 1, vec![]), call(4, "Credit", json("{}")), call(5, "Credit", json("{}"))])
        .await;
    let frame = raw.frame().await.unwrap();
    assert_eq!((frame.kind, frame.stream), (Kind::Error, 5));
}

#[tokio::test]
async fn a_late_call_is_answered_by_the_door() {
    let node = run(Fake::new(|_| Reaction::Later(oneshot::channel().1))).await;
    let mut raw = Raw::admitted(node.at).await;
    raw.send(&[Frame { time_left_ms: 50, ..call(1, "Credit", json("{}")) }]).await;
    let error = raw.error().await;
    assert!(error.is(&reasons::DEADLINE) && error.outcome == Outcome::Unknown, "{error:?}");
}

#[tokio::test]
async fn a_stream_sends_no_more_than_its_credit() {
    let items: Vec<_> = (0..10).map(|n| serde_json::json!({ "n": n })).collect();
    let node = run(Fake::new(move |_| Reaction::Items(items.clone(), Some(Ok(()))))).await;
    let mut raw = Raw::admitted(node.at).await;
    let credit = |items| Frame::new(Kind::Credit, 1, codec::encode(&Credit { items }).unwrap());
    raw.send(&[call(1, "Watch", json("{}")), credit(2), call(2, "Nothing", json("{}"))]).await;
    let mut kinds = vec![];
    for _ in 0..3 {
        kinds.push(raw.frame().await.unwrap().kind);
    }
    kinds.sort_by_key(|kind| *kind as u8);
    assert_eq!(kinds, [Kind::Error, Kind::Item, Kind::Item]);
    // Nothing more comes until there is credit: the error of this call is next.
    raw.send(&[call(3, "Nothing", json("{}"))]).await;
    assert_eq!(raw.frame().await.unwrap().stream, 3);
    raw.send(&[credit(u32::MAX), credit(u32::MAX)]).await;
    for _ in 0..8 {
        assert_eq!(raw.frame().await.unwrap().kind, Kind::Item);
    }
    assert_eq!(raw.frame().await.unwrap().kind, Kind::End);
}

#[tokio::test]
async fn a_peer_that_does_not_read_is_let_go() {
    let item = || serde_json::json!({"balance": 1, "note": "x".repeat(100_000), "part": null});
    let node = run_with(
        Fake::new(move |_| Reaction::Reply(item())),
        |_| {},
        |limits| {
            limits.patience = Duration::from_millis(200);
        },
    )
    .await;
    let mut raw = Raw::admitted(node.at).await;
    let frames: Vec<Frame> = (1..=400).map(|n| call(n, "Credit", json("{}"))).collect();
    raw.send(&frames).await;
    // It reads nothing until the node has given up; then what was sent so far comes, and the end.
    let gone = async {
        while raw.stream.write_all(&[0; 1024]).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(10), gone).await.expect("the node holds the connection");
}
