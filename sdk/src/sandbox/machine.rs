//! The node a sandbox pretends to be: its clock stands still until moved, its randomness has seed 0.

use super::Sandbox;
use crate::runtime::Machine;
use crate::{Result, Stamp, Time};
use futures::future::BoxFuture;
use rand::{Rng, RngCore};
use std::time::Duration;

impl Machine for Sandbox {
    fn now(&self) -> Time {
        self.lock().now
    }

    fn fill(&self, out: &mut [u8]) {
        self.lock().random.fill_bytes(out);
    }

    fn node(&self) -> u64 {
        1
    }

    fn worker(&self) -> Result<u16> {
        Ok(0)
    }

    fn stamp(&self, counter: &'static str, unit: Duration, per_unit: u64) -> Result<Stamp> {
        let mut inner = self.lock();
        let (now, random) = (inner.now, inner.random.random());
        inner.stamps.next(counter, unit, per_unit, now, || random)
    }

    /// Nobody waits: the clock goes on.
    fn sleep(&self, time: Duration) -> BoxFuture<'static, ()> {
        self.advance(time);
        Box::pin(async {})
    }
}
