//! A slow disk is no dead node: its leaders answer late for as long as it lasts, unless they hand over (LESSONS §5).

use crate::consensus::BatchId;
use std::collections::VecDeque;
use std::time::Duration;

/// An fsync that takes longer is slow.
const SLOW: Duration = Duration::from_millis(500);
/// So long nothing but slow ones, or one that does not end, and whoever leads here hands over.
const PATIENCE: Duration = Duration::from_secs(3);

/// How long batches take to the disk.
#[derive(Debug, Default)]
pub(super) struct Slowness {
    under_way: VecDeque<(BatchId, Duration)>,
    slow_since: Option<Duration>,
}

impl Slowness {
    /// A batch that waits for the disk.
    pub(super) fn begun(&mut self, id: BatchId, now: Duration) {
        self.under_way.push_back((id, now));
    }

    /// It and all before it are there.
    pub(super) fn synced(&mut self, id: BatchId, now: Duration) {
        while let Some((_, begun)) = self.under_way.pop_front_if(|(first, _)| *first <= id) {
            match now.saturating_sub(begun) > SLOW {
                true => _ = self.slow_since.get_or_insert(begun),
                false => self.slow_since = None,
            }
        }
    }

    /// The process stood still: how long that took says nothing of the disk.
    pub(super) fn stood_still(&mut self, now: Duration) {
        self.slow_since = None;
        self.under_way.iter_mut().for_each(|(_, begun)| *begun = now);
    }

    /// Whether this node should lead nothing.
    pub(super) fn is_slow(&self, now: Duration) -> bool {
        let stuck = self.under_way.front().map(|(_, begun)| *begun).filter(|begun| now.saturating_sub(*begun) > SLOW);
        let since = self.slow_since.or(stuck);
        since.is_some_and(|since| now.saturating_sub(since) > PATIENCE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn one_slow_write_is_nothing_three_seconds_of_them_are() {
        let mut slowness = Slowness::default();
        for n in 0..6 {
            let at = ms(n * 600);
            slowness.begun(BatchId(n), at);
            slowness.synced(BatchId(n), at + ms(590));
            assert_eq!(slowness.is_slow(at + ms(590)), n == 5, "after {n}");
        }
        slowness.begun(BatchId(6), ms(4000));
        slowness.synced(BatchId(6), ms(4100));
        assert!(!slowness.is_slow(ms(4100)), "a fast one ends it");
    }

    #[test]
    fn a_process_that_stood_still_has_no_slow_disk() {
        let mut slowness = Slowness::default();
        slowness.begun(BatchId(1), ms(0));
        slowness.stood_still(ms(40_000));
        assert!(!slowness.is_slow(ms(40_001)));
        slowness.synced(BatchId(1), ms(40_010));
        assert!(!slowness.is_slow(ms(50_000)));
    }

    #[test]
    fn one_that_never_ends_is_noticed() {
        let mut slowness = Slowness::default();
        slowness.begun(BatchId(1), ms(0));
        slowness.begun(BatchId(2), ms(900));
        assert!(!slowness.is_slow(ms(3000)));
        assert!(slowness.is_slow(ms(3001)));
    }
}
