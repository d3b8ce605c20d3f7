//! One clock for all clients.

use super::{Answer, Asked, Event};
use anyhow::Result;
use std::future::Future;
use std::time::Instant;

/// Stamps what clients do. Clones share the clock.
#[derive(Clone, Debug)]
pub struct Recorder {
    began: Instant,
}

impl Default for Recorder {
    fn default() -> Recorder {
        Recorder { began: Instant::now() }
    }
}

impl Recorder {
    /// Nanoseconds since the recorder was made.
    pub fn now_ns(&self) -> u64 {
        self.began.elapsed().as_nanos() as u64
    }

    /// Records a call and what it comes to; nothing of one that certainly did not and will not run (`None`).
    pub async fn record(
        &self,
        client: usize,
        key: &str,
        asked: Asked,
        call: impl Future<Output = Result<Option<Answer>>>,
    ) -> Result<Option<Event>> {
        let called_ns = self.now_ns();
        let answer = call.await?;
        let returned_ns = self.now_ns();
        Ok(answer.map(|answer| Event { client, key: key.into(), asked, called_ns, returned_ns, answer }))
    }
}
