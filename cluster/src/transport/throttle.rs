//! Bytes a second, for all snapshots this node sends: catching up must not crowd out the work (LESSONS §3).

use super::locked;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// Time saved up at most: timers fire a little late, and that must not add up.
const CREDIT: Duration = Duration::from_millis(20);

pub struct Throttle {
    bytes_per_second: AtomicU64,
    /// Until when the bytes taken so far last.
    paid_until: Mutex<Option<Instant>>,
}

impl Throttle {
    pub fn new(bytes_per_second: u64) -> Throttle {
        Throttle { bytes_per_second: AtomicU64::new(bytes_per_second.max(1)), paid_until: Mutex::new(None) }
    }

    pub fn set(&self, bytes_per_second: u64) {
        self.bytes_per_second.store(bytes_per_second.max(1), Relaxed);
    }

    /// These bytes leave now; tells when the next may.
    pub fn take(&self, bytes: usize, now: Instant) -> Instant {
        let takes = Duration::from_secs_f64(bytes as f64 / self.bytes_per_second.load(Relaxed) as f64);
        let mut paid_until = locked(&self.paid_until);
        let floor = now.checked_sub(CREDIT).unwrap_or(now);
        let next = paid_until.map_or(now, |until| until.max(floor)) + takes.min(Duration::from_secs(60));
        *paid_until = Some(next);
        next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_senders_share_the_rate_and_a_pause_saves_next_to_nothing() {
        let (throttle, start) = (Throttle::new(1000), Instant::now());
        let ms = |ms| start + Duration::from_millis(ms);
        assert_eq!([throttle.take(100, start), throttle.take(100, start)], [ms(100), ms(200)]);
        assert_eq!(throttle.take(100, ms(5000)), ms(5080));
        throttle.set(0);
        assert_eq!(throttle.take(1 << 20, ms(9000)), ms(68_980), "no setting stops a snapshot for ever");
    }
}
