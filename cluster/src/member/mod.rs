//! A node's life as a member: it follows meta, has the replicas it is to have, looks after the groups it leads, and says how
//! they are. Whoever leads meta decides for all.
//!
//! One loop, [`Member::run`], a few times a second; everything it does is done again until it is done, and nothing it knows
//! is needed after a restart.

mod asking;
mod beat;
mod replicas;
mod secrets;
mod serving;
mod stewarding;

use crate::consensus::GroupView;
use crate::group::Group;
use crate::meta::request::{Answer, Ask};
use crate::meta::steward::Steward;
use crate::meta::{Meta, NodeRow};
use crate::node::threads::Running;
use crate::node::{self, Handle, SendAsk, Slot};
use crate::transport::Network;
use bytes::Bytes;
use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use storage::replica::ReplicaStore;
use storage::state::Engine;
use tokio::sync::{oneshot, watch};
use wire::ids::{ClusterId, GroupId, NodeId, ReplicaId};

/// What calls between nodes are about: the byte in front.
pub mod kind {
    /// A call of a service, from router to router.
    pub const ROUTER: u8 = 1;
    /// [`crate::meta::request::Ask`].
    pub const META: u8 = 2;
}

/// Puts meta on disk.
pub type Save = Box<dyn Fn(&Meta) -> io::Result<()> + Send + Sync>;

/// What a member is made from.
pub struct Parts {
    pub cluster: ClusterId,
    pub me: NodeRow,
    /// Replicas below it were never this folder's, or are lost.
    pub floor: ReplicaId,
    pub engine: Arc<dyn Engine>,
    /// What callers show at every door of the cluster; told to nodes that join.
    pub token: String,
    /// Meta as this node last knew it.
    pub meta: Arc<Meta>,
    /// Keeps meta for the next start: on disk when it returns.
    pub save: Save,
}

/// Clones are the same member.
#[derive(Clone)]
pub struct Member {
    inner: Arc<Inner>,
}

struct Inner {
    parts: Parts,
    handles: BTreeMap<GroupId, Handle>,
    slots: Arc<BTreeMap<GroupId, Arc<Slot>>>,
    ask: SendAsk,
    slow: Arc<AtomicBool>,
    network: Network,
    meta: watch::Sender<Arc<Meta>>,
    /// Held while a newer meta goes to the disk: an older one must not come behind it.
    learning: Mutex<()>,
    started: Instant,
    steward: Mutex<Steward>,
    /// Who should lead, as the steward last said.
    orders: Mutex<BTreeMap<GroupId, ReplicaId>>,
    /// Registered in this life, or why not yet.
    registered: watch::Sender<Result<(), Waits>>,
}

/// What a node waits for before it belongs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Waits {
    /// Try again: this is in the way just now.
    For(String),
    /// It will never be let in like this.
    Refused(String),
}

impl Member {
    /// A member over running consensus and a network; [`Member::run`] brings it to life.
    pub fn new(parts: Parts, running: &Running, network: Network) -> Member {
        let (meta, _) = watch::channel(parts.meta.clone());
        let (registered, _) = watch::channel(Err(Waits::For("the first answer of whoever leads meta".into())));
        let inner = Inner {
            handles: running.handles.clone(),
            slots: running.slots.clone(),
            ask: running.ask.clone(),
            slow: running.slow.clone(),
            network,
            meta,
            learning: Mutex::default(),
            started: Instant::now(),
            steward: Mutex::default(),
            orders: Mutex::default(),
            registered,
            parts,
        };
        Member { inner: Arc::new(inner) }
    }

    /// Meta, as this node knows it.
    pub fn meta(&self) -> watch::Receiver<Arc<Meta>> {
        self.inner.meta.subscribe()
    }

    /// Whether meta knows this life of the node.
    pub fn registered(&self) -> watch::Receiver<Result<(), Waits>> {
        self.inner.registered.subscribe()
    }

    /// Cut off: heard from fewer than a majority of those who hold meta, itself counted, for longer than that.
    pub fn cut_off(&self, longer_than: Duration) -> bool {
        let meta = self.inner.known();
        let me = self.inner.parts.me.node;
        let holders: Vec<NodeId> = meta.topology.of(GroupId::META).map(|placed| placed.node).collect();
        let heard = |node: &&NodeId| {
            **node == me || self.inner.network.heard(**node).is_some_and(|silent| silent <= longer_than)
        };
        // Whoever holds no replica of meta needs a majority of the others; a holder counts for itself.
        holders.iter().filter(heard).count() * 2 <= holders.len()
    }
}

impl Inner {
    fn known(&self) -> Arc<Meta> {
        self.meta.borrow().clone()
    }

    fn me(&self) -> NodeId {
        self.parts.me.node
    }

    /// The meta group's handle and rows, if it has a replica here.
    fn seat(&self) -> Option<(&Handle, ReplicaStore)> {
        let store = self.slots.get(&GroupId::META)?.get()?;
        Some((self.handles.get(&GroupId::META)?, store))
    }

    fn leads_meta(&self) -> bool {
        self.handles.get(&GroupId::META).is_some_and(|handle| handle.leading().is_some())
    }

    async fn look(&self) -> Vec<GroupView> {
        let (done, looked) = oneshot::channel();
        // The node is stopping, or whoever asked is gone: then there is nothing to see.
        let done = Box::new(move |views| drop(done.send(views)));
        if (self.ask)(node::Ask::Look { done }).is_some() {
            return Vec::new();
        }
        looked.await.unwrap_or_default()
    }

    fn lock_steward(&self) -> MutexGuard<'_, Steward> {
        self.steward.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_orders(&self) -> MutexGuard<'_, BTreeMap<GroupId, ReplicaId>> {
        self.orders.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Wall time, for rows that say when.
fn now_ns() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}

/// Random, used once.
fn epoch() -> u64 {
    rand::random()
}

fn encode(answer: &Answer) -> Bytes {
    wire::codec::encode(answer).map(Bytes::from).unwrap_or_default()
}

fn decode(body: &[u8]) -> Result<Ask, wire::codec::CodecError> {
    wire::codec::decode(body)
}
