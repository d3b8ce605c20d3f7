//! What the node that leads meta does for all: it places what is missing, and forgets what has left.

use super::Inner;
use crate::meta::steward;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::MissedTickBehavior;

const BEAT: Duration = Duration::from_millis(500);

pub(super) async fn steward(inner: Arc<Inner>) {
    let mut beat = tokio::time::interval(BEAT);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        beat.tick().await;
        if !inner.leads_meta() {
            continue;
        }
        let meta = inner.known();
        let gone = inner.lock_steward().gone(&meta);
        let mut after = (*meta).clone();
        let changed = steward::plan(&mut after).and_then(|()| steward::forget(&mut after, &gone));
        // Looked at a copy first: most of the time there is nothing to write.
        if changed.is_err() || after == *meta {
            continue;
        }
        let done = inner.amend(move |meta| {
            steward::forget(meta, &gone)?;
            steward::plan(meta)
        });
        if let Err(answer) = done.await {
            tracing::debug!(?answer, "meta could not be changed just now");
        }
    }
}
