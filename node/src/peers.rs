//! What this node is to others, and they to it: the router's calls and meta's questions over one network.

use actors::peers::{PeerError, Peers};
use actors::router::Router;
use bytes::Bytes;
use cluster::member::{Member, kind};
use cluster::node::{Receiver, SendAsk, messages};
use cluster::transport::{CallError, Inbound, Network};
use futures::future::BoxFuture;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};
use wire::Error;
use wire::error::reasons;
use wire::ids::NodeId;

/// For longer than this without a quorum, and a node is cut off (P22).
const CUT_OFF: Duration = Duration::from_secs(1);

/// What comes in from other nodes. Its parts are there one after the other while the node starts.
#[derive(Default)]
pub struct Incoming {
    pub ask: OnceLock<SendAsk>,
    pub receiver: OnceLock<Receiver>,
    pub member: OnceLock<Member>,
    pub router: OnceLock<Router>,
}

#[async_trait::async_trait]
impl Inbound for Incoming {
    fn raft(&self, from: NodeId, frame: Bytes) {
        let Some(ask) = self.ask.get() else { return };
        match messages(frame) {
            // Given back only if the node is stopping.
            Some(inputs) => inputs.into_iter().for_each(|input| drop(ask(cluster::node::Ask::Input(input)))),
            None => tracing::warn!(%from, "a consensus frame does not decode"),
        }
    }

    async fn call(&self, from: NodeId, what: u8, body: Bytes, time_left: Duration) -> Result<Bytes, Error> {
        let starting = || reasons::NO_LEADER.refuse("this node is starting").retry_after_ms(100);
        match what {
            kind::ROUTER => self.router.get().ok_or_else(starting)?.remote(from, body, time_left).await,
            kind::META => self.member.get().ok_or_else(starting)?.answer(&body).await,
            other => Err(reasons::BAD_BODY.refuse(format!("no call of kind {other}: is this node older?"))),
        }
    }

    async fn snapshot(
        &self,
        from: NodeId,
        head: Bytes,
        mut chunks: tokio::sync::mpsc::Receiver<Bytes>,
    ) -> Result<(), String> {
        let receiver = self.receiver.get().cloned().ok_or("this node is starting")?;
        let taken = tokio::task::spawn_blocking(move || receiver.receive(&head, || chunks.blocking_recv())).await;
        match taken {
            Ok(Ok(())) => Ok(()),
            Ok(Err(why)) => {
                tracing::warn!(%from, %why, "a snapshot was not taken");
                Err(why.to_string())
            }
            Err(panic) => Err(panic.to_string()),
        }
    }
}

/// The router's way to other routers.
pub struct Others {
    pub me: NodeId,
    pub network: Network,
    pub member: Member,
}

impl Peers for Others {
    fn me(&self) -> NodeId {
        self.me
    }

    fn call(&self, to: NodeId, body: Bytes, deadline: Instant) -> BoxFuture<'static, Result<Bytes, PeerError>> {
        let network = self.network.clone();
        Box::pin(async move {
            network.call(to, kind::ROUTER, body, deadline).await.map_err(|error| match error {
                CallError::NotSent(why) => PeerError::NotSent(why),
                CallError::Lost(why) => PeerError::Lost(why),
                CallError::Refused(error) => PeerError::Refused(error),
                CallError::TimedOut => PeerError::TimedOut,
            })
        })
    }

    fn cut_off(&self) -> bool {
        self.member.cut_off(CUT_OFF)
    }
}

/// What consensus says to other nodes, and how its snapshots get there.
pub fn outward(network: &Network, member: &Member, runtime: tokio::runtime::Handle) -> cluster::node::Outward {
    let (raft, bulk, meta) = (network.clone(), network.clone(), member.meta());
    let of = meta.clone();
    let node_of = Arc::new(move |group, replica| of.borrow().topology.node_of(group, replica));
    let ship_to = node_of.clone();
    cluster::node::Outward {
        node_of,
        send: Arc::new(move |node, frame| raft.raft(node, frame)),
        ship: Arc::new(move |group, to, head, chunks, ended| {
            let Some(node) = ship_to(group, to) else { return ended(false) };
            let network = bulk.clone();
            runtime.spawn(async move {
                let urgent = group == wire::ids::GroupId::META;
                let sent = network.snapshot(node, head, urgent, chunks).await;
                if let Err(why) = &sent {
                    tracing::warn!(%group, %node, %why, "a snapshot did not arrive");
                }
                ended(sent.is_ok());
            });
        }),
    }
}
