//! The world's clocks: one that is true, and the machine's wall clock, which jumps.

use std::time::{Duration, Instant};

/// Some moment of 2023, ns.
const EPOCH_NS: i64 = 1_700_000_000_000_000_000;

pub struct Clocks {
    /// Where all [`Instant`]s of a run are measured from: only differences count.
    base: Instant,
    /// How wrong the wall clock is.
    pub wall_off_ns: i64,
}

impl Default for Clocks {
    fn default() -> Clocks {
        Clocks { base: Instant::now(), wall_off_ns: 0 }
    }
}

impl Clocks {
    pub fn instant(&self, now_us: u64) -> Instant {
        self.base + Duration::from_micros(now_us)
    }

    pub fn wall_ns(&self, now_us: u64) -> i64 {
        EPOCH_NS + now_us as i64 * 1000 + self.wall_off_ns
    }
}
