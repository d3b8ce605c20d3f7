//! What the node lends to endpoints without an entity: clock, randomness, its worker number.

use crate::clock::Clock;
use crate::router::Router;
use cluster::meta;
use futures::future::BoxFuture;
use rand::rngs::StdRng;
use rand::{Rng, RngCore, SeedableRng};
use sdk::runtime::{Machine, Stamps};
use sdk::{Result, Stamp, Time};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};
use wire::error::reasons;
use wire::ids::{Incarnation, NodeId};

/// Which node, and which life of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Me {
    pub node: NodeId,
    pub incarnation: Incarnation,
}

/// How long one try to lease a number takes, and the rest between tries while there is none.
const LEASE_TRY: Duration = Duration::from_secs(2);

pub(crate) struct NodeMachine {
    me: Me,
    clock: Arc<Clock>,
    random: Mutex<StdRng>,
    stamps: Stamps,
    lease: Mutex<Option<Held>>,
}

/// A worker number, and until when by this machine's steady clock.
#[derive(Clone, Copy, Debug)]
struct Held {
    number: u16,
    until: Instant,
}

impl NodeMachine {
    pub(crate) fn new(me: Me, clock: Arc<Clock>) -> NodeMachine {
        let random = Mutex::new(StdRng::from_os_rng());
        NodeMachine { me, clock, random, stamps: Stamps::default(), lease: Mutex::default() }
    }

    /// Leases a number from the meta group, and renews it as long as the machine and its router are there. `alone`: it has one
    /// when this returns. With others it must not be waited for: until this node's doors are open they cannot reach it, and
    /// after a power loss all would wait for a leader that none of them can elect.
    pub(crate) async fn keep_lease(self: &Arc<NodeMachine>, router: &Router, alone: bool) {
        if alone {
            self.renew(router).await;
        }
        let first = (!alone).then(|| (self.clone(), router.clone()));
        let (machine, router) = (Arc::downgrade(self), router.downgrade());
        tokio::spawn(async move {
            if let Some((machine, router)) = first {
                machine.renew(&router).await;
            }
            loop {
                let Some(has_one) = Weak::upgrade(&machine).map(|machine| machine.worker().is_ok()) else { return };
                let wait = if has_one { meta::LEASE / 4 } else { LEASE_TRY };
                // tidy: sleep because a lease runs by the clock
                tokio::time::sleep(wait).await;
                let Some((machine, router)) = Weak::upgrade(&machine).zip(router.upgrade()) else { return };
                machine.renew(&router).await;
            }
        });
    }

    async fn renew(&self, router: &Router) {
        let asked = Instant::now();
        match router.lease(self.me.incarnation, asked + LEASE_TRY).await {
            Ok(number) => *lock(&self.lease) = Some(Held { number, until: asked + meta::LEASE }),
            // The old one holds a while yet.
            Err(error) => tracing::warn!(%error, "the lease of this node's worker number could not be renewed"),
        }
    }
}

impl Machine for NodeMachine {
    fn now(&self) -> Time {
        self.clock.now()
    }

    fn fill(&self, out: &mut [u8]) {
        lock(&self.random).fill_bytes(out);
    }

    fn node(&self) -> u64 {
        self.me.node.0
    }

    fn worker(&self) -> Result<u16> {
        match *lock(&self.lease) {
            Some(Held { number, until }) if Instant::now() < until => Ok(number),
            _ => Err(reasons::NO_LEADER.refuse("this node has no worker number just now").retry_after_ms(1000)),
        }
    }

    fn stamp(&self, counter: &'static str, unit: Duration, per_unit: u64) -> Result<Stamp> {
        self.stamps.next(counter, unit, per_unit, self.clock.now(), || lock(&self.random).random())
    }

    fn sleep(&self, time: Duration) -> BoxFuture<'static, ()> {
        // tidy: sleep because a service asks for it: `cx.sleep`
        Box::pin(tokio::time::sleep(time))
    }
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}
