//! How soon a dead node is started again.

use std::time::Duration;

/// Exits before ready, in a row, that are taken as bad luck.
const PATIENCE: u32 = 3;
const LONGEST: Duration = Duration::from_secs(30);

/// Counts how a node ends.
#[derive(Debug, Default)]
pub struct Pace {
    early: u32,
}

impl Pace {
    /// It got as far as answering.
    pub fn was_ready(&mut self) {
        self.early = 0;
    }

    /// It ended: the wait before the next start.
    pub fn ended(&mut self, was_ready: bool) -> Duration {
        if was_ready {
            return Duration::ZERO;
        }
        self.early += 1;
        match self.early.checked_sub(PATIENCE) {
            None => Duration::ZERO,
            Some(n) => Duration::from_secs(1 << n.min(5)).min(LONGEST),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_node_that_never_gets_ready_is_waited_for() {
        let mut pace = Pace::default();
        let waits: Vec<u64> = (0..9).map(|_| pace.ended(false).as_secs()).collect();
        assert_eq!(waits, [0, 0, 1, 2, 4, 8, 16, 30, 30]);
        pace.was_ready();
        assert_eq!((0..5).map(|_| pace.ended(true).as_secs()).sum::<u64>(), 0);
        assert_eq!(pace.ended(false), Duration::ZERO);
    }
}
