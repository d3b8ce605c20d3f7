//! What the node lends to endpoints without an entity: clock, randomness, its worker number.

use crate::clock::Clock;
use crate::router::GroupSeat;
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

    /// Leases a number from the meta group now, and renews it as long as the machine is there.
    pub(crate) async fn keep_lease(self: &Arc<NodeMachine>, meta: GroupSeat) {
        self.renew(&meta).await;
        let machine = Arc::downgrade(self);
        tokio::spawn(async move {
            let mut every = tokio::time::interval(meta::LEASE / 4);
            every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            every.tick().await;
            loop {
                every.tick().await;
                let Some(machine) = Weak::upgrade(&machine) else { return };
                machine.renew(&meta).await;
            }
        });
    }

    async fn renew(&self, GroupSeat { handle, store }: &GroupSeat) {
        let (asked, epoch) = (Instant::now(), lock(&self.random).random());
        let Me { node, incarnation } = self.me;
        match meta::lease(&**handle, store, node, incarnation, epoch, self.clock.now().0).await {
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
