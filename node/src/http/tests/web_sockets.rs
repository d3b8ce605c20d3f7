//! Calls over WebSockets, through hyper, on pipes instead of sockets: so that time can be paused.

use super::*;
use crate::door::gate::Counted;
use crate::door::stop;
use crate::http::connection::{Limits, connection};
use crate::http::lifeline::Lifeline;
use crate::http::socket::{ASKS_WITHIN, GIVES_UP_AFTER, PING_EVERY};
use futures::{SinkExt, StreamExt};
use hyper_util::server::graceful::GracefulShutdown;
use std::time::Duration;
use tokio::io::DuplexStream;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::client::Response;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

type Socket = WebSocketStream<DuplexStream>;

/// What holds a connection's node up. Dropped, it stops.
pub struct Held {
    stopper: stop::Stopper,
    _graceful: GracefulShutdown,
}

/// One end of a connection to the door.
pub fn pipe(doors: &Arc<Doors>, bytes: usize) -> (DuplexStream, Held) {
    let (ours, theirs) = tokio::io::duplex(bytes);
    let (stopper, stop) = stop::channel();
    let place = Arc::new(Semaphore::new(1)).try_acquire_owned().unwrap();
    let (peer, lifeline) = (([127, 0, 0, 1], 5000).into(), Lifeline::new(stop, Arc::new(place)));
    let graceful = GracefulShutdown::new();
    let serving = connection(theirs, peer, router(doors.clone()), Limits::default(), graceful.watcher(), lifeline);
    tokio::spawn(serving);
    (ours, Held { stopper, _graceful: graceful })
}

async fn open(doors: &Arc<Doors>, path: &str, headers: &[(&str, &str)]) -> (Socket, Response, Held) {
    let (pipe, held) = pipe(doors, 64 << 10);
    let mut request = format!("ws://localhost:8080{path}").into_client_request().unwrap();
    for (name, value) in headers {
        request.headers_mut().append(http_name(name), value.parse().unwrap());
    }
    let (socket, response) = client_async(request, pipe).await.expect("an upgrade is always accepted");
    (socket, response, held)
}

fn http_name(name: &str) -> axum::http::HeaderName {
    name.parse().unwrap()
}

/// All text frames up to the close, and its code.
async fn hear(socket: &mut Socket) -> (Vec<String>, Option<CloseCode>) {
    let mut texts = vec![];
    loop {
        match socket.next().await {
            Some(Ok(Message::Text(text))) => texts.push(text.to_string()),
            Some(Ok(Message::Close(close))) => return (texts, close.map(|close| close.code)),
            Some(Ok(_)) => {}
            Some(Err(_)) | None => return (texts, None),
        }
    }
}

/// One conversation with the token.
async fn talk(doors: &Arc<Doors>, path: &str, request: &str) -> (Vec<String>, Option<CloseCode>) {
    let token = format!("Bearer {TOKEN}");
    let (mut socket, _, _held) = open(doors, path, &[("authorization", &token)]).await;
    socket.send(Message::text(request)).await.unwrap();
    hear(&mut socket).await
}

fn counting(items: i64) -> Arc<Fake> {
    Fake::new(move |_| Reaction::Items((1..=items).map(|n| json!({"n": n})).collect(), Some(Ok(()))))
}

#[tokio::test]
async fn each_item_is_a_text_frame_and_the_end_a_close() {
    let (texts, code) = talk(&doors(counting(3), |_| {}), "/v1/demo/Watch", r#"{"messages":"3"}"#).await;
    assert_eq!(
        (texts, code),
        (vec![r#"{"n":"1"}"#.into(), r#"{"n":"2"}"#.into(), r#"{"n":"3"}"#.into()], Some(CloseCode::Normal))
    );
    let (texts, code) = talk(&doors(counting(0), |_| {}), "/v1/demo/Watch", "").await;
    assert_eq!((texts.len(), code), (0, Some(CloseCode::Normal)));
}

#[tokio::test]
async fn an_endpoint_without_a_stream_answers_once() {
    let doors = doors(Fake::echo(), |_| {});
    for (path, request) in [
        ("/v1/demo/Credit", r#"{"amount":"5"}"#),
        ("/v1/demo/Demo/credit", r#"{"amount":5}"#),
        ("/v1/demo/Credit?amount=5", ""),
        ("/v1/demo/Credit?amount=7&id=x", r#"{"amount":5}"#),
    ] {
        let (texts, code) = talk(&doors, path, request).await;
        assert_eq!(
            (texts, code),
            (vec![r#"{"balance":"5","note":"","part":null}"#.into()], Some(CloseCode::Normal)),
            "{path}"
        );
    }
}

#[tokio::test]
async fn what_is_wrong_is_one_error_frame_after_the_request_and_a_close() {
    let poor = Reason::bad_request("insufficient_credit").because("has 1, needs 2");
    let fake = Fake::new(move |_| Reaction::Fail(poor.clone()));
    let door = doors(fake.clone(), |_| {});
    let good = format!("Bearer {TOKEN}");
    let rows = [
        ("/v1/demo/Credit", "Bearer cmn_wrong", "{}", 401, "unauthorized", "v1"),
        ("/v1/nobody/Credit", "Bearer cmn_wrong", "{}", 401, "unauthorized", "v1"),
        ("/v1/nobody/Credit", &good, "{}", 404, "no_such_service", "v1"),
        ("/v1/demo/Nothing", &good, "{}", 404, "no_such_endpoint", "v1"),
        ("/v1/demo/Other/Credit", &good, "{}", 404, "no_such_endpoint", "v1"),
        ("/somewhere", &good, "{}", 404, "no_such_path", "v1"),
        ("/v1/demo/Credit", &good, "{", 400, "bad_body", "demo.credit"),
        ("/v1/demo/Credit", &good, "[1]", 400, "bad_body", "demo.credit"),
        ("/v1/demo/Credit?amount=x", &good, "{}", 400, "bad_body", "demo.credit"),
        ("/v1/demo/Credit", &good, "{}", 400, "insufficient_credit", "demo.credit"),
    ];
    for (path, key, request, code, reason, id) in rows {
        let (mut socket, _, _held) = open(&door, path, &[("authorization", key)]).await;
        let early = tokio::time::timeout(Duration::from_millis(20), socket.next()).await;
        assert!(early.is_err(), "{path}: {early:?} came before the request");
        socket.send(Message::text(request)).await.unwrap();
        let (texts, closed) = hear(&mut socket).await;
        let error: Value = serde_json::from_str(&texts[0]).unwrap();
        assert_eq!((texts.len(), closed), (1, Some(CloseCode::Policy)), "{path} {request}");
        assert_eq!(
            (&error["code"], &error["reason"], &error["id"]),
            (&json!(code), &json!(reason), &json!(id)),
            "{path}"
        );
    }
    assert_eq!(fake.seen().len(), 1);
}

#[tokio::test]
async fn a_browser_has_its_key_in_the_protocol_which_comes_back() {
    let doors = doors(Fake::echo(), |_| {});
    for (offered, key) in [(TOKEN.to_string(), TOKEN), (format!("bearer, {TOKEN}"), TOKEN)] {
        let (mut socket, response, _held) =
            open(&doors, "/v1/demo/Credit", &[("sec-websocket-protocol", &offered)]).await;
        assert_eq!(response.headers()["sec-websocket-protocol"], key);
        socket.send(Message::text("{}")).await.unwrap();
        assert_eq!(hear(&mut socket).await.0, [r#"{"balance":"0","note":"","part":null}"#]);
    }
    let (mut socket, response, _held) =
        open(&doors, "/v1/demo/Credit", &[("sec-websocket-protocol", "something")]).await;
    assert_eq!(response.headers()["sec-websocket-protocol"], "something");
    socket.send(Message::text("{}")).await.unwrap();
    assert!(hear(&mut socket).await.0[0].contains("Unauthorized"));
    // Beside the key only where a WebSocket is asked for.
    let plain = request("POST", "/v1/demo/Credit", &[("sec-websocket-protocol", TOKEN)], "{}");
    assert_eq!(send(&doors, plain).await.code, 401);
}

#[tokio::test]
async fn later_frames_mean_nothing_and_only_text_is_a_request() {
    let (tell, told) = tokio::sync::oneshot::channel();
    let told = std::sync::Mutex::new(Some(told));
    let fake = Fake::new(move |_| Reaction::Later(told.lock().unwrap().take().unwrap()));
    let door = doors(fake.clone(), |_| {});
    let token = format!("Bearer {TOKEN}");
    let (mut socket, _, _held) = open(&door, "/v1/demo/Credit", &[("authorization", &token)]).await;
    for text in ["{}", "{\"amount\":7}", "nonsense"] {
        socket.send(Message::text(text)).await.unwrap();
    }
    socket.send(Message::binary(vec![0xff])).await.unwrap();
    socket.send(Message::Ping(vec![1].into())).await.unwrap();
    assert_eq!(socket.next().await.unwrap().unwrap(), Message::Pong(vec![1].into()));
    tell.send(credited(1)).unwrap();
    assert_eq!((hear(&mut socket).await.0.len(), fake.seen().len()), (1, 1));
    let (mut socket, _, _held) = open(&door, "/v1/demo/Credit", &[("authorization", &token)]).await;
    socket.send(Message::binary("{}")).await.unwrap();
    assert!(hear(&mut socket).await.0[0].contains("must be a text frame"));
}

#[tokio::test(start_paused = true)]
async fn who_asks_nothing_is_let_go() {
    let door = doors(Fake::echo(), |_| {});
    let begun = Instant::now();
    let (mut socket, _, _held) = open(&door, "/v1/demo/Watch", &[]).await;
    let (texts, code) = hear(&mut socket).await;
    assert!(texts[0].contains("request_too_slow"), "{texts:?}");
    assert_eq!((code, begun.elapsed().as_secs()), (Some(CloseCode::Policy), ASKS_WITHIN.as_secs()));
    assert_eq!(door.gate.inside(Counted::Socket), 0);
}

fn endless() -> Arc<Fake> {
    Fake::new(|_| Reaction::Items(vec![], None))
}

#[tokio::test(start_paused = true)]
async fn a_client_that_answers_pings_stays_and_one_that_does_not_is_given_up() {
    let door = doors(endless(), |_| {});
    let token = format!("Bearer {TOKEN}");
    let (mut socket, _, _held) = open(&door, "/v1/demo/Watch", &[("authorization", &token)]).await;
    socket.send(Message::text("{}")).await.unwrap();
    let mut pings = vec![];
    let begun = Instant::now();
    while pings.len() < 8 {
        // Reading makes the pong, and flushing sends it.
        match socket.next().await.unwrap().unwrap() {
            Message::Ping(_) => pings.push(begun.elapsed().as_secs()),
            other => panic!("{other:?}"),
        }
        socket.flush().await.unwrap();
    }
    let every = PING_EVERY.as_secs();
    assert_eq!(pings, (1..=8).map(|n| n * every).collect::<Vec<_>>());
    assert_eq!(door.gate.inside(Counted::Stream), 1);
    // From here on nobody reads.
    let silent = Instant::now();
    while door.gate.inside(Counted::Stream) > 0 {
        tokio::time::sleep_until(Instant::now() + Duration::from_secs(1)).await;
    }
    let took = silent.elapsed().as_secs();
    assert!((GIVES_UP_AFTER.as_secs()..GIVES_UP_AFTER.as_secs() + 2).contains(&took), "{took} s");
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_takes_nothing_is_held_back_and_then_cut() {
    let door = doors(counting(100_000), |_| {});
    let token = format!("Bearer {TOKEN}");
    let (mut socket, _, _held) = open(&door, "/v1/demo/Watch", &[("authorization", &token)]).await;
    socket.send(Message::text("{}")).await.unwrap();
    let begun = Instant::now();
    while door.gate.inside(Counted::Stream) == 0 {
        tokio::task::yield_now().await;
    }
    while door.gate.inside(Counted::Stream) > 0 {
        tokio::time::sleep_until(Instant::now() + Duration::from_secs(1)).await;
    }
    let took = begun.elapsed();
    assert!(took >= Duration::from_secs(20) && took <= GIVES_UP_AFTER + Duration::from_secs(1), "{took:?}");
    let (texts, code) = hear(&mut socket).await;
    assert!(texts.len() < 10_000 && code.is_none(), "{} items were held for it", texts.len());
}

#[tokio::test]
async fn a_leaving_client_ends_its_stream() {
    let door = doors(endless(), |_| {});
    let token = format!("Bearer {TOKEN}");
    for polite in [true, false] {
        let (mut socket, _, _held) = open(&door, "/v1/demo/Watch", &[("authorization", &token)]).await;
        socket.send(Message::text("{}")).await.unwrap();
        while door.gate.inside(Counted::Stream) == 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!((door.gate.inside(Counted::Socket), door.gate.inside(Counted::Call)), (1, 0));
        if polite {
            let close = CloseFrame { code: CloseCode::Normal, reason: Default::default() };
            socket.close(Some(close)).await.unwrap();
            assert_eq!(hear(&mut socket).await.1, Some(CloseCode::Normal));
        }
        drop(socket);
        while door.gate.inside(Counted::Stream) + door.gate.inside(Counted::Socket) > 0 {
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test]
async fn a_stopping_node_closes_as_going_away() {
    let door = doors(endless(), |_| {});
    let token = format!("Bearer {TOKEN}");
    for asked in [true, false] {
        let (mut socket, _, held) = open(&door, "/v1/demo/Watch", &[("authorization", &token)]).await;
        if asked {
            socket.send(Message::text("{}")).await.unwrap();
            while door.gate.inside(Counted::Stream) == 0 {
                tokio::task::yield_now().await;
            }
        }
        held.stopper.stop();
        assert_eq!(hear(&mut socket).await, (vec![], Some(CloseCode::Away)));
    }
}

#[tokio::test]
async fn more_than_the_node_takes_is_told() {
    let bounds = Bounds { sockets: 1, ..Bounds::default() };
    let door = doors(endless(), |doors| doors.gate = Gate::new(bounds));
    let token = format!("Bearer {TOKEN}");
    let (_first, _, _one) = open(&door, "/v1/demo/Watch", &[("authorization", &token)]).await;
    while door.gate.inside(Counted::Socket) == 0 {
        tokio::task::yield_now().await;
    }
    let (mut socket, _, _two) = open(&door, "/v1/demo/Watch", &[("authorization", &token)]).await;
    let (texts, _) = hear(&mut socket).await;
    assert!(texts.len() == 1 && texts[0].contains("overloaded"), "{texts:?}");
    let bounds = Bounds { streams: 0, ..Bounds::default() };
    let (texts, _) = talk(&doors(endless(), |doors| doors.gate = Gate::new(bounds)), "/v1/demo/Watch", "{}").await;
    assert!(texts.len() == 1 && texts[0].contains("overloaded"), "{texts:?}");
}

#[tokio::test]
async fn a_request_that_is_too_long_or_no_text_is_told() {
    let door = doors(Fake::echo(), |_| {});
    let token = format!("Bearer {TOKEN}");
    let rows = [
        (token.as_str(), (8 << 20) + 1, "too_large", CloseCode::Size),
        (token.as_str(), (1 << 20) + 1, "too_large", CloseCode::Size),
        // A stranger is not read to the end.
        ("Bearer cmn_wrong", (64 << 10) + 1, "too_large", CloseCode::Size),
    ];
    for (key, length, reason, code) in rows {
        let (mut socket, _, _held) = open(&door, "/v1/demo/Credit", &[("authorization", key)]).await;
        let request = format!(r#"{{"id":"{}"}}"#, "x".repeat(length));
        let (mut out, mut input) = (&mut socket).split();
        let sending = out.send(Message::text(request));
        let hearing = async {
            let first = input.next().await.unwrap().unwrap().into_text().unwrap().to_string();
            (first, input.next().await.unwrap().unwrap())
        };
        let (_, (text, closed)) = tokio::join!(sending, hearing);
        assert!(text.contains(reason), "{length}: {text}");
        assert!(matches!(closed, Message::Close(Some(close)) if close.code == code), "{length}");
    }
}

#[tokio::test]
async fn in_dev_mode_another_site_gets_no_call() {
    let fake = Fake::echo();
    let door = doors(fake.clone(), |doors| doors.access = Access::dev(TOKEN, "local"));
    let foreign: &[&[(&str, &str)]] = &[
        &[("origin", "http://evil.example")],
        &[("origin", "null")],
        &[("origin", "http://localhost.evil.example:8080")],
        &[("sec-fetch-site", "cross-site")],
        &[("origin", "http://evil.example"), ("sec-websocket-protocol", "anything")],
    ];
    for headers in foreign {
        let (mut socket, _, _held) = open(&door, "/v1/demo/Credit", headers).await;
        socket.send(Message::text("{}")).await.unwrap();
        let (texts, _) = hear(&mut socket).await;
        assert!(texts.len() == 1 && texts[0].contains("foreign_origin"), "{headers:?}: {texts:?}");
    }
    assert!(fake.seen().is_empty());
    // A front end on another port of this machine.
    let own = [("origin", "http://localhost:3000"), ("sec-fetch-site", "same-site")];
    let (mut socket, _, _held) = open(&door, "/v1/demo/Credit", &own).await;
    socket.send(Message::text("{}")).await.unwrap();
    assert!(hear(&mut socket).await.0[0].contains("balance"));
}

#[tokio::test]
async fn a_bad_handshake_is_an_ordinary_error() {
    let door = doors(Fake::echo(), |_| {});
    for (name, value) in [("sec-websocket-version", "12"), ("connection", "close")] {
        let (pipe, _held) = pipe(&door, 64 << 10);
        let mut request = "ws://localhost:8080/v1/demo/Credit".into_client_request().unwrap();
        request.headers_mut().insert(http_name(name), value.parse().unwrap());
        // The client's own check of its headers is not what is tested.
        match client_async(request, pipe).await {
            Err(tungstenite::Error::Http(response)) => {
                assert_eq!(response.status(), 400, "{name}");
                assert_eq!(response.headers()["sec-websocket-version"], "13");
            }
            other => panic!("{name}: {:?}", other.err()),
        }
    }
}
