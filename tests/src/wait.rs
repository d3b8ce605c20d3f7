//! The one place that waits by asking again.

use anyhow::{Result, bail};
use std::future::Future;
use std::time::Duration;
use tokio::time::Instant;

/// How often it asks.
const EVERY: Duration = Duration::from_millis(10);

/// Asks until there is something, or fails saying what did not come. For states of other processes, which send no event.
pub async fn until<T, F: Future<Output = Result<Option<T>>>>(
    what: &str,
    within: Duration,
    mut ask: impl FnMut() -> F,
) -> Result<T> {
    let deadline = Instant::now() + within;
    loop {
        if let Some(found) = ask().await? {
            return Ok(found);
        }
        if Instant::now() >= deadline {
            bail!("after {} s there was still no: {what}", within.as_secs_f32());
        }
        // tidy: sleep because another process tells nobody when its state changes; the loop has a deadline
        tokio::time::sleep(EVERY).await;
    }
}

/// Lets time go by that is itself what is tested: the moment of a kill, the life of a quiet node.
pub async fn pass(time: Duration) {
    // tidy: sleep because the time that passes is the input here, nothing is waited for
    tokio::time::sleep(time).await;
}
