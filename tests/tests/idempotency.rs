//! One id, one effect, one reply (P5): over every door, side by side, and over a kill.

use anyhow::{Context, Result};
use serde_json::{Value, json};
use services::wallet::{BalanceRequest, CreditRequest, INSUFFICIENT_CREDIT};
use tests::cli::call;
use tests::{Node, Setup, Verb};

async fn node() -> Result<Node> {
    Setup::new(Verb::Start)?.start().await
}

const CREDIT: &str = "/v1/wallet/Credit";
const DEBIT: &str = "/v1/wallet/Debit";

fn amount(amount: i64) -> Value {
    json!({"amount": amount, "reference": "once"})
}

async fn balance(node: &Node) -> Result<i64> {
    Ok(node.client().await?.call(BalanceRequest::default()).await?.balance)
}

#[tokio::test]
async fn the_same_id_gets_the_same_reply_over_every_door_and_a_kill() -> Result<()> {
    let mut node = node().await?;
    let first = node.caller().call_once(CREDIT, &amount(5), "k1").await?;
    assert_eq!(first.header("commons-idempotency-kept-seconds"), Some("86400"));
    assert_eq!(first.done()?, json!({"balance": "5"}));
    node.caller().call(CREDIT, &amount(100)).await?.done()?;
    for life in 1..=3 {
        assert_eq!(node.caller().call_once(CREDIT, &amount(5), "k1").await?.body, first.body, "HTTP, life {life}");
        let cli = call(&node, ["wallet", "Credit", "--amount", "5", "--reference", "once", "--request-id", "k1"])?;
        assert_eq!((cli.code, cli.out.trim()), (Some(0), r#"{"balance":"5"}"#), "CLI, life {life}: {}", cli.err);
        let request = CreditRequest { amount: 5, reference: "once".into(), ..Default::default() };
        let rust = node.client().await?.with_request_id("k1").call(request).await?;
        assert_eq!(rust.balance, 5, "Rust, life {life}");
        assert_eq!(balance(&node).await?, 105, "counted once, life {life}");
        node.kill()?;
        node.restart().await?;
    }
    node.check_no_panic()
}

#[tokio::test]
async fn another_payload_under_the_id_is_refused_and_does_nothing() -> Result<()> {
    let mut node = node().await?;
    node.caller().call_once(CREDIT, &amount(5), "k").await?.done()?;
    for life in 1..=2 {
        let other = node.caller().call_once(CREDIT, &amount(6), "k").await?;
        let error = other.json()?;
        assert_eq!(
            (other.code, &error["outcome"], &error["source"]),
            (422, &json!("not_run"), &json!("cluster")),
            "{error}"
        );
        let cli = call(&node, ["wallet", "Credit", "--amount", "6", "--reference", "once", "--request-id", "k"])?;
        assert_eq!(cli.code, Some(1), "life {life}: {}", cli.err);
        assert_eq!(balance(&node).await?, 5);
        node.kill()?;
        node.restart().await?;
    }
    // Ids are counted by endpoint: a debit's `k` is another one.
    assert_eq!(node.caller().call_once(DEBIT, &amount(2), "k").await?.done()?, json!({"balance": "3"}));
    Ok(())
}

#[tokio::test]
async fn a_refusal_stays_refused() -> Result<()> {
    let mut node = node().await?;
    let refused = node.caller().call_once(DEBIT, &amount(5), "early").await?;
    assert_eq!(refused.json()?["reason"], json!(INSUFFICIENT_CREDIT.word));
    node.caller().call(CREDIT, &amount(50)).await?.done()?;
    for life in 1..=2 {
        let again = node.caller().call_once(DEBIT, &amount(5), "early").await?;
        assert_eq!((again.code, &again.body), (refused.code, &refused.body), "life {life}");
        node.kill()?;
        node.restart().await?;
    }
    assert_eq!(node.caller().call_once(DEBIT, &amount(5), "later").await?.done()?, json!({"balance": "45"}));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn side_by_side_under_one_id_it_counts_once() -> Result<()> {
    let node = node().await?;
    for round in 1..=20 {
        let calls = (0..16).map(|_| {
            let caller = node.caller();
            tokio::spawn(async move { caller.call_once(CREDIT, &amount(1), &format!("r{round}")).await })
        });
        let calls: Vec<_> = calls.collect();
        for call in calls {
            let reply = call.await.context("a caller")??;
            assert_eq!(reply.done()?, json!({"balance": round.to_string()}), "round {round}");
        }
        assert_eq!(balance(&node).await?, round);
    }
    node.check_no_panic()
}

#[tokio::test]
async fn an_id_that_is_none_is_refused() -> Result<()> {
    let node = node().await?;
    for key in ["", " ", "two words", &"x".repeat(256), "t\u{00e9}"] {
        let reply = node.caller().call_once(CREDIT, &amount(1), key).await?;
        assert_eq!(
            (reply.code, &reply.json()?["reason"]),
            (400, &json!("bad_request_id")),
            "{key:?}: {}",
            reply.text()
        );
    }
    let twice = [("Idempotency-Key", "a"), ("Idempotency-Key", "b")];
    let reply = node.caller().send("POST", CREDIT, &twice, amount(1).to_string().as_bytes()).await?;
    assert_eq!(reply.code, 400, "{}", reply.text());
    assert_eq!(balance(&node).await?, 0);
    node.caller().call_once(CREDIT, &amount(1), &"x".repeat(255)).await?.done()?;
    Ok(())
}
