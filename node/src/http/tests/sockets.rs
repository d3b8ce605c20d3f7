//! What only a socket shows: time-outs, limits, stopping.

use super::*;
use crate::door::stop;
use crate::http::connection::{Limits, serve};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::timeout;

struct Running {
    at: SocketAddr,
    stopper: stop::Stopper,
    task: JoinHandle<std::io::Result<()>>,
}

async fn run(fake: Arc<Fake>, edit: impl FnOnce(&mut Limits)) -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    let (stopper, stop) = stop::channel();
    let mut limits = Limits { patience: Duration::from_millis(300), ..Limits::default() };
    edit(&mut limits);
    let task = tokio::spawn(serve(listener, router(doors(fake, |_| {})), limits, stop));
    Running { at, stopper, task }
}

/// Sends, then reads until the node closes.
async fn talk(at: SocketAddr, text: &str) -> String {
    let mut stream = TcpStream::connect(at).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut got = Vec::new();
    timeout(Duration::from_secs(5), stream.read_to_end(&mut got))
        .await
        .expect("the node holds the connection")
        .unwrap_or(0);
    String::from_utf8_lossy(&got).into_owned()
}

#[tokio::test]
async fn the_slow_and_the_silent_are_let_go() {
    let node = run(Fake::echo(), |_| {}).await;
    for begun in
        ["", "P", "PRI * HTT", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "POST /v1/demo/Credit HTTP/1.1\r\nHost: x\r\nX-"]
    {
        let got = talk(node.at, begun).await;
        assert!(!got.contains("200 OK"), "{begun:?}: {got}");
    }
}

#[tokio::test]
async fn nonsense_and_huge_heads_are_answered_or_closed() {
    let node = run(Fake::echo(), |_| {}).await;
    assert!(talk(node.at, "\x00\x01\x02 nonsense\r\n\r\n").await.starts_with("HTTP/1.1 400"));
    let huge = format!("GET / HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n", "x".repeat(64 << 10));
    assert!(talk(node.at, &huge).await.starts_with("HTTP/1.1 431"));
    assert!(
        talk(node.at, "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            .await
            .starts_with("HTTP/1.1 200")
    );
}

#[tokio::test]
async fn one_connection_too_many_is_told() {
    let node = run(Fake::echo(), |limits| limits.connections = 1).await;
    let mut held = TcpStream::connect(node.at).await.unwrap();
    held.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    held.read_u8().await.unwrap();
    let got = talk(node.at, "").await;
    let (head, body) = got.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 503") && head.contains(&format!("Content-Length: {}", body.len())), "{got}");
    assert_eq!(serde_json::from_str::<Value>(body).unwrap()["reason"], "overloaded");
}

#[tokio::test]
async fn a_web_socket_keeps_its_connections_place_and_ends_when_the_node_stops() {
    let node = run(Fake::new(|_| Reaction::Items(vec![], None)), |limits| limits.connections = 1).await;
    let request = format!(
        "GET /v1/demo/Watch HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\nConnection: Upgrade\r\n\
         Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    let mut held = TcpStream::connect(node.at).await.unwrap();
    held.write_all(request.as_bytes()).await.unwrap();
    let mut head = vec![];
    while !head.ends_with(b"\r\n\r\n") {
        head.push(held.read_u8().await.unwrap());
    }
    let head = String::from_utf8(head).unwrap();
    assert!(head.starts_with("HTTP/1.1 101") && head.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "{head}");
    // A masked `{}`; then hyper has nothing to do with the connection any more.
    held.write_all(b"\x81\x82\0\0\0\0{}").await.unwrap();
    assert!(talk(node.at, "").await.starts_with("HTTP/1.1 503"));
    node.stopper.stop();
    let mut close = [0; 4];
    held.read_exact(&mut close).await.unwrap();
    assert_eq!(close, [0x88, 2, 0x03, 0xe9], "a close with 1001");
    // Ours in return.
    held.write_all(b"\x88\x82\0\0\0\0\x03\xe9").await.unwrap();
    drop(held);
    node.task.await.unwrap().unwrap();
}

#[tokio::test]
async fn what_follows_a_refused_body_is_no_request() {
    let node = run(Fake::echo(), |_| {}).await;
    let text = format!(
        "POST /v1/demo/Credit HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\nContent-Length: {}\r\n\r\n\
         GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
        100 << 20
    );
    let heard = talk(node.at, &text).await;
    assert!(heard.starts_with("HTTP/1.1 413") && heard.matches("HTTP/1.1").count() == 1, "{heard}");
}

#[tokio::test]
async fn a_live_stream_over_http_ends_with_a_word_when_the_node_stops() {
    let node = run(Fake::new(|_| Reaction::Items(vec![json!({"n": 1})], None)), |_| {}).await;
    let text = format!(
        "POST /v1/demo/Watch HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\nContent-Length: 0\r\n\r\n"
    );
    let mut stream = TcpStream::connect(node.at).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut heard = String::new();
    while !heard.contains(r#"{"n":"1"}"#) {
        heard.push(stream.read_u8().await.unwrap().into());
    }
    node.stopper.stop();
    stream.read_to_string(&mut heard).await.unwrap();
    assert!(heard.contains(r#""reason":"stopping""#) && heard.ends_with("0\r\n\r\n"), "{heard}");
    node.task.await.unwrap().unwrap();
}

#[tokio::test]
async fn stopping_lets_calls_finish_and_takes_no_new_ones() {
    let (tell, told) = tokio::sync::oneshot::channel();
    let told = std::sync::Mutex::new(Some(told));
    let fake = Fake::new(move |_| Reaction::Later(told.lock().unwrap().take().unwrap()));
    let node = run(fake.clone(), |_| {}).await;
    let text = format!(
        "POST /v1/demo/Credit HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\nContent-Length: 0\r\n\r\n"
    );
    let (at, call) = (node.at, tokio::spawn(async move { talk(node.at, &text).await }));
    while fake.seen().is_empty() {
        tokio::task::yield_now().await;
    }
    node.stopper.stop();
    while TcpStream::connect(at).await.is_ok() {
        tokio::task::yield_now().await;
    }
    tell.send(credited(1)).unwrap();
    let got = call.await.unwrap();
    assert!(got.starts_with("HTTP/1.1 200") && got.contains(r#"{"balance":"1""#), "{got}");
    node.task.await.unwrap().unwrap();
}
