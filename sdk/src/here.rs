//! The node that took a call: its clock, its randomness, its number in the cluster.

use crate::{Result, Time};
use futures::future::BoxFuture;
use std::sync::Arc;
use std::time::Duration;

/// What the node lends to endpoints that run outside any entity; the runtime's side of [`Here`].
pub trait Machine: Send + Sync {
    fn now(&self) -> Time;
    /// Fills `out` with bytes nobody can guess.
    fn fill(&self, out: &mut [u8]);
    /// See [`Here::node`].
    fn node(&self) -> u64;
    /// See [`Here::worker`].
    fn worker(&self) -> Result<u16>;
    /// See [`Here::stamp`].
    fn stamp(&self, counter: &'static str, unit: Duration, per_unit: u64) -> Result<Stamp>;
    fn sleep(&self, time: Duration) -> BoxFuture<'static, ()>;
}

/// The node a `Local`, `Handler` or `Stream` endpoint runs on. Commands have their own clock and randomness: [`crate::Tx`].
#[derive(Clone)]
pub struct Here {
    machine: Arc<dyn Machine>,
}

/// A moment no other [`Here::stamp`] of the same counter has on this node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// Units since 1970.
    pub at: u64,
    /// 0, 1, 2 … within the unit.
    pub n: u64,
    /// Drawn anew for each unit, the same for all `n` of it.
    pub random: u128,
}

impl Here {
    #[doc(hidden)]
    pub fn new(machine: Arc<dyn Machine>) -> Here {
        Here { machine }
    }

    /// The node's clock; it never goes back.
    pub fn now(&self) -> Time {
        self.machine.now()
    }

    /// Fills `out` with bytes nobody can guess.
    pub fn fill(&self, out: &mut [u8]) {
        self.machine.fill(out);
    }

    /// `N` bytes nobody can guess.
    pub fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }

    /// A number from `0..bound`, all equally likely: by rejection, so without the bias of a remainder.
    pub fn below(&self, bound: u64) -> u64 {
        assert!(bound > 0, "there is no number below 0");
        // The largest multiple of `bound` that 64 bits hold; what lies beyond is drawn again.
        let fair = u64::MAX - (u64::MAX % bound + 1) % bound;
        loop {
            let drawn = u64::from_le_bytes(self.random());
            if drawn <= fair {
                return drawn % bound;
            }
        }
    }

    /// The node's id: no other node of the cluster has it, ever.
    pub fn node(&self) -> u64 {
        self.machine.node()
    }

    /// A number from 0 to 1,023 that no other running node has: leased from the meta group, given out again only when the
    /// lease has long ended. An error (503) while this node's lease cannot be renewed.
    pub fn worker(&self) -> Result<u16> {
        self.machine.worker()
    }

    /// The next stamp of `counter`: strictly later than all before on this node. `unit`: what time is counted in; at most
    /// `per_unit` stamps share one, then the next unit is taken ahead of the clock, up to 50 ms; further ahead is an error
    /// (503).
    pub fn stamp(&self, counter: &'static str, unit: Duration, per_unit: u64) -> Result<Stamp> {
        self.machine.stamp(counter, unit, per_unit)
    }
}

impl crate::Cx {
    /// Waits; the call's own time goes on.
    pub async fn sleep(&self, time: Duration) {
        self.here().machine.sleep(time).await;
    }
}
