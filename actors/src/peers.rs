//! The other nodes, as far as the router needs them: one call there, one answer back.

use bytes::Bytes;
use futures::future::BoxFuture;
use std::time::Instant;
use wire::Error;
use wire::ids::NodeId;

/// How calls reach the routers of other nodes; there [`crate::router::Router::remote`] answers them.
pub trait Peers: Send + Sync + 'static {
    fn me(&self) -> NodeId;

    /// Hands `body` to the router of `to` and brings back what it says.
    fn call(&self, to: NodeId, body: Bytes, deadline: Instant) -> BoxFuture<'static, Result<Bytes, PeerError>>;

    /// For over a second this node has heard from fewer than a quorum of the cluster (P22).
    fn cut_off(&self) -> bool;
}

/// Why no answer of the other router came back.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum PeerError {
    /// It never left this node: it did not and will not run.
    #[error("not sent: {0}")]
    NotSent(String),
    /// It was sent and the link broke: it may have run, or may yet.
    #[error("sent, and the link was lost: {0}")]
    Lost(String),
    /// The other side took the call and would not hand it to its router.
    #[error("{0}")]
    Refused(Error),
    /// No answer in time: it may have run, or may yet.
    #[error("no answer in time")]
    TimedOut,
}

/// A cluster of one: there are no others.
#[derive(Clone, Copy, Debug)]
pub struct Alone(NodeId);

impl Alone {
    pub fn new(me: NodeId) -> Alone {
        Alone(me)
    }
}

impl Peers for Alone {
    fn me(&self) -> NodeId {
        self.0
    }

    fn call(&self, to: NodeId, _: Bytes, _: Instant) -> BoxFuture<'static, Result<Bytes, PeerError>> {
        Box::pin(async move { Err(PeerError::NotSent(format!("there is no node {to}"))) })
    }

    fn cut_off(&self) -> bool {
        false
    }
}
