//! `commons dev`: nodes as children, and who may drive them without a key (P21).

use anyhow::{Context, Result};
use serde_json::json;
use std::time::Duration;
use tests::{Node, Setup, Verb, is_alive, signal, wait};

const SOON: Duration = Duration::from_secs(30);

async fn dev() -> Result<Node> {
    Setup::new(Verb::Dev)?.arg("--nodes").arg("1").start().await
}

async fn credit(node: &Node) -> Result<serde_json::Value> {
    node.caller().call("/v1/wallet/Credit", &json!({"amount": 5, "reference": "x"})).await?.done()
}

#[tokio::test]
async fn a_dead_child_is_started_again_with_all_it_answered() -> Result<()> {
    let node = dev().await?;
    for kills in 1..=4 {
        credit(&node).await?;
        let child = node.child_pid().context("the child's pid")?;
        assert_ne!(child, node.pid(), "a process of its own");
        signal(child, "KILL")?;
        let ready = wait::until("child that is ready again", SOON, || async {
            let another = node.child_pid().is_some_and(|pid| pid != child);
            Ok((another && node.caller().get("/readyz").await.is_ok_and(|reply| reply.code == 200)).then_some(()))
        });
        ready.await?;
        let balance = node.caller().call("/v1/wallet/Balance", &json!({})).await?.done()?;
        assert_eq!(balance["balance"], (5 * kills).to_string());
    }
    node.check_no_panic()
}

#[tokio::test]
async fn children_go_when_their_parent_is_killed() -> Result<()> {
    let mut node = dev().await?;
    credit(&node).await?;
    let child = node.child_pid().context("the child's pid")?;
    node.kill()?;
    wait::until("end of the child", SOON, || async { Ok((!is_alive(child)).then_some(())) }).await?;
    node.restart().await?;
    assert_eq!(credit(&node).await?, json!({"balance": "10"}), "its folder is free and whole");
    Ok(())
}

#[tokio::test]
async fn sigterm_ends_parent_and_child() -> Result<()> {
    let mut node = dev().await?;
    let child = node.child_pid().context("the child's pid")?;
    let exit = node.stop().await?;
    assert_eq!(exit.code(), Some(0), "{}", exit.said);
    assert!(!is_alive(child), "the child is gone before its parent");
    Ok(())
}

#[tokio::test]
async fn no_key_is_asked_and_calls_act_for_one_account() -> Result<()> {
    let node = dev().await?;
    credit(&node).await?;
    let said = tests::cli::call(&node, ["wallet", "Balance"])?.out;
    assert_eq!(said, "{\"balance\":\"5\",\"held\":\"0\",\"available\":\"5\"}\n");
    let rust = node.client().await?.call(services::wallet::BalanceRequest::default()).await?.balance;
    assert_eq!(rust, 5);
    assert_eq!(node.status().await?["nodes"].as_array().map(Vec::len), Some(1));
    Ok(())
}

/// Method, path, headers, and the code that is due.
type Row = (&'static str, &'static str, &'static [(&'static str, &'static str)], u16);

/// P21 over a real socket.
#[tokio::test]
async fn pages_from_elsewhere_do_not_drive_the_node() -> Result<()> {
    let node = dev().await?;
    let here = node.http().to_string();
    let credit = "/v1/wallet/Credit?amount=1&reference=x";
    let rows: [Row; 22] = [
        ("POST", credit, &[], 200),
        ("GET", credit, &[], 200),
        ("POST", credit, &[("Host", "localhost:1")], 200),
        ("POST", credit, &[("Host", "evil.example")], 403),
        ("POST", credit, &[("Host", "10.0.0.1:8080")], 403),
        ("GET", "/status", &[("Host", "evil.example")], 403),
        ("POST", credit, &[("Sec-Fetch-Site", "cross-site")], 403),
        ("POST", credit, &[("Sec-Fetch-Site", "same-site")], 200),
        ("POST", credit, &[("Origin", "null")], 403),
        ("POST", credit, &[("Origin", "http://evil.example")], 403),
        ("POST", credit, &[("Origin", "http://localhost.evil.example")], 403),
        ("POST", credit, &[("Origin", "http://localhost:3000")], 200),
        ("POST", credit, &[("Origin", "http://[::1]:3000")], 200),
        ("GET", credit, &[("Sec-Fetch-Site", "same-origin")], 200),
        ("GET", credit, &[("Sec-Fetch-Site", "none")], 200),
        ("GET", credit, &[("Sec-Fetch-Site", "same-site")], 403),
        ("GET", credit, &[("Sec-Fetch-Site", "cross-site")], 403),
        ("GET", "/v1/wallet/Balance", &[("Sec-Fetch-Site", "same-site")], 200),
        ("POST", credit, &[("Authorization", "Bearer ")], 200),
        ("POST", credit, &[("Authorization", "Bearer YOUR_TOKEN")], 200),
        ("POST", credit, &[("Authorization", "Bearer cmn_wrong0000000000")], 401),
        ("POST", credit, &[("Origin", "http://localhost:3000"), ("Origin", "http://evil.example")], 403),
    ];
    let mut credits = 0;
    for (method, path, headers, code) in rows {
        let reply = node.caller().send(method, path, headers, b"").await?;
        assert_eq!(reply.code, code, "{method} {path} {headers:?}: {}", reply.text());
        credits += u64::from(code == 200 && path == credit);
    }
    let no_host = format!("POST {credit} HTTP/1.0\r\n\r\n");
    let reply = node.caller().raw(no_host.as_bytes()).await?;
    assert_eq!(reply.code, 403, "no Host at all: {}", reply.text());
    let balance = node.caller().call("/v1/wallet/Balance", &json!({})).await?.done()?;
    assert_eq!(balance["balance"], credits.to_string(), "what was refused at {here} did nothing");
    Ok(())
}

#[tokio::test]
async fn the_key_enters_from_any_page() -> Result<()> {
    let node = dev().await?;
    let token = std::fs::read_to_string(node.path("token"))?.trim().to_string();
    let caller = tests::http::Http::new(node.http(), Some(token));
    let headers = [("Origin", "http://evil.example"), ("Host", "node.example")];
    assert_eq!(caller.send("POST", "/v1/wallet/Balance", &headers, b"{}").await?.code, 200);
    Ok(())
}
