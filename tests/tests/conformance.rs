//! The catalogue's published examples, as `cargo xtask conformance` shows them.

use anyhow::{Context, Result};
use tests::conformance::{check, examples};
use tests::{Setup, Verb};

#[tokio::test]
async fn every_published_example_is_answered_as_documented() -> Result<()> {
    let node = Setup::new(Verb::Start)?.start().await?;
    let all = examples()?;
    for service in ["cache", "helloworld", "wallet"] {
        assert!(all.iter().any(|example| example.service == service), "no example of {service}");
    }
    for example in all {
        check(&node.caller(), &example).await.with_context(|| format!("{}: {}", example.id(), example.title))?;
    }
    node.check_no_panic()
}
