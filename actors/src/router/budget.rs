//! How often calls may be sent again to other nodes: a share of the calls there are, so that a failure is not made worse by
//! everybody asking again (LESSONS §5).

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What each call adds: one more send for ten calls.
const A_CALL: f64 = 0.1;
/// What each second adds, so that a quiet node may try again too.
const A_SECOND: f64 = 20.0;
/// The most that can be saved up.
const MOST: f64 = 1000.0;
/// The first wait between tries; it doubles.
const WAIT_LEAST: Duration = Duration::from_millis(10);
const WAIT_MOST: Duration = Duration::from_millis(200);

pub(super) struct Budget {
    calls: AtomicU64,
    saved: Mutex<Saved>,
}

struct Saved {
    sends: f64,
    at: Instant,
    random: StdRng,
}

impl Budget {
    pub(super) fn new(now: Instant) -> Budget {
        let saved = Saved { sends: MOST / 10.0, at: now, random: StdRng::from_os_rng() };
        Budget { calls: AtomicU64::new(0), saved: Mutex::new(saved) }
    }

    /// There was a call.
    pub(super) fn earn(&self) {
        self.calls.fetch_add(1, Ordering::Relaxed);
    }

    /// May something be sent again?
    pub(super) fn spend(&self, now: Instant) -> bool {
        let mut saved = self.saved.lock().unwrap_or_else(PoisonError::into_inner);
        let earned = self.calls.swap(0, Ordering::Relaxed) as f64 * A_CALL;
        let since = now.saturating_duration_since(saved.at).as_secs_f64() * A_SECOND;
        (saved.sends, saved.at) = ((saved.sends + earned + since).min(MOST), now);
        let affords = saved.sends >= 1.0;
        if affords {
            saved.sends -= 1.0;
        }
        affords
    }

    /// How long to wait before the `n`th round of tries, from 0: different for everybody who waits.
    pub(super) fn wait(&self, n: u32) -> Duration {
        let most = WAIT_LEAST.saturating_mul(1 << n.min(8)).min(WAIT_MOST);
        let mut saved = self.saved.lock().unwrap_or_else(PoisonError::into_inner);
        most.mul_f64(saved.random.random_range(0.5..1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sends_are_a_share_of_the_calls_and_a_floor() {
        let start = Instant::now();
        let budget = Budget::new(start);
        let spend = |at: Duration| (0..).take_while(|_| budget.spend(start + at)).count();
        assert_eq!(spend(Duration::ZERO), 100);
        (0..1000).for_each(|_| budget.earn());
        assert_eq!(spend(Duration::ZERO), 100);
        assert_eq!(spend(Duration::from_secs(1)), 20);
        assert_eq!(spend(Duration::from_secs(1 << 20)), 1000, "no more is saved up");
    }

    #[test]
    fn waits_grow_to_a_bound() {
        let budget = Budget::new(Instant::now());
        assert!(budget.wait(0) <= WAIT_LEAST && budget.wait(0) >= WAIT_LEAST / 2);
        for n in [4, 5, 40, u32::MAX] {
            assert!(budget.wait(n) <= WAIT_MOST && budget.wait(n) >= WAIT_LEAST);
        }
    }
}
