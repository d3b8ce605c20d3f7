//! Wrong requests for every endpoint there is, over both doors: a typed error that names field and rule, no panic, nothing written.
//!
//! The endpoints are those that `commons services` lists; a new one is covered the moment it is there.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use services::{cache, wallet};
use tests::cli::commons;
use tests::http::Reply;
use tests::{Node, Setup, Verb};

/// An endpoint as the binary describes it.
struct Endpoint {
    service: String,
    name: String,
    fields: Vec<(String, String)>,
    /// The longest request as text (`_wire.md`: 8 MiB, unless the endpoint takes more).
    text_bytes_max: usize,
}

impl Endpoint {
    fn path(&self) -> String {
        format!("/v1/{}/{}", self.service, self.name)
    }

    fn id(&self) -> String {
        format!("{}.{}", self.service, self.name.to_lowercase())
    }
}

fn endpoints() -> Result<Vec<Endpoint>> {
    let mut all = vec![];
    for service in commons(["services", "--output", "json"])?.json()?.as_array().context("services")? {
        let service = service["name"].as_str().context("a name")?.to_string();
        let described = commons(["describe", &service, "--output", "json"])?.json()?;
        for endpoint in described["endpoints"].as_array().context("endpoints")? {
            let fields = endpoint["request"]["properties"].as_object().cloned().unwrap_or_default();
            let word = |schema: &Value| match schema["format"].as_str() {
                Some("date-time") => "time".to_string(),
                _ => schema["type"].as_str().unwrap_or("other").to_string(),
            };
            let fields = fields.iter().map(|(name, schema)| (name.clone(), word(schema))).collect();
            let name = endpoint["name"].as_str().context("a name")?.to_string();
            let binary = endpoint["body_bytes_max"].as_u64().context("a limit")? as usize;
            all.push(Endpoint { service: service.clone(), name, fields, text_bytes_max: (8 << 20).max(2 * binary) });
        }
    }
    ensure!(all.len() >= 17, "the catalogue has 17 endpoints at least, {} were found", all.len());
    Ok(all)
}

/// Everything anybody could see of what is stored, and how far each group's log was applied.
async fn state(node: &Node) -> Result<Value> {
    let client = node.client().await?;
    let keys = client.call(cache::ListKeysRequest { limit: 10_000, ..Default::default() }).await?.keys;
    let accounts = client.call(wallet::ListRequest { limit: 1000, ..Default::default() }).await?.accounts;
    let mut transactions = vec![];
    for account in &accounts {
        let request = wallet::TransactionsRequest { id: account.id.clone(), limit: 1000, ..Default::default() };
        transactions.push(serde_json::to_value(client.call(request).await?)?);
    }
    let applied: Vec<Value> = node.status().await?["groups"]
        .as_array()
        .context("groups")?
        .iter()
        .map(|group| group["applied"].clone())
        .collect();
    Ok(json!({"keys": keys, "accounts": accounts, "transactions": transactions, "applied": applied}))
}

/// A node whose shards are awake, so that anything written from now on is somebody's call.
async fn awake() -> Result<Node> {
    let node = Setup::new(Verb::Start)?.arg("--groups").arg("1").start().await?;
    let client = node.client().await?;
    client
        .call(wallet::CreditRequest { amount: 7, reference: "before".into(), visible: true, ..Default::default() })
        .await?;
    client.call(cache::SetRequest { key: "before".into(), value: "1".into(), ..Default::default() }).await?;
    Ok(node)
}

/// The error object of a refused call.
fn refused(reply: &Reply, what: &str, code: u16, reason: &str) -> Result<Value> {
    ensure!(reply.code == code, "{what}: {code} was due, it is {}: {}", reply.code, reply.text());
    let error = reply.json()?;
    ensure!(error["reason"] == reason, "{what}: {reason} was due: {error}");
    ensure!(error["code"] == code && error["outcome"] == "not_run", "{what}: {error}");
    ensure!(error["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{what}: no detail: {error}");
    ensure!(error["status"].as_str().is_some_and(|status| !status.is_empty()), "{what}: no status: {error}");
    Ok(error)
}

fn names(error: &Value, words: &[&str]) -> Result<()> {
    let detail = error["detail"].as_str().unwrap_or_default();
    words.iter().try_for_each(|word| {
        ensure!(detail.contains(word), "the detail does not say {word:?}: {error}");
        Ok(())
    })
}

/// A value of another type, and what the error must call the right one.
fn wrong_values(kind: &str) -> Vec<(Value, &'static str)> {
    match kind {
        "string" => {
            vec![(json!(5), "string"), (json!({"a": 1}), "string"), (json!(["a"]), "string"), (json!(true), "string")]
        }
        "integer" => vec![
            (json!("five"), "integer"),
            (json!(1.5), "integer"),
            (json!(true), "integer"),
            (json!([1]), "integer"),
            (serde_json::from_str("9223372036854775808").expect("a number"), "out of range"),
            (serde_json::from_str("-9223372036854775809").expect("a number"), ""),
            (json!("9223372036854775808"), "out of range"),
            (json!(1e300), ""),
        ],
        "boolean" => vec![(json!("maybe"), "bool"), (json!(2), "bool"), (json!([]), "bool")],
        "array" => vec![(json!(5), "list"), (json!({}), "list")],
        "object" => vec![(json!(5), "map"), (json!([]), "map")],
        "time" => vec![(json!("yesterday"), "time"), (json!(5), "time"), (json!([]), "time")],
        // An enum of words.
        "other" => vec![(json!("no such word"), "one of"), (json!(5), "one of"), (json!([]), "one of")],
        _ => vec![],
    }
}

#[tokio::test]
async fn wrong_fields_over_http() -> Result<()> {
    let node = awake().await?;
    let before = state(&node).await?;
    let http = node.caller();
    for endpoint in endpoints()? {
        let path = endpoint.path();
        for (field, kind) in &endpoint.fields {
            let wrong = wrong_values(kind);
            ensure!(!wrong.is_empty(), "{path}: no wrong value is known for {field} of type {kind}: add a row");
            for (value, word) in wrong {
                let reply = http.call(&path, &json!({field: value})).await?;
                let error = refused(&reply, &format!("{path} {field} = {value}"), 400, "bad_body")?;
                names(&error, &[field, word])?;
                assert_eq!(error["id"], json!(endpoint.id()));
            }
        }
    }
    assert_eq!(state(&node).await?, before, "nothing was written");
    node.check_no_panic()
}

#[tokio::test]
async fn wrong_bodies_over_http() -> Result<()> {
    let node = awake().await?;
    let before = state(&node).await?;
    let http = node.caller();
    let deep = "[".repeat(100_000);
    let rows: [(&[u8], u16, &str, &str); 12] = [
        (b"{\"id\": \"\xff\xfe\"}", 400, "bad_body", "UTF-8"),
        (b"\xf0\x28\x8c\x28", 400, "bad_body", "UTF-8"),
        (b"{\"id\": \"\xed\xa0\x80\"}", 400, "bad_body", "UTF-8"),
        (b"{\"id\": \"a\"", 400, "bad_body", "broken JSON"),
        (b"{id: 1}", 400, "bad_body", "broken JSON"),
        (b"hello", 400, "bad_body", "broken JSON"),
        (b"{} {}", 400, "bad_body", "broken JSON"),
        (b"{\"id\": \"\\ud800\"}", 400, "bad_body", "broken JSON"),
        (deep.as_bytes(), 400, "bad_body", "broken JSON"),
        (b"[1, 2]", 400, "bad_body", "JSON object"),
        (b"\"text\"", 400, "bad_body", "JSON object"),
        (b"null", 400, "bad_body", "JSON object"),
    ];
    for endpoint in endpoints()? {
        let path = endpoint.path();
        let large = format!(r#"{{"id": "{}"}}"#, "x".repeat(endpoint.text_bytes_max));
        let large = (large.as_bytes(), 413, "too_large", "MiB");
        for (body, code, reason, word) in rows.into_iter().chain([large]) {
            let shown = String::from_utf8_lossy(&body[..body.len().min(40)]).into_owned();
            let error = refused(&http.send("POST", &path, &[], body).await?, &format!("{path} {shown}"), code, reason)?;
            names(&error, &[word])?;
            assert_eq!(error["id"], json!(endpoint.id()), "{path} {shown}");
        }
        for (name, value, code, reason) in [
            ("Content-Encoding", "br", 415, "unsupported_media"),
            ("Content-Encoding", "gzip", 400, "bad_body"),
            ("Content-Type", "multipart/form-data; boundary=x", 400, "bad_body"),
            ("Idempotency-Key", "two words", 400, "bad_request_id"),
            ("Commons-Timeout-Ms", "soon", 400, "bad_body"),
            ("Commons-Timeout-Ms", "0", 400, "bad_body"),
        ] {
            refused(
                &http.send("POST", &path, &[(name, value)], b"--x").await?,
                &format!("{path} {name}"),
                code,
                reason,
            )?;
        }
        for method in ["TRACE", "BREW"] {
            refused(
                &http.send(method, &path, &[], b"{}").await?,
                &format!("{method} {path}"),
                405,
                "method_not_allowed",
            )?;
        }
        let wrong = format!("/v1/{}/{}x", endpoint.service, endpoint.name);
        let error = refused(&http.call(&wrong, &json!({})).await?, &wrong, 404, "no_such_endpoint")?;
        names(&error, &["did you mean", &endpoint.name])?;
        let wrong = format!("/v1/{}x/{}", endpoint.service, endpoint.name);
        let error = refused(&http.call(&wrong, &json!({})).await?, &wrong, 404, "no_such_service")?;
        names(&error, &["did you mean", &endpoint.service])?;
    }
    for path in ["/", "/v1", "/v1/wallet", "/v1/a/b/c/d", "/v2/wallet/Credit"] {
        let code = http.call(path, &json!({})).await?.code;
        assert!(code == 404 || code == 405, "{path} answered {code}");
    }
    assert_eq!(state(&node).await?, before, "nothing was written");
    node.check_no_panic()
}

/// Empty bodies and unknown fields are no mistake of form: the service judges what is missing. What it refuses leaves no trace.
#[tokio::test]
async fn empty_bodies_and_unknown_fields_are_the_services_to_judge() -> Result<()> {
    let node = awake().await?;
    let http = node.caller();
    for endpoint in endpoints()? {
        let path = endpoint.path();
        let before = state(&node).await?;
        for body in ["", "{}", " \n", r#"{"no_such_field": [1, {"a": null}]}"#] {
            let reply = http.send("POST", &path, &[], body.as_bytes()).await?;
            if reply.code == 200 {
                // Only a wallet can be made of nothing.
                ensure!(
                    path == "/v1/wallet/Create" || state(&node).await? == before,
                    "{path} {body:?} wrote: {}",
                    reply.text()
                );
                continue;
            }
            let error = reply.json()?;
            // A field that must be given stops at the door; what else is missing is the service's to say.
            let known = matches!((reply.code, error["source"].as_str()), (400, Some("service" | "cluster")) | (501, _));
            ensure!(known, "{path} {body:?}: {error}");
            ensure!(error["reason"].as_str().is_some_and(|reason| !reason.is_empty()), "{path} {body:?}: {error}");
            ensure!(error["id"] == endpoint.id(), "{path} {body:?}: {error}");
            assert_eq!(state(&node).await?, before, "{path} {body:?} was refused and left a trace");
        }
    }
    node.check_no_panic()
}

#[tokio::test]
async fn wrong_fields_over_rpc() -> Result<()> {
    let node = awake().await?;
    let before = state(&node).await?;
    let client = node.client().await?;
    let answered = |error: client::Error, what: &str| {
        let answer = error.answer().cloned().with_context(|| format!("{what}: no node answered: {error}"))?;
        ensure!(answer.outcome == client::Outcome::NotRun, "{what}: {answer:?}");
        anyhow::Ok(answer)
    };
    for endpoint in endpoints()? {
        let Endpoint { service, name, fields, text_bytes_max } = &endpoint;
        for (field, kind) in fields {
            for (value, word) in wrong_values(kind) {
                let what = format!("{service} {name} {field} = {value}");
                let error =
                    client.call_json(service, name, &json!({field: value})).await.err().context(what.clone())?;
                let answer = answered(error, &what)?;
                ensure!(answer.code == 400 && answer.reason == "bad_body", "{what}: {answer:?}");
                ensure!(answer.detail.contains(field.as_str()) && answer.detail.contains(word), "{what}: {answer:?}");
            }
        }
        for body in [json!([1]), json!("text"), json!(null), json!(5)] {
            let what = format!("{service} {name} {body}");
            let answer = answered(client.call_json(service, name, &body).await.err().context(what.clone())?, &what)?;
            ensure!(answer.code == 400 && answer.detail.contains("JSON object"), "{what}: {answer:?}");
        }
        // Longer ones do not fit into a frame.
        if *text_bytes_max <= 8 << 20 {
            let what = format!("{service} {name}, too large");
            let large = json!({"id": "x".repeat(*text_bytes_max)});
            let answer = answered(client.call_json(service, name, &large).await.err().context(what.clone())?, &what)?;
            ensure!(answer.code == 413, "{what}: {answer:?}");
        }
        let what = format!("{service} {name}x");
        let wrong = client.call_json(service, &format!("{name}x"), &json!({})).await.err().context(what.clone())?;
        ensure!(answered(wrong, &what)?.code == 404, "{what}");
    }
    let wrong = client.call_json("nobody", "Credit", &json!({})).await.err().context("nobody")?;
    ensure!(answered(wrong, "nobody")?.code == 404, "an unknown service");
    assert_eq!(state(&node).await?, before, "nothing was written");
    node.check_no_panic()
}
