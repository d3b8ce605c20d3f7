//! How long to wait before a peer is dialled again.

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use std::time::Duration;

const FIRST: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_secs(1);

/// Doubles from 50 ms to 1 s; each wait is drawn from the upper half, so that peers of a node that came back do not
/// dial in step.
pub struct Backoff {
    failures: u32,
    rng: SmallRng,
}

impl Default for Backoff {
    fn default() -> Backoff {
        Backoff { failures: 0, rng: SmallRng::from_os_rng() }
    }
}

impl Backoff {
    pub fn next(&mut self) -> Duration {
        let longest = (FIRST * 2_u32.pow(self.failures.min(5))).min(LONGEST);
        self.failures = self.failures.saturating_add(1);
        longest.mul_f64(self.rng.random_range(0.5..=1.0))
    }

    pub fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_from_50_ms_to_a_second_and_begin_anew() {
        let mut backoff = Backoff { failures: 0, rng: SmallRng::seed_from_u64(1) };
        for longest in [50, 100, 200, 400, 800, 1000, 1000, 1000] {
            let wait = backoff.next().as_millis();
            assert!((longest / 2..=longest).contains(&wait), "{wait} ms of {longest}");
        }
        backoff.reset();
        assert!(backoff.next().as_millis() <= 50);
    }
}
