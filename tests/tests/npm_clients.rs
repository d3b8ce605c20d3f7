//! M3O's two npm packages, as published, against a node: what their users get. `tests/clients/npm/drive.js` does the calls.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::path::Path;
use tests::npm::Program;
use tests::{Node, Setup, Verb};

/// All that the clients' users saw, by client and step.
async fn seen_by_users_of(node: &Node) -> Result<Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/npm");
    let (address, token) = (format!("http://{}/", node.http()), node.token().unwrap_or_default());
    let driven = tokio::task::spawn_blocking(move || {
        Program::new(&folder, "drive.js", Path::new(env!("CARGO_TARGET_TMPDIR")))?.run(&[&address, &token])
    });
    let out = driven.await??;
    serde_json::from_str(&out).with_context(|| format!("no JSON: {out}"))
}

/// The reply of a step, but for what differs from run to run.
fn replied(seen: &Value, step: &str, want: Value) {
    assert_eq!(seen[step]["reply"], want, "{step}: {}", seen[step]);
}

/// Some fields of a reply, and the shape of the rest.
fn replied_like(seen: &Value, step: &str, check: impl Fn(&Value) -> bool) {
    assert!(check(&seen[step]["reply"]), "{step}: {}", seen[step]);
}

/// The error as a rejected promise has it: M3O's four fields.
fn refused(seen: &Value, step: &str, code: u16, id: &str, detail: &str) {
    is_error(&seen[step]["error"], code, id, detail, step);
}

fn is_error(error: &Value, code: u16, id: &str, detail: &str, step: &str) {
    let said = (&error["code"], &error["id"], &error["detail"]);
    assert_eq!(said, (&json!(code), &json!(id), &json!(detail)), "{step}");
    assert!(error["status"].as_str().is_some_and(|status| !status.is_empty()), "{step}: {error}");
}

/// A stream with these items, ended well.
fn streamed(seen: &Value, step: &str, items: Value) {
    assert_eq!(seen[step], json!({"items": items, "code": 1000}), "{step}");
}

/// A stream of nothing but an error: the socket opened all the same, or the client would have thrown.
fn stream_refused(seen: &Value, step: &str, code: u16, id: &str, detail: &str) {
    let items = seen[step]["items"].as_array().unwrap_or_else(|| panic!("{step}: {}", seen[step]));
    assert_eq!((items.len(), &seen[step]["code"]), (1, &json!(1008)), "{step}: {}", seen[step]);
    is_error(&items[0], code, id, detail, step);
}

fn is_number_in_text(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.parse::<u64>().is_ok_and(|n| n > 0))
}

fn check(name: &str, seen: &Value) {
    replied(seen, "hello", json!({"message": "Hello Jörg ✓"}));
    replied(seen, "nothing given", json!({"message": "Hello "}));
    replied(seen, "still there", json!({"message": "Hello again"}));
    streamed(seen, "stream", json!([{"message": "Hello Ada"}, {"message": "Hello Ada"}, {"message": "Hello Ada"}]));
    assert_eq!(seen["stream left early"], json!({"first": {"message": "Hello Bo"}, "code": 1000}));
    stream_refused(seen, "stream refused", 400, "helloworld.stream", "messages must be 0-10000");
    stream_refused(seen, "stream, bad key", 401, "v1", "Unauthorized");
    refused(seen, "call, bad key", 401, "v1", "Unauthorized");

    let key = format!("{name}: größer/als ?&");
    replied_like(seen, "cache set", |reply| reply["status"] == "ok");
    replied_like(seen, "cache get", |reply| {
        (&reply["key"], &reply["value"], &reply["ttl"]) == (&json!(key), &json!("a\n\"b\" ✓"), &json!("3600"))
    });
    // Beyond 2^53, where a double would be off by one.
    let counted = |value: &str| json!({"key": format!("{name} n"), "value": value});
    replied(seen, "cache increment", counted("9007199254740992"));
    replied(seen, "cache increment text", counted("9007199254740997"));
    replied(seen, "cache decrement", counted("9007199254740996"));
    refused(seen, "cache increment a word", 400, "cache.increment", "value is not an integer");
    replied_like(seen, "cache keys", |reply| reply["keys"].as_array().is_some_and(|keys| keys.contains(&json!(key))));
    replied(seen, "cache delete", json!({"status": "ok"}));
    replied_like(seen, "cache get deleted", |reply| (&reply["value"], &reply["ttl"]) == (&json!(""), &json!("0")));
    refused(seen, "cache no key", 400, "cache.get", "missing key");

    let id = format!("{name} purse");
    let account = |balance: &str| {
        json!({"id": id, "name": "Purse", "description": format!("of {name}"), "balance": balance, "currency": "",
            "overdraft_limit": "0"})
    };
    let balance = |balance: &str| json!({"balance": balance, "held": "0", "available": balance});
    replied(seen, "wallet create", json!({"account": account("0")}));
    refused(seen, "wallet create again", 409, "wallet.create", "already exists");
    replied(seen, "wallet credit", json!({"balance": "10"}));
    replied(seen, "wallet credit text", json!({"balance": "9007199254741003"}));
    replied(seen, "wallet debit", json!({"balance": "9007199254741000"}));
    refused(seen, "wallet overdraw", 400, "wallet.debit", "insufficient credit");
    refused(seen, "wallet no reference", 400, "wallet.credit", "Missing reference");
    refused(seen, "wallet wrong type", 400, "wallet.credit", "amount: \"ten\" is not a 64-bit integer");
    replied(seen, "wallet balance", balance("9007199254741000"));
    replied_like(seen, "wallet transactions", |reply| {
        let all = reply["transactions"].as_array().map(Vec::as_slice).unwrap_or_default();
        let mut told: Vec<_> = all.iter().map(|one| (one["amount"].as_str(), one["reference"].as_str())).collect();
        told.sort();
        told == [(Some("-3"), Some("tea")), (Some("10"), Some("wages"))]
    });
    replied_like(seen, "wallet list", |reply| {
        reply["accounts"].as_array().is_some_and(|all| all.contains(&account("9007199254741000")))
    });
    replied(seen, "wallet delete", json!({}));
    replied(seen, "wallet balance of none", balance("0"));

    replied_like(seen, "id types", |reply| reply["types"].as_array().is_some_and(|types| types.len() >= 8));
    replied_like(seen, "id uuid", |reply| reply["type"] == "uuid" && reply["id"].as_str().map(str::len) == Some(36));
    replied_like(seen, "id snowflake", |reply| is_number_in_text(&reply["id"]));
    refused(seen, "id of no type", 400, "id.generate", "unsupported id type");
    replied_like(seen, "password", |reply| reply["password"].as_str().map(str::len) == Some(20));
    replied_like(seen, "otp generate", |reply| reply["code"].as_str().map(str::len) == Some(6));
    for (step, success) in [("otp wrong", false), ("otp right", true), ("otp used", false)] {
        replied(seen, step, json!({"success": success}));
    }
    replied_like(seen, "time now", |reply| {
        reply["location"] == "America/Vancouver" && is_number_in_text(&reply["unix"])
    });
    replied_like(seen, "time zone", |reply| reply["timezone"] == "Europe/London" && reply["latitude"].is_number());
    refused(seen, "time nowhere", 404, "time.now", "location not found");
}

fn check_astray(seen: &Value) {
    let no_endpoint = |wrong: &str, near: &str| {
        format!("No such API: helloworld has no endpoint \"{wrong}\"; did you mean \"{near}\"?")
    };
    let no_service = "No such API: there is no service \"nothing\"";
    refused(seen, "call, unknown endpoint", 404, "v1", &no_endpoint("Cal", "Call"));
    refused(seen, "call, unknown service", 404, "v1", no_service);
    replied(seen, "small letter", json!({"message": "Hello x"}));
    replied(seen, "long form", json!({"message": "Hello x"}));
    stream_refused(seen, "stream, unknown endpoint", 404, "v1", &no_endpoint("Strea", "Stream"));
    stream_refused(seen, "stream, unknown service", 404, "v1", no_service);
    streamed(seen, "stream of a call", json!([{"message": "Hello x"}]));
    assert_eq!(seen["stream of a command"]["items"][0]["status"], "ok");
    streamed(seen, "stream of nothing", json!([{"message": "Hello "}]));
    let detail = "the body must be a JSON object, not a string";
    stream_refused(seen, "stream, broken request", 400, "helloworld.stream", detail);
}

async fn both_clients_drive(verb: Verb) -> Result<()> {
    let node = Setup::new(verb)?.start().await?;
    let seen = seen_by_users_of(&node).await?;
    for name in ["m3o-node", "m3o"] {
        check(name, &seen[name]);
    }
    check_astray(&seen["astray"]);
    node.check_no_panic()?;
    ensure!(node.said().is_empty() || !node.said().contains("ERROR"), "{}", node.said());
    Ok(())
}

#[tokio::test]
async fn a_node_with_a_key() -> Result<()> {
    both_clients_drive(Verb::Start).await
}

/// Without a key: these clients then send "undefined" for one.
#[tokio::test]
async fn a_node_for_development() -> Result<()> {
    both_clients_drive(Verb::Dev).await
}
