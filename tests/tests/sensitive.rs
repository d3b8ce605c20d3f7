//! What is told to a caller in confidence is in no log line and in no file of the node, though it is kept for a repetition.

use anyhow::{Context, Result};
use serde_json::json;
use tests::place::contents;
use tests::{Setup, Verb};

const GENERATE: &str = "/v1/otp/Generate";

#[tokio::test]
async fn a_code_and_a_password_are_nowhere_but_in_their_replies() -> Result<()> {
    let mut node = Setup::new(Verb::Start)?.env("RUST_LOG", "trace").start().await?;
    let http = node.caller();
    // Ten letters do not come up by chance.
    let asked = json!({"id": "a@b", "size": 10, "expiry": 3600, "alphabet": "letters"});
    let made = http.call_once(GENERATE, &asked, "k").await?.done()?;
    let code = made["code"].as_str().context("a code")?.to_string();
    let drawn = http.call_once("/v1/password/Generate", &json!({"length": 32}), "p").await?.done()?;
    let password = drawn["password"].as_str().context("a password")?.to_string();
    http.call("/v1/password/Strength", &json!({"password": password})).await?.done()?;
    let wrong = http.call("/v1/otp/Validate", &json!({"id": "a@b", "code": "ZZZZ"})).await?.done()?;
    assert_eq!(wrong, json!({"success": false}));

    node.kill()?;
    let said = node.said();
    node.restart().await?;
    assert_eq!(http.call_once(GENERATE, &asked, "k").await?.done()?, made, "kept, and told again");
    node.stop().await?;
    for secret in [&code, &password] {
        assert!(!said.contains(secret.as_str()) && !node.said().contains(secret.as_str()), "a secret was logged");
        for (path, content) in contents(&node.data())? {
            let found = content.windows(secret.len()).any(|part| part == secret.as_bytes());
            assert!(!found, "a secret lies in {}", path.display());
        }
    }
    node.check_no_panic()
}
