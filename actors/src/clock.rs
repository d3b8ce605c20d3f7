//! The clock commands, queries and expiry live by (P13).

use sdk::Time;
use std::sync::Mutex;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// How much further than the time that really passed the clock may move.
const LEAP_MAX: Duration = Duration::from_millis(500);
/// Behind a wall clock that leapt further it runs this part faster, until it has caught up.
const CATCH_UP: u32 = 20;

/// Follows a wall clock, never goes back, and in any span of time moves at most that span, a twentieth and 500 ms:
/// setting the machine's clock forward by a day expires nothing at once, however often it is asked.
///
/// Pure: both clocks are handed in, so that the simulation can play with them.
#[derive(Clone, Debug)]
pub struct Hand {
    time_ns: i64,
    /// Where the monotonic clock was then.
    at: Duration,
    /// It may not go beyond; moves with the time that really passes.
    ceiling_ns: i64,
    leapt: bool,
}

impl Hand {
    pub fn new(wall_ns: i64, at: Duration) -> Hand {
        Hand { time_ns: wall_ns, at, ceiling_ns: wall_ns.saturating_add(LEAP_MAX.as_nanos() as i64), leapt: false }
    }

    /// The cluster was at `time` before: not earlier than that.
    pub fn not_before(&mut self, time: Time) {
        self.time_ns = self.time_ns.max(time.0);
        self.ceiling_ns = self.ceiling_ns.max(self.time_ns);
    }

    /// Now, by a wall clock and a monotonic one (since any fixed moment).
    pub fn move_to(&mut self, wall_ns: i64, at: Duration) -> Time {
        let passed = at.saturating_sub(self.at);
        self.at = self.at.max(at);
        let grown = i64::try_from((passed + passed / CATCH_UP).as_nanos()).unwrap_or(i64::MAX);
        self.ceiling_ns = self.ceiling_ns.saturating_add(grown);
        let leaps = wall_ns > self.ceiling_ns;
        if leaps && !self.leapt {
            let ahead_ms = (wall_ns - self.ceiling_ns) / 1_000_000;
            tracing::warn!(ahead_ms, "the machine's clock leapt ahead; following it slowly");
        }
        self.leapt = leaps;
        let stands = wall_ns < self.time_ns;
        self.time_ns = wall_ns.clamp(self.time_ns, self.ceiling_ns);
        if !stands {
            // Time in which it followed is no credit for a leap; time in which it stood still did pass.
            self.ceiling_ns = self.ceiling_ns.min(self.time_ns.saturating_add(LEAP_MAX.as_nanos() as i64));
        }
        wire::Rfc3339(self.time_ns)
    }
}

/// A node's clock: a [`Hand`] over the machine's clocks.
pub struct Clock {
    started: Instant,
    hand: Mutex<Hand>,
}

impl Default for Clock {
    fn default() -> Clock {
        Clock::new()
    }
}

impl Clock {
    pub fn new() -> Clock {
        Clock { started: Instant::now(), hand: Mutex::new(Hand::new(wall_ns(), Duration::ZERO)) }
    }

    /// As [`Hand::not_before`].
    pub fn not_before(&self, time: Time) {
        self.hand.lock().unwrap_or_else(|broken| broken.into_inner()).not_before(time);
    }

    pub fn now(&self) -> Time {
        let mut hand = self.hand.lock().unwrap_or_else(|broken| broken.into_inner());
        hand.move_to(wall_ns(), self.started.elapsed())
    }
}

fn wall_ns() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: i64 = 1_000_000_000_000;
    const SECOND: i64 = 1_000_000_000;

    #[test]
    fn it_follows_but_neither_goes_back_nor_leaps() {
        let after =
            |wall: i64| Hand::new(START, Duration::ZERO).move_to(START + wall, Duration::from_secs(1)).0 - START;
        assert_eq!(after(SECOND), SECOND);
        assert_eq!(after(-5 * SECOND), 0);
        assert_eq!(after(86_400 * SECOND), SECOND + SECOND / 20 + SECOND / 2);
    }

    #[test]
    fn p13_asking_often_does_not_make_it_leap() {
        let mut hand = Hand::new(START, Duration::ZERO);
        let tomorrow = START + 86_400 * SECOND;
        let last = (1..=100_000).map(|n| hand.move_to(tomorrow, Duration::from_micros(n * 10))).max().unwrap().0;
        assert!(last - START <= SECOND + SECOND / 20 + SECOND / 2, "a second passed, it moved {} ns", last - START);
    }

    #[test]
    fn it_catches_up_slowly_and_may_leap_again_later() {
        let mut hand = Hand::new(START, Duration::ZERO);
        // The wall leaps 10 s ahead: 9.5 s are caught up in 190 s.
        let at = |secs: u64| (START + (secs as i64 + 10) * SECOND, Duration::from_secs(secs));
        for secs in 1..=180 {
            hand.move_to(at(secs).0, at(secs).1);
        }
        assert!(hand.time_ns < at(180).0);
        for secs in 181..=400 {
            hand.move_to(at(secs).0, at(secs).1);
        }
        assert_eq!(hand.time_ns, at(400).0);
        assert_eq!(hand.move_to(at(400).0 + SECOND / 2, at(400).1).0, at(400).0 + SECOND / 2);
    }

    #[test]
    fn a_clock_set_back_stands_and_goes_on_where_the_wall_catches_up() {
        let mut hand = Hand::new(START, Duration::ZERO);
        assert_eq!(hand.move_to(START - 60 * SECOND, Duration::from_secs(1)).0, START);
        // Set right again a minute later: that minute did pass.
        assert_eq!(hand.move_to(START + 61 * SECOND, Duration::from_secs(61)).0, START + 61 * SECOND);
    }
}
