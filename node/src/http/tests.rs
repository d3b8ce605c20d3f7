//! The door without a socket: what comes in, what goes out, what is refused.

use super::{Peer, router};
use crate::door::gate::Bounds;
use crate::door::testing::{Fake, Reaction, TOKEN, credited, doors};
use crate::door::{Access, Doors, Gate};
use axum::body::Body;
use axum::http::{HeaderMap, Request};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use std::sync::Arc;
use tower::ServiceExt;
use wire::rpc::RequestId;
use wire::{Reason, error::reasons};

mod bad_input;
mod bodies;
mod dev_mode;
mod http2;
mod public;
mod sockets;
mod strangers;
mod web_sockets;

struct Reply {
    code: u16,
    headers: HeaderMap,
    text: String,
}

impl Reply {
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {:?}", self.text))
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }
}

async fn send(doors: &Arc<Doors>, request: Request<Body>) -> Reply {
    let mut request = request;
    request.extensions_mut().insert(Peer(([127, 0, 0, 1], 5000).into()));
    let response = router(doors.clone()).oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    Reply { code: parts.status.as_u16(), headers: parts.headers, text: String::from_utf8(bytes.to_vec()).unwrap() }
}

fn request(method: &str, path: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path).header("host", "localhost:8080");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(body.into()).unwrap()
}

/// A POST with the token.
fn post(path: &str, body: impl Into<Body>) -> Request<Body> {
    request("POST", path, &[("authorization", &format!("Bearer {TOKEN}"))], body)
}

#[tokio::test]
async fn a_reply_has_wide_numbers_as_strings_and_every_zero() {
    let fake = Fake::echo();
    let reply = send(&doors(fake.clone(), |_| {}), post("/v1/demo/Credit", r#"{"amount":"5","sessionId":"s"}"#)).await;
    assert_eq!((reply.code, reply.text.as_str()), (200, r#"{"balance":"5","note":"","part":null}"#));
    assert_eq!(reply.header("content-type"), "application/json");
    let seen = &fake.seen()[0];
    assert_eq!(
        (seen.account.as_str(), &seen.body["session_id"], &seen.request_id),
        ("local", &json!("s"), &RequestId::None)
    );
}

#[tokio::test]
async fn every_way_to_an_endpoint() {
    let doors = doors(Fake::echo(), |_| {});
    let token = format!("Bearer {TOKEN}");
    let basic =
        format!("Basic {}", base64::Engine::encode(&base64::engine::general_purpose::STANDARD, format!("me:{TOKEN}")));
    let form = "application/x-www-form-urlencoded";
    type Row<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)], &'a str);
    let rows: &[Row] = &[
        ("POST", "/v1/demo/Credit", &[("authorization", &token)], r#"{"amount":5}"#),
        ("POST", "/v1/DEMO/credit", &[("authorization", &token)], r#"{"amount":5}"#),
        ("POST", "/v1/demo/Demo/Credit", &[("authorization", &token)], r#"{"amount":"5"}"#),
        ("PUT", "/v1/demo/Credit", &[("authorization", &token)], r#"{"amount":5.0}"#),
        ("DELETE", "/v1/demo/Credit?amount=5", &[("authorization", &token)], ""),
        ("GET", "/v1/demo/Credit?amount=5&visible=true&session_id=123", &[("authorization", &token)], ""),
        ("POST", "/v1/demo/Credit?amount=7&part.n=1", &[("authorization", &token)], r#"{"amount":5}"#),
        ("POST", "/v1/demo/Credit", &[("authorization", &basic)], r#"{"amount":5}"#),
        ("POST", "/v1/demo/Credit", &[("authorization", &token), ("content-type", form)], "amount=5&tags=a&tags=b"),
        ("POST", "/v1/demo/Credit", &[("authorization", &token), ("content-type", form)], r#"{"amount":5}"#),
        (
            "POST",
            "/v1/demo/Credit",
            &[("authorization", &token), ("content-type", "application/json; charset=utf-8")],
            r#"{"amount":5}"#,
        ),
    ];
    for (method, path, headers, body) in rows {
        let reply = send(&doors, request(method, path, headers, body.to_string())).await;
        assert_eq!(
            (reply.code, &reply.json()["balance"]),
            (200, &json!("5")),
            "{method} {path} {body}: {}",
            reply.text
        );
    }
    for empty in ["", "  \n", "{}"] {
        let reply = send(&doors, post("/v1/demo/Credit", empty)).await;
        assert_eq!((reply.code, &reply.json()["balance"]), (200, &json!("0")), "{empty:?}");
    }
}

#[tokio::test]
async fn an_error_is_the_object_with_headers() {
    let poor = Reason::bad_request("insufficient_credit").because("has 1, needs 2");
    let door = doors(Fake::new(move |_| Reaction::Fail(poor.clone())), |_| {});
    let reply = send(&door, post("/v1/demo/Credit", "{}")).await;
    assert_eq!(reply.code, 400);
    assert_eq!(
        reply.text,
        r#"{"id":"demo.credit","code":400,"detail":"has 1, needs 2","status":"Bad Request","reason":"insufficient_credit","outcome":"ran","source":"service","retry_after_ms":0}"#
    );
    assert_eq!((reply.header("commons-outcome"), reply.header("commons-source")), ("ran", "service"));
    let door =
        doors(Fake::new(|_| Reaction::Fail(reasons::NO_LEADER.refuse("nobody leads").retry_after_ms(1500))), |_| {});
    let reply = send(&door, post("/v1/demo/Credit", "{}")).await;
    assert_eq!((reply.code, reply.header("retry-after"), reply.header("commons-outcome")), (503, "2", "not_run"));
}

#[tokio::test]
async fn a_panic_inside_is_a_500_of_unknown_outcome() {
    let reply = send(&doors(Fake::new(|_| Reaction::Panic), |_| {}), post("/v1/demo/Credit", "{}")).await;
    assert_eq!((reply.code, reply.header("commons-outcome")), (500, "unknown"));
    assert_eq!(reply.json()["id"], "demo.credit");
}

#[tokio::test]
async fn the_callers_id_goes_inside_and_its_life_is_told() {
    let fake = Fake::echo();
    let door = doors(fake.clone(), |_| {});
    let mut asked = post("/v1/demo/Credit", "{}");
    asked.headers_mut().insert("idempotency-key", "tip-1".parse().unwrap());
    let reply = send(&door, asked).await;
    assert_eq!((reply.code, reply.header("commons-idempotency-kept-seconds")), (200, "86400"));
    assert_eq!(fake.seen()[0].request_id, RequestId::Caller("tip-1".into()));
    for bad in ["", " ", "two words", &"x".repeat(256), "ä"] {
        let mut asked = post("/v1/demo/Credit", "{}");
        asked.headers_mut().insert("idempotency-key", axum::http::HeaderValue::from_bytes(bad.as_bytes()).unwrap());
        let reply = send(&door, asked).await;
        assert_eq!((reply.code, &reply.json()["reason"]), (400, &json!("bad_request_id")), "{bad:?}");
    }
    assert_eq!(fake.seen().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn who_does_not_answer_in_time_is_a_504() {
    let door = doors(Fake::new(|_| Reaction::Later(tokio::sync::oneshot::channel().1)), |_| {});
    for (path, outcome) in [("/v1/demo/Credit", "unknown"), ("/v1/demo/Balance", "not_run")] {
        let mut asked = post(path, "{}");
        asked.headers_mut().insert("commons-timeout-ms", "250".parse().unwrap());
        let reply = send(&door, asked).await;
        assert_eq!((reply.code, reply.header("commons-outcome")), (504, outcome));
    }
    for bad in ["0", "-1", "soon", ""] {
        let mut asked = post("/v1/demo/Credit", "{}");
        asked.headers_mut().insert("commons-timeout-ms", bad.parse().unwrap());
        assert_eq!(send(&door, asked).await.code, 400, "{bad:?}");
    }
}

#[tokio::test]
async fn p22_a_reply_that_may_be_behind_says_so_to_who_asked_for_it() {
    let door = doors(Fake::new(|_| Reaction::Reply(credited(5))), |_| {});
    for (path, said, marked) in
        [("/v1/demo/Balance", "true", true), ("/v1/demo/Balance", "false", false), ("/v1/demo/Credit", "true", false)]
    {
        let mut asked = post(path, "{}");
        asked.headers_mut().insert("commons-stale-ok", said.parse().unwrap());
        let reply = send(&door, asked).await;
        assert_eq!((reply.code, reply.json()["balance"].as_str()), (200, Some("5")));
        assert_eq!(reply.headers.get("commons-stale").map(|v| v.as_bytes()), marked.then_some(&b"true"[..]), "{path}");
    }
    assert!(send(&door, post("/v1/demo/Balance", "{}")).await.headers.get("commons-stale").is_none());
    let mut asked = post("/v1/demo/Balance", "{}");
    asked.headers_mut().insert("commons-stale-ok", "perhaps".parse().unwrap());
    assert_eq!(send(&door, asked).await.code, 400);
}

#[tokio::test]
async fn nobody_enters_without_the_token() {
    let fake = Fake::echo();
    let door = doors(fake.clone(), |_| {});
    let wrong: &[&[(&str, &str)]] = &[
        &[],
        &[("authorization", "")],
        &[("authorization", "Bearer cmn_wrong")],
        &[("authorization", "Bearer")],
        &[("authorization", "Basic ?")],
        &[("authorization", "Digest x")],
    ];
    for headers in wrong {
        for path in ["/v1/demo/Credit", "/v1/nothing/There", "/status"] {
            let method = if path == "/status" { "GET" } else { "POST" };
            let reply = send(&door, request(method, path, headers, "{}")).await;
            let error = reply.json();
            assert_eq!(
                (reply.code, &error["id"], &error["detail"]),
                (401, &json!("v1"), &json!("Unauthorized")),
                "{path} {headers:?}"
            );
        }
    }
    assert!(fake.seen().is_empty());
    for open in ["/healthz", "/readyz", "/"] {
        assert_eq!(send(&door, request("GET", open, &[], "")).await.code, 200, "{open}");
    }
    let token = format!("Bearer {TOKEN}");
    assert_eq!(
        send(&door, request("GET", "/status", &[("authorization", &token)], "")).await.json(),
        json!({"nodes": []})
    );
    assert_eq!(send(&door, request("GET", "/", &[], "")).await.json(), json!({"version": crate::door::VERSION}));
}

#[tokio::test]
async fn a_full_node_says_so_at_once() {
    let door = doors(Fake::echo(), |doors| doors.gate = Gate::new(Bounds { calls: 0, ..Bounds::default() }));
    let reply = send(&door, post("/v1/demo/Credit", "{}")).await;
    assert_eq!((reply.code, reply.header("retry-after"), reply.header("commons-outcome")), (429, "1", "not_run"));
}

#[tokio::test]
async fn a_stream_is_one_object_a_line() {
    let items = || vec![json!({"n": 1}), json!({"n": 2})];
    let door = doors(Fake::new(move |_| Reaction::Items(items(), Some(Ok(())))), |_| {});
    let reply = send(&door, post("/v1/demo/Watch", "{}")).await;
    assert_eq!((reply.code, reply.text.as_str()), (200, "{\"n\":\"1\"}\n{\"n\":\"2\"}\n"));
    let late = reasons::LEADER_LOST.refuse("gone");
    let door = doors(Fake::new(move |_| Reaction::Items(items(), Some(Err(late.clone())))), |_| {});
    let reply = send(&door, post("/v1/demo/Watch", "{}")).await;
    let last: Value = serde_json::from_str(reply.text.lines().last().unwrap()).unwrap();
    assert_eq!((reply.code, &last["id"], &last["code"]), (200, &json!("demo.watch"), &json!(503)));
    let early = reasons::BAD_BODY.refuse("messages: too many");
    let door = doors(Fake::new(move |_| Reaction::Items(vec![], Some(Err(early.clone())))), |_| {});
    assert_eq!(send(&door, post("/v1/demo/Watch", "{}")).await.code, 400);
    let door = doors(Fake::new(|_| Reaction::Items(vec![], Some(Ok(())))), |_| {});
    let reply = send(&door, post("/v1/demo/Watch", "{}")).await;
    assert_eq!((reply.code, reply.text.as_str()), (200, ""));
}

#[tokio::test]
async fn every_reply_may_be_read_by_pages() {
    let door = doors(Fake::echo(), |_| {});
    let reply = send(&door, request("OPTIONS", "/v1/demo/Credit", &[("origin", "http://a.example")], "")).await;
    assert_eq!(
        (reply.code, reply.text.as_str(), reply.header("access-control-allow-origin")),
        (200, "", "http://a.example")
    );
    assert_eq!(reply.header("access-control-max-age"), "7200");
    let allowed = reply.header("access-control-allow-headers");
    let m3o = "Accept, Content-Type, Content-Length, Accept-Encoding, X-CSRF-Token, Authorization, Micro-Namespace";
    assert!(allowed.starts_with(m3o), "{allowed}");
    for ours in ["Content-Encoding", "Idempotency-Key", "Commons-Timeout-Ms", "Commons-Stale-Ok", "traceparent"] {
        assert!(allowed[m3o.len()..].split(", ").any(|name| name == ours), "{ours}: {allowed}");
    }
    let reply = send(&door, request("GET", "/nowhere", &[], "")).await;
    assert_eq!((reply.code, reply.header("access-control-allow-origin")), (404, "*"));
    assert_eq!(reply.header("access-control-allow-methods"), "POST, PATCH, GET, OPTIONS, PUT, DELETE");
    assert_eq!(reply.header("access-control-allow-credentials"), "true");
    let exposed = reply.header("access-control-expose-headers");
    for ours in
        ["Commons-Outcome", "Commons-Source", "Commons-Stale", "Commons-Idempotency-Kept-Seconds", "Retry-After"]
    {
        assert!(exposed.split(", ").any(|name| name == ours), "{ours}: {exposed}");
    }
}

#[tokio::test]
async fn what_a_service_says_wrongly_is_ours_to_answer() {
    let odd = Reason { code: 7, word: "odd" }.because("no HTTP status");
    let reply =
        send(&doors(Fake::new(move |_| Reaction::Fail(odd.clone())), |_| {}), post("/v1/demo/Credit", "{}")).await;
    assert_eq!(reply.code, 500);
    let reply =
        send(&doors(Fake::new(|_| Reaction::Reply(credited(i64::MIN))), |_| {}), post("/v1/demo/Balance", "{}")).await;
    assert_eq!(reply.json()["balance"], "-9223372036854775808");
}
