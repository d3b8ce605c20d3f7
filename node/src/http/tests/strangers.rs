//! Whatever is sent, at random or crooked on purpose: an answer that the contract has, and no panic.

use super::web_sockets::pipe;
use super::*;
use crate::http::{multipart, query};
use axum::http::header;
use futures::{SinkExt, StreamExt};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{TestCaseResult, TestRunner};
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

/// Nothing is kept on disk: a failure prints what it found.
fn runner(cases: u32) -> TestRunner {
    TestRunner::new(ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() })
}

/// Runs each case to its end on one runtime.
fn each<S: Strategy>(cases: u32, given: S, check: impl AsyncFn(S::Value) -> TestCaseResult) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runner(cases).run(&given, |value| runtime.block_on(check(value))).unwrap();
}

/// The error object, or a reply.
fn is_an_answer(reply: &Reply) -> TestCaseResult {
    prop_assert!(reply.code < 500, "{}: {}", reply.code, reply.text);
    prop_assert_eq!(reply.header("content-type"), "application/json");
    for line in reply.text.lines() {
        let value: Value =
            serde_json::from_str(line).map_err(|error| TestCaseError::fail(format!("{error}: {line}")))?;
        prop_assert!(value.is_object(), "{}", line);
        prop_assert!(reply.code == 200 || value["code"] == reply.code, "{}: {}", reply.code, line);
    }
    Ok(())
}

/// Pieces of what doors read, in any order, and noise.
fn crooked() -> impl Strategy<Value = Vec<u8>> {
    let known = proptest::sample::select(vec![
        &b"{"[..],
        b"}",
        b"[",
        b"]",
        b":",
        b",",
        b"\"",
        b"\\ud800",
        b"null",
        b"1e999",
        b"-0",
        b"\"amount\"",
        b"\"tags\"",
        b"amount",
        b"tags",
        b"part.n",
        b"=",
        b"&",
        b"%",
        b"%2",
        b"%C3%B6",
        b"+",
        b"a.b",
        b".",
        b"\r\n",
        b"--b",
        b"--b--",
        b"Content-Disposition: form-data; name=\"file\"",
        b"; filename=\"f\"",
        b"; filename*=UTF-8''%ff",
        b"Content-Type: image/png",
        b"\0",
        b"\xff",
        b"\xef\xbb\xbf",
    ]);
    let piece = prop_oneof![4 => known.prop_map(<[u8]>::to_vec), 1 => vec(any::<u8>(), 0..6)];
    vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

fn media() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(vec![
        "application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=b",
        "multipart/form-data",
        "text/plain; charset=utf-16",
    ])
}

#[test]
fn any_body_gets_an_answer() {
    let door = doors(Fake::echo(), |_| {});
    let path = proptest::sample::select(vec!["/v1/demo/Credit", "/v1/demo/Weigh", "/v1/demo/Balance"]);
    each(1_500, (path, media(), crooked()), async |(path, media, body)| {
        let token = format!("Bearer {TOKEN}");
        let headers = [("authorization", token.as_str()), ("content-type", media)];
        is_an_answer(&send(&door, request("POST", path, &headers, body)).await)
    });
}

#[test]
fn any_path_and_query_get_an_answer() {
    let door = doors(Fake::echo(), |_| {});
    let part =
        prop_oneof![Just("demo".to_string()), Just("Credit".into()), "[!-\"$->@-~]{0,8}", "(%[0-9a-fA-F]{2}){0,4}"];
    let under = proptest::sample::select(vec!["/v1", "/v1/_", "/v2", "/publicapi/explore", "/"]);
    let query = "([a-z.]{0,9}=?[!-\"$-~]{0,9}&?){0,5}";
    each(1_500, (under, vec(part, 0..4), query), async |(under, parts, query)| {
        let path = format!("{under}/{}?{query}", parts.join("/"));
        let Ok(uri) = path.parse::<axum::http::Uri>() else { return Ok(()) };
        let mut request = request("GET", "/", &[("authorization", &format!("Bearer {TOKEN}"))], "");
        *request.uri_mut() = uri;
        is_an_answer(&send(&door, request).await)
    });
}

#[test]
fn any_headers_get_an_answer() {
    let name = proptest::sample::select(vec![
        "idempotency-key",
        "commons-timeout-ms",
        "commons-stale-ok",
        "traceparent",
        "content-encoding",
        "content-type",
        "authorization",
        "sec-websocket-protocol",
        "origin",
        "content-length",
        "accept",
        "upgrade",
    ]);
    let value = prop_oneof![vec(any::<u8>(), 0..12), "[0-9]{0,30}".prop_map(String::into_bytes)];
    let door = doors(Fake::echo(), |_| {});
    each(1_500, vec((name, value), 0..4), async |headers| {
        let mut request = post("/v1/demo/Credit", "{}");
        for (name, value) in headers {
            if let Ok(value) = axum::http::HeaderValue::from_bytes(&value) {
                request.headers_mut().append(name, value);
            }
        }
        is_an_answer(&send(&door, request).await)
    });
}

#[test]
fn any_query_is_an_object_or_an_error() {
    runner(3_000)
        .run(
            &prop_oneof![any::<String>(), crooked().prop_map(|bytes| String::from_utf8_lossy(&bytes).into())],
            |text| {
                match query::parse(&text) {
                    Ok(value) => prop_assert!(value.is_object()),
                    Err(error) => prop_assert_eq!(error.code, 400),
                }
                Ok(())
            },
        )
        .unwrap();
}

#[test]
fn an_object_of_texts_printed_as_a_query_comes_back() {
    let name = "[^. \\t\\r\\n]{1,6}".prop_filter("trimmed away", |name| name.trim() == name);
    let objects = proptest::collection::btree_map(name, any::<String>(), 0..8);
    runner(1_000)
        .run(&objects, |object| {
            let print = |text: &str| text.bytes().map(|byte| format!("%{byte:02x}")).collect::<String>();
            let pairs = object.iter().map(|(name, value)| format!("{}={}", print(name), print(value)));
            let text = pairs.collect::<Vec<_>>().join("&");
            prop_assert_eq!(query::parse(&text).unwrap(), serde_json::to_value(&object).unwrap(), "{}", text);
            Ok(())
        })
        .unwrap();
}

#[test]
fn any_multipart_body_is_a_form_or_an_error() {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, "multipart/form-data; boundary=b".parse().unwrap());
    each(1_500, crooked(), async |body| {
        let body = [b"--b\r\nContent-Disposition: form-data; name=\"a\"", &body[..], b"\r\n--b--\r\n"].concat();
        match multipart::parse(&headers, body.into()).await {
            Ok(value) => prop_assert!(value.is_object()),
            Err(error) => prop_assert_eq!(error.code, 400),
        }
        Ok(())
    });
}

#[test]
fn any_first_frame_is_answered_and_closed() {
    let frame = prop_oneof![
        crooked().prop_map(|bytes| Message::text(String::from_utf8_lossy(&bytes).into_owned())),
        crooked().prop_map(Message::binary),
        any::<String>().prop_map(Message::text),
    ];
    let door = doors(Fake::echo(), |_| {});
    each(300, frame, async |frame| {
        let said = conversation(&door, frame).await.map_err(TestCaseError::fail)?;
        prop_assert_eq!(said.len(), 1, "{:?}", said);
        prop_assert!(serde_json::from_str::<Value>(&said[0]).unwrap().is_object());
        Ok(())
    });
}

/// The text frames that answer this first one, up to the close.
async fn conversation(door: &Arc<Doors>, first: Message) -> Result<Vec<String>, String> {
    let (pipe, _held) = pipe(door, 64 << 10);
    let mut request = "ws://localhost:8080/v1/demo/Credit".into_client_request().unwrap();
    request.headers_mut().insert(header::AUTHORIZATION, format!("Bearer {TOKEN}").parse().unwrap());
    let (mut socket, _) = client_async(request, pipe).await.expect("an upgrade is always accepted");
    socket.send(first).await.unwrap();
    let mut said = vec![];
    while let Some(Ok(message)) = socket.next().await {
        match message {
            Message::Text(text) => said.push(text.to_string()),
            Message::Close(_) => return Ok(said),
            _ => {}
        }
    }
    Err(format!("no close after {said:?}"))
}

/// M3O's JavaScript client sends this when its user gives no request.
#[tokio::test]
async fn an_empty_binary_frame_is_an_empty_request() {
    let said = conversation(&doors(Fake::echo(), |_| {}), Message::binary(vec![])).await.unwrap();
    assert_eq!(said, [r#"{"balance":"0","note":"","part":null}"#]);
}

#[tokio::test]
async fn a_method_that_calls_nothing_is_told_which_do() {
    let door = doors(Fake::echo(), |_| {});
    for method in ["TRACE", "PROPFIND", "HEAD"] {
        let reply = send(&door, request(method, "/v1/demo/Credit", &[], "")).await;
        assert_eq!((reply.code, reply.header("allow")), (405, "GET, POST, PUT, PATCH, DELETE, OPTIONS"), "{method}");
    }
    let reply = send(&door, request("POST", "/healthz", &[], "")).await;
    assert_eq!((reply.code, reply.header("allow")), (405, "GET,HEAD"));
}

#[tokio::test]
async fn more_time_than_any_call_may_take_is_the_most_it_may_take() {
    let door = doors(Fake::echo(), |_| {});
    let token = format!("Bearer {TOKEN}");
    for (time, code) in
        [("60001", 200), ("99999999999999999999999999", 200), ("0", 400), ("-1", 400), ("+5", 400), ("", 400)]
    {
        let headers = [("authorization", token.as_str()), ("commons-timeout-ms", time)];
        assert_eq!(send(&door, request("POST", "/v1/demo/Credit", &headers, "{}")).await.code, code, "{time:?}");
    }
}

#[tokio::test]
async fn a_path_that_is_no_text_is_told_in_the_error_object() {
    let door = doors(Fake::echo(), |_| {});
    for path in ["/v1/_/outcome/%ff", "/v1/%ff/Credit", "/v1/demo/demo/%c0%ae", "/publicapi/explore/%ff"] {
        let reply = send(&door, request("GET", path, &[("authorization", &format!("Bearer {TOKEN}"))], "")).await;
        assert_eq!((reply.code, &reply.json()["reason"]), (404, &json!("no_such_endpoint")), "{path}");
    }
}
