//! HTTP/2 with prior knowledge, on the same port: calls, streams, WebSockets, and clients that misbehave.

use super::web_sockets::{Held, pipe};
use super::*;
use crate::door::gate::Counted;
use crate::http::lifeline::TAKES_WITHIN;
use bytes::Bytes;
use h2::client::SendRequest;
use h2::ext::Protocol;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::time::Instant;

async fn connect(doors: &Arc<Doors>) -> (SendRequest<Bytes>, Held) {
    let (pipe, held) = pipe(doors, 64 << 10);
    let (client, connection) = h2::client::handshake(pipe).await.unwrap();
    tokio::spawn(connection);
    (client.ready().await.unwrap(), held)
}

fn asking(method: &str, path: &str) -> Request<()> {
    let request = Request::builder().method(method).uri(format!("http://localhost:8080{path}"));
    request.header("authorization", format!("Bearer {TOKEN}")).body(()).unwrap()
}

/// One exchange: the status and the whole body.
async fn exchange(client: &SendRequest<Bytes>, path: &str, body: &'static str) -> (u16, String) {
    let mut client = client.clone().ready().await.unwrap();
    let (response, mut out) = client.send_request(asking("POST", path), false).unwrap();
    out.send_data(Bytes::from(body), true).unwrap();
    let (parts, mut input) = response.await.unwrap().into_parts();
    let mut text = vec![];
    while let Some(piece) = input.data().await {
        let piece = piece.unwrap();
        input.flow_control().release_capacity(piece.len()).unwrap();
        text.extend_from_slice(&piece);
    }
    (parts.status.as_u16(), String::from_utf8(text).unwrap())
}

#[tokio::test]
async fn calls_streams_and_errors() {
    let items = Fake::new(|seen| match seen.endpoint {
        "Watch" => Reaction::Items(vec![json!({"n": 1}), json!({"n": 2})], Some(Ok(()))),
        _ => Reaction::Reply(credited(seen.body["amount"].as_i64().unwrap_or_default())),
    });
    let door = doors(items, |_| {});
    let (client, _held) = connect(&door).await;
    assert_eq!(
        exchange(&client, "/v1/demo/Credit", r#"{"amount":5}"#).await,
        (200, r#"{"balance":"5","note":"","part":null}"#.into())
    );
    assert_eq!(exchange(&client, "/v1/demo/Watch", "{}").await, (200, "{\"n\":\"1\"}\n{\"n\":\"2\"}\n".into()));
    assert_eq!(exchange(&client, "/v1/demo/Credit", "{").await.0, 400);
    assert_eq!(exchange(&client, "/v1/nobody/Credit", "{}").await.0, 404);
}

#[tokio::test]
async fn many_streams_at_once_on_one_connection() {
    let door = doors(Fake::echo(), |_| {});
    let (client, _held) = connect(&door).await;
    let asked = (0..1000).map(|_| exchange(&client, "/v1/demo/Credit", r#"{"amount":7}"#));
    let answered = futures::future::join_all(asked).await;
    assert!(answered.iter().all(|(code, text)| *code == 200 && text.contains(r#""balance":"7""#)));
}

#[tokio::test]
async fn a_web_socket_is_an_extended_connect() {
    let fake = Fake::new(|_| Reaction::Items(vec![json!({"n": 1})], Some(Ok(()))));
    let door = doors(fake.clone(), |_| {});
    let (mut client, _held) = connect(&door).await;
    while !client.is_extended_connect_protocol_enabled() {
        tokio::task::yield_now().await;
    }
    let mut request = asking("CONNECT", "/v1/demo/Watch");
    request.extensions_mut().insert(Protocol::from_static("websocket"));
    request.headers_mut().insert("sec-websocket-version", "13".parse().unwrap());
    let (response, mut out) = client.send_request(request, false).unwrap();
    let response = response.await.unwrap();
    assert_eq!(response.status(), 200);
    // A masked text frame `{}`, the mask being zeros.
    out.send_data(Bytes::from_static(b"\x81\x82\0\0\0\0{}"), false).unwrap();
    let mut input = response.into_body();
    let mut heard = vec![];
    // An item, then a close with 1000.
    let want = b"\x81\x09{\"n\":\"1\"}\x88\x02\x03\xe8";
    while heard.len() < want.len() {
        heard.extend_from_slice(&input.data().await.unwrap().unwrap());
    }
    assert_eq!((&heard[..], fake.seen().len()), (&want[..], 1));
}

/// A client that writes its own frames.
async fn raw(doors: &Arc<Doors>) -> (DuplexStream, Held) {
    let (mut pipe, held) = pipe(doors, 1 << 20);
    pipe.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.unwrap();
    pipe.write_all(&frame(0x4, 0, 0, b"")).await.unwrap();
    (pipe, held)
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u32).to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

const DATA: u8 = 0x0;
const HEADERS: u8 = 0x1;
const RST_STREAM: u8 = 0x3;
const PING: u8 = 0x6;
const WINDOW_UPDATE: u8 = 0x8;
const CONTINUATION: u8 = 0x9;
const END_STREAM: u8 = 0x1;
const END_HEADERS: u8 = 0x4;
/// `GET http://x/`
const GET: &[u8] = b"\x82\x86\x84\x41\x01x";

/// The next frame's kind, flags and payload.
async fn read_frame(pipe: &mut DuplexStream) -> Option<(u8, u8, Vec<u8>)> {
    let mut head = [0; 9];
    pipe.read_exact(&mut head).await.ok()?;
    let mut payload = vec![0; u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize];
    pipe.read_exact(&mut payload).await.ok()?;
    Some((head[3], head[4], payload))
}

/// It answers pings, so it lives; but it never makes room for more of its stream.
#[tokio::test(start_paused = true)]
async fn a_stream_nobody_reads_is_held_back_and_then_cut() {
    let many = || (0..100_000).map(|n| json!({ "n": n })).collect();
    let door = doors(Fake::new(move |_| Reaction::Items(many(), Some(Ok(())))), |_| {});
    let (mut pipe, _held) = raw(&door).await;
    let key = format!("Bearer {TOKEN}");
    let head =
        [b"\x82\x86\x41\x09localhost\x04\x0e/v1/demo/Watch\x0f\x08", &[key.len() as u8][..], key.as_bytes()].concat();
    pipe.write_all(&frame(HEADERS, END_HEADERS | END_STREAM, 1, &head)).await.unwrap();
    let (begun, mut bytes, mut cut) = (Instant::now(), 0, None);
    loop {
        let Some((kind, flags, payload)) = read_frame(&mut pipe).await else { panic!("the connection ended") };
        match kind {
            DATA => bytes += payload.len(),
            PING if flags == 0 => pipe.write_all(&frame(PING, 1, 0, &payload)).await.unwrap(),
            RST_STREAM => break,
            _ => {}
        }
        if cut.is_none() && begun.elapsed() > Duration::from_secs(1) && door.gate.inside(Counted::Stream) == 0 {
            cut = Some(begun.elapsed());
            assert_eq!(bytes, 65_535, "the window is full");
            for stream in [0, 1] {
                pipe.write_all(&frame(WINDOW_UPDATE, 0, stream, &[0, 16, 0, 0])).await.unwrap();
            }
        }
    }
    let cut = cut.expect("reset before its time");
    // Seen at the first ping after it.
    assert!(cut >= TAKES_WITHIN && cut <= TAKES_WITHIN + Duration::from_secs(20), "{cut:?}");
    assert!(bytes < 200 << 10, "{bytes} bytes were held for it");
}

/// Writes until the node hangs up: how often.
async fn write_until_hung_up(pipe: DuplexStream, tries: usize, mut next: impl FnMut(usize) -> Vec<u8>) -> usize {
    let (mut input, mut output) = tokio::io::split(pipe);
    let hung_up = async move {
        let mut heard = vec![];
        let _ = input.read_to_end(&mut heard).await;
        heard
    };
    let hung_up = tokio::spawn(hung_up);
    let mut written = 0;
    while written < tries && !hung_up.is_finished() && output.write_all(&next(written)).await.is_ok() {
        written += 1;
        tokio::task::yield_now().await;
    }
    drop(output);
    hung_up.await.unwrap();
    written
}

#[tokio::test]
async fn headers_without_end_are_hung_up_on() {
    let door = doors(Fake::echo(), |_| {});
    let (mut pipe, _held) = raw(&door).await;
    pipe.write_all(&frame(HEADERS, END_STREAM, 1, GET)).await.unwrap();
    // A literal header, `a: xxx…`, a kilobyte each.
    let more = [b"\x00\x01a\x7f\x81\x07", &[b'x'; 1024][..]].concat();
    let written = write_until_hung_up(pipe, 10_000, |_| frame(CONTINUATION, 0, 1, &more)).await;
    assert!(written < 1_000, "{written} KiB of one head were taken");
}

#[tokio::test]
async fn streams_that_are_opened_and_reset_without_end_are_hung_up_on() {
    let door = doors(Fake::echo(), |_| {});
    let (pipe, _held) = raw(&door).await;
    let batch = |n: usize| {
        let ids = (0..500_u32).map(|k| 1 + 2 * (500 * n as u32 + k));
        ids.flat_map(|id| [frame(HEADERS, END_HEADERS, id, GET), frame(RST_STREAM, 0, id, &[0, 0, 0, 8])].concat())
            .collect()
    };
    let written = write_until_hung_up(pipe, 200, batch).await;
    assert!(written < 20, "{written} times 500 streams were opened and reset");
}
