//! P6 from outside: a caller that lost its answer asks what became of its request id, over every door.

use anyhow::Result;
use serde_json::json;
use tests::cli::commons;
use tests::{Setup, Verb};

const CREDIT: &str = "/v1/wallet/Credit";

#[tokio::test]
async fn what_became_of_a_request_id() -> Result<()> {
    let mut node = Setup::new(Verb::Start)?.start().await?;
    let http = node.caller();
    let tip = json!({"amount": 5, "reference": "tip"});
    http.call_once(CREDIT, &tip, "order/17?#&").await?.done()?;
    http.call_once("/v1/wallet/Debit", &json!({"amount": 50, "reference": "no"}), "too-much").await?;
    node.kill()?;
    node.restart().await?;

    let told = http.get("/v1/_/outcome/order%2F17%3F%23%26").await?.done()?;
    let credit = json!({"service": "wallet", "endpoint": "Credit", "entity": "default", "reply": {"balance": "5"}, "error": null});
    assert_eq!(told, json!({"state": "done", "definite": false, "calls": [credit]}));
    let refused = http.get("/v1/_/outcome/too-much?id=order/17").await?.done()?;
    assert_eq!(refused["calls"][0]["error"]["reason"], "insufficient_credit", "{refused}");

    let (key, address) = (node.token().unwrap_or_default(), node.listen().to_string());
    let cli = |args: &[&str]| commons([&["--node", &address, "--token", &key][..], args].concat());
    assert_eq!(cli(&["outcome", "order/17?#&"])?.json()?, told);
    assert_eq!(cli(&["outcome", "order/17?#&", "--service", "cache"])?.json()?["state"], "not_seen");

    let never = cli(&["outcome", "late", "--fence"])?.json()?;
    assert_eq!(never, json!({"state": "not_seen", "definite": true, "calls": []}));
    node.kill()?;
    node.restart().await?;
    let late = http.call_once(CREDIT, &tip, "late").await?;
    assert_eq!((late.code, &late.json()?["reason"]), (409, &json!("request_id_given_up")), "{}", late.text());
    assert_eq!(http.call("/v1/wallet/Balance", &json!({})).await?.done()?["balance"], "5");
    node.check_no_panic()
}

#[tokio::test]
async fn nobody_else_hears_it() -> Result<()> {
    let node = Setup::new(Verb::Start)?.start().await?;
    let stranger = tests::http::Http::new(node.http(), None);
    assert_eq!(stranger.get("/v1/_/outcome/k").await?.code, 401);
    let http = node.caller();
    for (path, code) in [("/v1/_/outcome/k?service=nobody", 404), ("/v1/_/outcome/k?fence=perhaps", 400)] {
        assert_eq!(http.get(path).await?.code, code, "{path}");
    }
    node.check_no_panic()
}
