//! The counters behind [`crate::Here::stamp`]: one of these a node.

use crate::{Reason, Result, Stamp, Time};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// How far stamps may run ahead of the clock.
const AHEAD_MAX_NS: i128 = 50_000_000;

/// More stamps were asked for than there is time for, or the machine's clock went back.
const CLOCK: Reason = Reason::unavailable("clock");

/// The last stamp of each counter.
#[derive(Debug, Default)]
pub struct Stamps {
    last: Mutex<BTreeMap<&'static str, Stamp>>,
}

impl Stamps {
    /// See [`crate::Here::stamp`]; `random` is asked once a unit.
    pub fn next(
        &self,
        counter: &'static str,
        unit: Duration,
        per_unit: u64,
        now: Time,
        random: impl FnOnce() -> u128,
    ) -> Result<Stamp> {
        let unit_ns = unit.as_nanos().max(1) as i128;
        let at = (i128::from(now.0.max(0)) / unit_ns) as u64;
        let mut all = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let next = match all.get(counter) {
            Some(last) if last.at >= at && last.n + 1 < per_unit => Stamp { n: last.n + 1, ..*last },
            Some(last) if last.at >= at => Stamp { at: last.at + 1, n: 0, random: random() },
            _ => Stamp { at, n: 0, random: random() },
        };
        if i128::from(next.at) * unit_ns - i128::from(now.0) > AHEAD_MAX_NS {
            return Err(CLOCK
                .refuse("no new moment is left: too many at once, or the clock went back")
                .retry_after_ms(50));
        }
        all.insert(counter, next);
        Ok(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::Rfc3339;

    const MS: Duration = Duration::from_millis(1);

    fn next(stamps: &Stamps, ms: i64, per_unit: u64) -> Result<(u64, u64)> {
        stamps.next("c", MS, per_unit, Rfc3339(ms * 1_000_000), || 0).map(|stamp| (stamp.at, stamp.n))
    }

    #[test]
    fn each_is_later_than_all_before() {
        let stamps = Stamps::default();
        let steps = [(5, (5, 0)), (5, (5, 1)), (5, (6, 0)), (6, (6, 1)), (9, (9, 0)), (8, (9, 1)), (8, (10, 0))];
        for (ms, want) in steps {
            assert_eq!(next(&stamps, ms, 2).unwrap(), want, "at {ms} ms");
        }
    }

    #[test]
    fn it_runs_50_ms_ahead_of_the_clock_and_no_further() {
        let stamps = Stamps::default();
        for n in 0..=50 {
            assert_eq!(next(&stamps, 7, 1).unwrap(), (7 + n, 0));
        }
        let error = next(&stamps, 7, 1).unwrap_err();
        assert!(error.is(&CLOCK) && error.retry_after_ms > 0, "{error:?}");
        assert_eq!(next(&stamps, 8, 1).unwrap(), (58, 0));
    }

    #[test]
    fn a_unit_keeps_its_random_number_and_counters_are_apart() {
        let stamps = Stamps::default();
        let at = |counter, random: u128| stamps.next(counter, MS, 9, Rfc3339(1), || random).unwrap();
        assert_eq!((at("a", 1).random, at("a", 2).random, at("b", 3).random), (1, 1, 3));
        assert_eq!((at("a", 0).n, at("b", 0).n), (2, 1));
    }
}
