//! What all connections of a node share: who it is, whom it knows, what it counts.

use super::calls::{self, Calls};
use super::counters::{Counting, count};
use super::dial::Dial;
use super::hello::{Hello, Lane, NoLink};
use super::hold::Secrets;
use super::line::Line;
use super::peer::Peer;
use super::queue::Queue;
use super::refusal::{Ledger, Refusal};
use super::throttle::Throttle;
use super::{Book, Inbound, Me, control};
use futures::FutureExt;
use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, watch};
use wire::ids::NodeId;

/// How much and how long. Tests have smaller ones.
#[derive(Clone, Debug)]
pub struct Limits {
    /// After this long without a frame on lane 1, one that says only that we live.
    pub keep_alive: Duration,
    /// A lane 1 on which nothing came for so long is dead.
    pub silence: Duration,
    /// For a stranger's first words.
    pub hello_within: Duration,
    pub raft_queue_bytes: usize,
    /// Calls under way, to a peer and from a connection.
    pub calls: usize,
    /// Of their bodies, to a peer.
    pub call_bytes: usize,
    /// Strangers with a question, at a time.
    pub asking: usize,
    /// An asking connection without a question is closed.
    pub asking_idle: Duration,
    /// Snapshots coming in, at a time.
    pub snapshots: usize,
    /// A snapshot's other side says something at least this often, or a third of it.
    pub snapshot_silence: Duration,
    pub snapshot_bytes_per_second: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            keep_alive: Duration::from_millis(250),
            silence: Duration::from_secs(2),
            hello_within: Duration::from_secs(5),
            raft_queue_bytes: 8 << 20,
            calls: 4096,
            call_bytes: 64 << 20,
            asking: 64,
            asking_idle: Duration::from_secs(30),
            snapshots: 2,
            snapshot_silence: Duration::from_secs(10),
            snapshot_bytes_per_second: 64 << 20,
        }
    }
}

/// Snapshots to one peer at a time: as many as it takes at once, or its line would hold connections.
const SNAPSHOTS_TO_A_PEER: usize = 2;

pub struct Shared {
    pub me: Me,
    /// Random: see [`Hello::process`].
    pub process: u64,
    pub book: Book,
    pub dial: Dial,
    pub secrets: Secrets,
    pub inbound: Arc<dyn Inbound>,
    pub limits: Limits,
    /// The runtime lane 1 runs on, and nothing else.
    pub peers_runtime: Handle,
    /// The one the node's calls run on.
    pub runtime: Handle,
    pub peers: RwLock<BTreeMap<NodeId, Arc<Peer>>>,
    pub stopped: watch::Sender<bool>,
    pub ledger: Ledger,
    pub counting: Counting,
    pub asking: Arc<Semaphore>,
    /// Snapshots coming in.
    pub incoming: Line,
    pub throttle: Throttle,
}

impl Shared {
    pub fn hello(&self, lane: Lane) -> Hello {
        let Me { cluster, node, incarnation } = self.me;
        Hello { cluster, node, incarnation, process: self.process, lane }
    }

    /// For a connection that is made now: what is replaced later ends it.
    pub fn secrets(&self) -> Secrets {
        let mut secrets = self.secrets.clone();
        secrets.mark_unchanged();
        secrets
    }

    /// What is wrong with another, by its hello alone.
    pub fn judge(&self, theirs: &Hello) -> Result<(), Refusal> {
        let Some(ours) = self.me.cluster else { return Err(Refusal::Joining) };
        match theirs.cluster {
            Some(theirs) if theirs != ours => Err(Refusal::OtherCluster { theirs, ours }),
            None if theirs.lane == Lane::Ask => Ok(()),
            None => Err(Refusal::NotJoined),
            Some(_) if theirs.node == self.me.node => Err(Refusal::OwnNode(theirs.node)),
            Some(_) => Ok(()),
        }
    }

    pub fn known(&self, node: NodeId) -> Option<Arc<Peer>> {
        self.peers.read().unwrap_or_else(PoisonError::into_inner).get(&node).cloned()
    }

    /// A peer to send to: known, or with an address.
    pub fn reachable(self: &Arc<Self>, node: NodeId) -> Option<Arc<Peer>> {
        self.known(node).or_else(|| (self.book)(node).and_then(|_| self.peer(node)))
    }

    /// The peer, made known if it is not: from then on lane 1 to it is kept. `None`: this node itself, or it stops.
    pub fn peer(self: &Arc<Self>, node: NodeId) -> Option<Arc<Peer>> {
        let mut peers = self.peers.write().unwrap_or_else(PoisonError::into_inner);
        if node == self.me.node || *self.stopped.borrow() {
            return None;
        }
        if let Some(peer) = peers.get(&node) {
            return Some(peer.clone());
        }
        let (calls, asked) = Calls::new(self.limits.calls, self.limits.call_bytes);
        let queue = Queue::new(self.limits.raft_queue_bytes);
        let peer = Arc::new(Peer::new(node, queue, calls, Line::new(SNAPSHOTS_TO_A_PEER)));
        peers.insert(node, peer.clone());
        self.guard(&self.peers_runtime, &peer, control::keep(self.clone(), peer.clone()));
        self.guard(&self.runtime, &peer, calls::keep(self.clone(), peer.clone(), asked));
        Some(peer)
    }

    /// A task of a peer that panics takes the peer along, and it is known anew: the node never goes on without a lane.
    fn guard(self: &Arc<Self>, runtime: &Handle, peer: &Arc<Peer>, task: impl Future<Output = ()> + Send + 'static) {
        let (shared, peer) = (self.clone(), peer.clone());
        runtime.spawn(async move {
            if AssertUnwindSafe(task).catch_unwind().await.is_err() {
                tracing::error!(node = %peer.node, "a lane panicked; its message stands above");
                let mut peers = shared.peers.write().unwrap_or_else(PoisonError::into_inner);
                let known = peers.get(&peer.node).is_some_and(|known| Arc::ptr_eq(known, &peer));
                if known {
                    peers.remove(&peer.node);
                }
                drop(peers);
                peer.lives.leave();
                if known {
                    shared.peer(peer.node);
                }
            }
        });
    }

    /// Exactly these are known from now on.
    pub fn know(self: &Arc<Self>, nodes: &[NodeId]) {
        let mut left = Vec::new();
        self.peers.write().unwrap_or_else(PoisonError::into_inner).retain(|node, peer| {
            let stays = nodes.contains(node);
            if !stays {
                left.push(peer.clone());
            }
            stays
        });
        left.iter().for_each(|peer| peer.lives.leave());
        for &node in nodes {
            self.peer(node);
        }
    }

    /// Ends every connection, and lets none begin.
    pub fn stop(&self) {
        self.stopped.send_replace(true);
        let peers = std::mem::take(&mut *self.peers.write().unwrap_or_else(PoisonError::into_inner));
        peers.values().for_each(|peer| peer.lives.leave());
    }

    /// A try to connect came to nothing.
    pub fn failed(&self, address: &str, why: &NoLink) {
        count(&self.counting.failed);
        if let NoLink::Refused(refusal) = why {
            self.ledger.add(address.to_string(), refusal);
        }
    }
}
