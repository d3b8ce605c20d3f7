//! The clock commands, queries and expiry live by (P13).

use sdk::Time;
use std::sync::Mutex;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// How much further than the time that really passed the clock may move.
const LEAP_MAX: Duration = Duration::from_millis(500);

/// Follows the wall clock, never goes back, and never leaps ahead of elapsed time by more than 500 ms: setting the
/// machine's clock forward by a day expires nothing at once.
pub struct Clock {
    last: Mutex<Reading>,
}

#[derive(Clone, Copy)]
struct Reading {
    time_ns: i64,
    at: Instant,
}

impl Default for Clock {
    fn default() -> Clock {
        Clock::new()
    }
}

impl Clock {
    pub fn new() -> Clock {
        Clock { last: Mutex::new(Reading { time_ns: wall_ns(), at: Instant::now() }) }
    }

    /// The cluster was at `time` before: not earlier than that.
    pub fn not_before(&self, time: Time) {
        let mut last = self.last.lock().unwrap_or_else(|broken| broken.into_inner());
        last.time_ns = last.time_ns.max(time.0);
    }

    pub fn now(&self) -> Time {
        let mut last = self.last.lock().unwrap_or_else(|broken| broken.into_inner());
        *last = step(*last, wall_ns(), Instant::now());
        wire::Rfc3339(last.time_ns)
    }
}

fn step(last: Reading, wall_ns: i64, at: Instant) -> Reading {
    let passed = at.saturating_duration_since(last.at);
    let latest = last.time_ns.saturating_add((passed + LEAP_MAX).as_nanos() as i64);
    if wall_ns > latest {
        tracing::warn!(
            ahead_ms = (wall_ns - latest) / 1_000_000,
            "the machine's clock leapt ahead; following it slowly"
        );
    }
    Reading { time_ns: wall_ns.clamp(last.time_ns, latest), at }
}

fn wall_ns() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_follows_but_neither_goes_back_nor_leaps() {
        let start = Reading { time_ns: 1_000_000_000_000, at: Instant::now() };
        let second = start.at + Duration::from_secs(1);
        let after = |wall: i64| step(start, start.time_ns + wall, second).time_ns - start.time_ns;
        assert_eq!(after(1_000_000_000), 1_000_000_000);
        assert_eq!(after(-5_000_000_000), 0);
        assert_eq!(after(86_400_000_000_000), 1_500_000_000);
    }
}
