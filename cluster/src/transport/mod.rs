//! Between nodes: consensus frames, calls and snapshots, each on connections of its own.
//!
//! | lane | what | thread |
//! |---|---|---|
//! | 1 | consensus and keep-alives; dialled to every known node and kept | "peers", its own |
//! | 2 | calls, many at a time; dialled when there is one and kept | the runtime of [`Network::start`] |
//! | 3 | snapshots, a connection each | the same |
//!
//! So an election waits for no user work, and a call for no snapshot (LESSONS §11). Whoever has something to say dials;
//! a connection carries what its dialler says. It begins with a hello both ways ([`hello`]): another cluster, another
//! wire version, this node's own id or an older life of a node is refused by name ([`Refusal`]).
//!
//! Absent: names of groups, replicas and services. Addresses come from the [`Book`] at each dial, trust from the keyring.

mod accept;
mod ask;
mod backoff;
mod calls;
mod control;
mod counters;
mod dial;
mod frame;
mod hello;
mod hold;
mod line;
mod link;
mod network;
mod peer;
mod queue;

mod refusal;
mod shared;
mod snapshots;
mod socket;
#[cfg(test)]
mod tests;
mod throttle;

pub use ask::ask;
pub use counters::Counters;
pub use frame::BODY_BYTES_MAX;
pub use network::{Network, State};
pub use refusal::{OTHER_SECRET, Refusal, Refused};
pub use snapshots::NOT_TAKEN;
pub use socket::Socket;

use async_trait::async_trait;
use bytes::Bytes;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc;
use wire::ids::{ClusterId, Incarnation, NodeId};

/// Who this node is. Without a cluster (and as node 0) it is joining one, and may only [`ask`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Me {
    pub cluster: Option<ClusterId>,
    pub node: NodeId,
    pub incarnation: Incarnation,
}

/// `host:port` of a node, from the registry. Asked at each dial, and before anything is sent to a node not yet known.
pub type Book = Arc<dyn Fn(NodeId) -> Option<String> + Send + Sync>;

/// What other nodes' words come to.
#[async_trait]
pub trait Inbound: Send + Sync + 'static {
    /// Called on the thread of lane 1: it never blocks.
    fn raft(&self, from: NodeId, frame: Bytes);

    /// One call, on a task of its own. It is dropped, wherever it waits, when its caller is gone or its time is over.
    /// `from` is node 0 where somebody asks to join.
    async fn call(&self, from: NodeId, kind: u8, body: Bytes, time_left: Duration) -> Result<Bytes, wire::Error>;

    /// One snapshot. The chunks also end when the sender is gone: the last one has to tell that it is the last.
    async fn snapshot(&self, from: NodeId, head: Bytes, chunks: mpsc::Receiver<Bytes>) -> Result<(), String>;
}

/// Why a call has no answer.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum CallError {
    /// It did not get there: trying again, elsewhere too, is safe.
    #[error("not sent: {0}")]
    NotSent(String),
    /// It was sent, and the connection ended without an answer: nobody knows.
    #[error("lost on its way: {0}")]
    Lost(String),
    /// The other side's answer; or there was no room to send it.
    #[error(transparent)]
    Refused(wire::Error),
    /// It was sent, and there was no answer in time: nobody knows.
    #[error("no answer in time")]
    TimedOut,
}

/// A lock whose holder panicked is still whole: none here is held over a change of two things.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
