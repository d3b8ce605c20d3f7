//! How much a node takes in at once, over all its doors: by count and by bytes. Beyond it callers are told at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use wire::Error;
use wire::error::reasons;

/// Calls and bytes inside, and how many may be.
pub struct Gate {
    calls: AtomicUsize,
    bytes: AtomicUsize,
    calls_max: usize,
    bytes_max: usize,
}

/// Held by a call while it is inside.
pub struct Pass {
    gate: Arc<Gate>,
    bytes: usize,
}

impl Gate {
    pub fn new(calls_max: usize, bytes_max: usize) -> Arc<Gate> {
        Arc::new(Gate { calls: AtomicUsize::new(0), bytes: AtomicUsize::new(0), calls_max, bytes_max })
    }

    /// For a node without other wishes: 16,384 calls, 256 MiB of bodies.
    pub fn usual() -> Arc<Gate> {
        Gate::new(16_384, 256 << 20)
    }

    /// Calls inside now.
    pub fn inside(&self) -> usize {
        self.calls.load(Ordering::Relaxed)
    }

    pub fn enter(self: &Arc<Gate>, bytes: usize) -> Result<Pass, Error> {
        // The pass is made first: refused, its drop takes back what was counted.
        let pass = Pass { gate: self.clone(), bytes };
        let calls = self.calls.fetch_add(1, Ordering::Relaxed);
        let held = self.bytes.fetch_add(bytes, Ordering::Relaxed);
        if calls >= self.calls_max {
            return Err(full(format!("{} calls are under way on this node", self.calls_max)));
        }
        if held + bytes > self.bytes_max {
            return Err(full(format!("{} MiB of requests are under way on this node", self.bytes_max >> 20)));
        }
        Ok(pass)
    }
}

/// The answer when there is no room: nothing was begun, so trying again is safe.
pub fn full(what: String) -> Error {
    reasons::OVERLOADED.refuse(format!("{what}: try again shortly")).retry_after_ms(100)
}

impl Drop for Pass {
    fn drop(&mut self) {
        self.gate.calls.fetch_sub(1, Ordering::Relaxed);
        self.gate.bytes.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beyond_count_or_bytes_is_refused_and_leaves_no_trace() {
        let gate = Gate::new(2, 100);
        let (one, two) = (gate.enter(10).unwrap(), gate.enter(10).unwrap());
        let error = gate.enter(1).err().unwrap();
        assert!(error.is(&reasons::OVERLOADED) && error.outcome == wire::Outcome::NotRun, "{error:?}");
        drop(one);
        assert!(gate.enter(91).err().unwrap().is(&reasons::OVERLOADED));
        let big = gate.enter(90).unwrap();
        drop((two, big));
        assert_eq!((gate.inside(), gate.bytes.load(Ordering::Relaxed)), (0, 0));
    }
}
