//! The whole of it, as a node holds it.

use super::counters::{Counters, Counting, count};
use super::dial::{self, Dial};
use super::hold::Secrets;
use super::line::Line;
use super::refusal::{Ledger, Refused};
use super::shared::{Limits, Shared};
use super::socket::Socket;
use super::throttle::Throttle;
use super::{Book, CallError, Inbound, Me, accept, control, snapshots};
use crate::trust::Keyring;
use bytes::Bytes;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock};
use std::thread;
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Handle};
use tokio::sync::{Semaphore, mpsc, watch};
use wire::ids::NodeId;

/// All connections of this node with others. Clones are the same; when the last is dropped, everything ends.
#[derive(Clone)]
pub struct Network {
    shared: Arc<Shared>,
    /// What it dials by; none in tests without TLS.
    keyring: Option<Keyring>,
    _stop: Arc<StopOnDrop>,
}

struct StopOnDrop(Arc<Shared>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.stop();
    }
}

/// A known node, as seen from here.
#[derive(Clone, Debug)]
pub struct State {
    pub node: NodeId,
    /// Since something came from it.
    pub heard: Option<Duration>,
    /// Why it is not connected.
    pub trouble: Option<String>,
}

impl Network {
    /// Call it within the runtime that calls and snapshots are to run on; lane 1 gets a thread of its own.
    pub fn start(me: Me, keyring: Keyring, book: Book, inbound: Arc<dyn Inbound>) -> io::Result<Network> {
        let secrets = keyring.watch();
        let dial = dial::over_tls(keyring.clone());
        let network = Network::start_with(me, dial, secrets, book, inbound, Limits::default())?;
        Ok(Network { keyring: Some(keyring), ..network })
    }

    pub(super) fn start_with(
        me: Me,
        dial: Dial,
        secrets: Secrets,
        book: Book,
        inbound: Arc<dyn Inbound>,
        limits: Limits,
    ) -> io::Result<Network> {
        let stopped = watch::Sender::new(false);
        let shared = Arc::new(Shared {
            me,
            process: SmallRng::from_os_rng().random::<u64>().max(1),
            book,
            dial,
            secrets,
            inbound,
            peers_runtime: spawn_peers_thread(stopped.subscribe())?,
            runtime: Handle::try_current().map_err(io::Error::other)?,
            peers: RwLock::default(),
            stopped,
            ledger: Ledger::default(),
            counting: Counting::default(),
            asking: Arc::new(Semaphore::new(limits.asking)),
            incoming: Line::new(limits.snapshots),
            throttle: Throttle::new(limits.snapshot_bytes_per_second),
            limits,
        });
        Ok(Network { _stop: Arc::new(StopOnDrop(shared.clone())), keyring: None, shared })
    }

    /// The secrets it works under, if it speaks TLS.
    pub fn keyring(&self) -> Option<&Keyring> {
        self.keyring.as_ref()
    }

    /// Serves a connection that was accepted and whose TLS is done, until it ends. Dropping this ends it.
    pub async fn serve(&self, stream: impl Socket, peer: SocketAddr) -> Result<(), String> {
        accept::serve(&self.shared, Box::new(stream), peer).await
    }

    /// These nodes are the cluster now: connections to all of them are opened and kept, those with others end.
    pub fn know(&self, nodes: Vec<NodeId>) {
        self.shared.know(&nodes);
    }

    /// Queues a frame for a node. Dropped and counted when its queue is full or there is no way to it.
    pub fn raft(&self, to: NodeId, frame: Bytes) {
        control::send(&self.shared, self.shared.reachable(to).as_deref(), frame);
    }

    /// Calls a node. Dropping this cancels the call.
    pub async fn call(&self, to: NodeId, kind: u8, body: Bytes, deadline: Instant) -> Result<Bytes, CallError> {
        let peer = self.shared.reachable(to).ok_or_else(|| no_way(to))?;
        let answer = peer.calls.call(kind, body, deadline).await;
        if let Err(CallError::Refused(error)) = &answer
            && error.is(&wire::error::reasons::OVERLOADED)
        {
            count(&self.shared.counting.calls_overloaded);
        }
        answer
    }

    /// Sends a snapshot to a node, and waits until it is taken. It ends with the last chunk. The urgent go first.
    pub async fn snapshot(
        &self,
        to: NodeId,
        head: Bytes,
        urgent: bool,
        chunks: mpsc::Receiver<Bytes>,
    ) -> Result<(), CallError> {
        let peer = self.shared.reachable(to).ok_or_else(|| no_way(to))?;
        snapshots::send(&self.shared, &peer, head, chunks, urgent).await
    }

    /// Bytes a second that snapshots may take, all together; 64 MiB at first.
    pub fn throttle_snapshots(&self, bytes_per_second: u64) {
        self.shared.throttle.set(bytes_per_second);
    }

    /// Time since anything came from the node on lane 1, where a living node is heard every 250 ms.
    pub fn heard(&self, node: NodeId) -> Option<Duration> {
        self.shared.known(node)?.heard()
    }

    /// All known nodes.
    pub fn states(&self) -> Vec<State> {
        let peers = self.shared.peers.read().unwrap_or_else(PoisonError::into_inner);
        let state = |(&node, peer): (&NodeId, &Arc<super::peer::Peer>)| State {
            node,
            heard: peer.heard(),
            trouble: peer.trouble(),
        };
        peers.iter().map(state).collect()
    }

    /// The last refusal between this node and each address, until a connection with it works.
    pub fn refusals(&self) -> Vec<Refused> {
        self.shared.ledger.last()
    }

    pub fn counters(&self) -> Counters {
        let refused: BTreeMap<_, _> = self.shared.ledger.counted();
        self.shared.counting.now(refused)
    }

    #[cfg(test)]
    pub(super) fn snapshots_waiting(&self) -> usize {
        self.shared.incoming.len()
    }

    /// Ends all connections; none begins any more.
    pub fn stop(&self) {
        self.shared.stop();
    }
}

fn no_way(to: NodeId) -> CallError {
    CallError::NotSent(format!("nobody knows an address of {to}, or it is this node"))
}

/// A runtime for lane 1 alone: what else the node does can delay no election.
fn spawn_peers_thread(mut stopped: watch::Receiver<bool>) -> io::Result<Handle> {
    let (tell, told) = std::sync::mpsc::channel();
    let run = move || {
        let runtime = Builder::new_current_thread().enable_all().build();
        let _ = tell.send(runtime.as_ref().map(|runtime| runtime.handle().clone()).map_err(|why| why.kind()));
        if let Ok(runtime) = runtime {
            let _ = runtime.block_on(stopped.wait_for(|stopped| *stopped));
            // A name being looked up must not hold up the end.
            runtime.shutdown_background();
        }
    };
    thread::Builder::new().name("peers".into()).spawn(run)?;
    told.recv().map_err(io::Error::other)?.map_err(io::Error::from)
}
