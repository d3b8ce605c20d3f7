//! Each row of bad input: a typed error that names field and rule, and nothing inside is touched.

use super::*;

async fn refused(body: impl Into<Body>) -> (u16, Value) {
    at("/v1/demo/Credit", body).await
}

async fn at(path: &str, body: impl Into<Body>) -> (u16, Value) {
    let fake = Fake::echo();
    let reply = send(&doors(fake.clone(), |_| {}), post(path, body)).await;
    assert!(fake.seen().is_empty(), "{path} reached the service");
    assert_eq!((reply.header("commons-outcome"), reply.header("commons-source")), ("not_run", "cluster"));
    (reply.code, reply.json())
}

#[tokio::test]
async fn wrong_fields() {
    let rows = [
        (r#"{"amount":"abc"}"#, r#"amount: "abc" is not a 64-bit integer"#),
        (r#"{"amount":true}"#, "amount: true is not a 64-bit integer"),
        (r#"{"amount":1.5}"#, "amount: 1.5 is not a 64-bit integer"),
        (
            r#"{"amount":9223372036854775808}"#,
            "amount: 9223372036854775808 is out of range: a 64-bit integer holds -9223372036854775808 to 9223372036854775807",
        ),
        (
            r#"{"small":2147483648}"#,
            "small: 2147483648 is out of range: a 32-bit integer holds -2147483648 to 2147483647",
        ),
        (r#"{"visible":"maybe"}"#, r#"visible: "maybe" is not a bool (true or false)"#),
        (r#"{"id":5}"#, "id: 5 is not a string"),
        (r#"{"tags":["a",{}]}"#, "tags[1]: an object is not a string"),
        (
            r#"{"part":{"n":-1}}"#,
            "part.n: -1 is out of range: a 64-bit unsigned integer holds 0 to 18446744073709551615",
        ),
        ("[1]", "the body must be a JSON object, not a list"),
        ("5", "the body must be a JSON object, not a number"),
        ("null", "the body must be a JSON object, not null"),
        (r#"{"amount":5"#, "broken JSON at line 1, column 11: EOF while parsing an object"),
        ("{\n  amount: 5}", "broken JSON at line 2, column 3: key must be a string"),
        ("hello", "broken JSON at line 1, column 1: expected value"),
        (r#"{"amount":5} x"#, "broken JSON at line 1, column 14: trailing characters"),
        (r#"{"id":"\ud800"}"#, "broken JSON at line 1, column 14: unexpected end of hex escape"),
    ];
    for (body, detail) in rows {
        let (code, error) = refused(body).await;
        assert_eq!((code, &error["detail"], &error["reason"]), (400, &json!(detail), &json!("bad_body")), "{body}");
        assert_eq!(error["id"], "demo.credit");
    }
}

#[tokio::test]
async fn bytes_that_are_no_text_or_too_many() {
    let (code, error) = refused(b"{\"id\":\"\xff\"}".to_vec()).await;
    assert_eq!((code, &error["detail"]), (400, &json!("the body is not UTF-8: bad byte at 7")));
    let (code, error) = refused(format!(r#"{{"id":"{}"}}"#, "x".repeat(1 << 20))).await;
    assert_eq!((code, &error["reason"], &error["id"]), (413, &json!("too_large"), &json!("demo.credit")));
    // Without a length said before.
    let chunks =
        futures::stream::iter((0..8193).map(|_| Ok::<_, std::io::Error>(bytes::Bytes::from(vec![b' '; 1024]))));
    assert_eq!(refused(Body::from_stream(chunks)).await.0, 413);
    let (code, error) = refused("[".repeat(100_000)).await;
    assert_eq!((code, &error["detail"]), (400, &json!("broken JSON at line 1, column 128: recursion limit exceeded")));
}

#[tokio::test]
async fn unknown_names_are_told_the_nearest() {
    let rows = [
        ("/v1/dmo/Credit", r#"No such API: there is no service "dmo"; did you mean "demo"?"#, "no_such_service"),
        ("/v1/something/Credit", r#"No such API: there is no service "something""#, "no_such_service"),
        ("/v1/demo/Credt", r#"No such API: demo has no endpoint "Credt"; did you mean "Credit"?"#, "no_such_endpoint"),
        (
            "/v1/demo/CREDIT",
            r#"No such API: demo has no endpoint "CREDIT"; did you mean "Credit"?"#,
            "no_such_endpoint",
        ),
        ("/v1/demo/Secret", r#"No such API: demo has no endpoint "Secret""#, "no_such_endpoint"),
        (
            "/v1/demo/Other/Credit",
            "No such API: the long form repeats the service's name, as in /v1/demo/demo/Credit",
            "no_such_endpoint",
        ),
        (
            "/v1/demo",
            r#"No such API: there is no path "/v1/demo"; endpoints are at /v1/{service}/{Endpoint}"#,
            "no_such_path",
        ),
    ];
    for (path, detail, reason) in rows {
        let (code, error) = at(path, "{}").await;
        assert_eq!(
            (code, &error["detail"], &error["reason"], &error["id"]),
            (404, &json!(detail), &json!(reason), &json!("v1")),
            "{path}"
        );
    }
    assert_eq!(at(&format!("/v1/{}/Credit", "x".repeat(5000)), "{}").await.0, 404);
}

#[tokio::test]
async fn methods_and_media_we_do_not_read() {
    let door = doors(Fake::echo(), |_| {});
    let token = format!("Bearer {TOKEN}");
    let reply = send(&door, request("TRACE", "/v1/demo/Credit", &[("authorization", &token)], "")).await;
    assert_eq!(reply.code, 405);
    assert_eq!(send(&door, request("POST", "/healthz", &[], "")).await.json()["reason"], "method_not_allowed");
    let headers = [("authorization", token.as_str()), ("content-encoding", "br")];
    let reply = send(&door, request("POST", "/v1/demo/Credit", &headers, "--x")).await;
    assert_eq!((reply.code, &reply.json()["reason"]), (415, &json!("unsupported_media")));
}
