//! How many retries a client may make, and when: 10 % of its calls, and a few beside for the quiet ones.

use rand::{Rng, TryRngCore, rngs::OsRng};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Each call earns a tenth of a retry.
const PER_CALL: f64 = 0.1;
/// A client that calls little earns these all the same.
const PER_SECOND: f64 = 10.0;
const HELD_MAX: f64 = 100.0;

const FIRST_WAIT: Duration = Duration::from_millis(20);
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// Shared by all calls of a client: a cluster in trouble is not drowned in retries.
pub struct Budget {
    held: Mutex<(f64, Instant)>,
}

impl Budget {
    pub fn new() -> Budget {
        Budget { held: Mutex::new((HELD_MAX, Instant::now())) }
    }

    /// A call was made.
    pub fn earn(&self) {
        self.change(Instant::now(), |held| {
            *held = (*held + PER_CALL).min(HELD_MAX);
            true
        });
    }

    /// May a retry be made?
    pub fn spend(&self) -> bool {
        self.spend_at(Instant::now())
    }

    fn spend_at(&self, now: Instant) -> bool {
        self.change(now, |held| {
            let enough = *held >= 1.0;
            if enough {
                *held -= 1.0;
            }
            enough
        })
    }

    fn change(&self, now: Instant, change: impl FnOnce(&mut f64) -> bool) -> bool {
        let mut state = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let (held, since) = &mut *state;
        let earned = now.saturating_duration_since(*since).as_secs_f64() * PER_SECOND;
        *held = (*held + earned).min(HELD_MAX);
        *since = now.max(*since);
        change(held)
    }
}

/// The wait before retry `n` (0, 1, …): doubled each time, and anywhere below that, so that clients do not come back in step.
/// Never less than the node asked for.
pub fn wait(n: u32, asked: Duration) -> Duration {
    let most = FIRST_WAIT.saturating_mul(1 << n.min(10)).min(LONGEST_WAIT);
    asked + most.mul_f64(OsRng.unwrap_err().random_range(0.5..1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retries_are_a_tenth_of_calls_beside_a_trickle() {
        let budget = Budget::new();
        let now = Instant::now();
        assert_eq!((0..500).filter(|_| budget.spend_at(now)).count(), 100);
        (0..100).for_each(|_| {
            budget.change(now, |held| {
                *held += PER_CALL;
                true
            });
        });
        assert!((9..=10).contains(&(0..50).filter(|_| budget.spend_at(now)).count()));
        assert_eq!((0..50).filter(|_| budget.spend_at(now + Duration::from_secs(2))).count(), 20);
    }

    #[test]
    fn waits_grow_and_respect_the_node() {
        assert!(wait(0, Duration::ZERO) < FIRST_WAIT);
        assert!((0..100).map(|n| wait(n, Duration::ZERO)).all(|wait| wait <= LONGEST_WAIT));
        assert!(wait(0, Duration::from_secs(2)) >= Duration::from_secs(2));
    }
}
