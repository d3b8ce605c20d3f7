//! Nodes on loopback: real sockets, ports chosen by the system, and nobody watches a clock.

mod calls;
mod lanes;
mod refusals;
mod snapshots;
mod strangers;
mod trusted;

use super::dial::{self, Dial};
use super::shared::Limits;
use super::socket::Socket;
use super::{Book, Inbound, Me, Network};
use async_trait::async_trait;
use bytes::Bytes;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{interval, timeout};
use wire::error::Reason;
use wire::ids::{ClusterId, Incarnation, NodeId};

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(20);

const ECHO: u8 = 1;
const HANG: u8 = 2;
const REFUSE: u8 = 3;
const PANIC: u8 = 4;
/// Answers once the node's gate lets it.
const GATE: u8 = 5;
/// Answers with as many bytes as asked for.
const LONG: u8 = 6;

type Answer = Result<Bytes, super::CallError>;

const NO: Reason = Reason::forbidden("no");

/// How long a node's thread of lane 1 stands still when it gets a frame `stall`.
const STALL: Duration = Duration::from_millis(1500);

/// What reached a node.
#[derive(Debug, PartialEq)]
enum Event {
    Raft(NodeId, Bytes),
    Called(NodeId, u8),
    /// The call's handler was dropped before it was done.
    Dropped,
    /// A snapshot's head and first chunk are here.
    Begun(Bytes),
    Taken(Bytes, Vec<Bytes>),
    /// Its chunks ended without the last one.
    Cut(Bytes),
}

struct Told {
    events: mpsc::UnboundedSender<Event>,
    gate: Semaphore,
}

struct DropTells<'a>(Option<&'a Told>);

impl Drop for DropTells<'_> {
    fn drop(&mut self) {
        if let Some(told) = self.0 {
            told.tell(Event::Dropped);
        }
    }
}

impl Told {
    fn tell(&self, event: Event) {
        let _ = self.events.send(event);
    }
}

#[async_trait]
impl Inbound for Told {
    fn raft(&self, from: NodeId, frame: Bytes) {
        if frame == "stall" {
            // As if the process were stopped.
            let (_open, never) = std::sync::mpsc::channel::<()>();
            let _ = never.recv_timeout(STALL);
        }
        self.tell(Event::Raft(from, frame));
    }

    async fn call(&self, from: NodeId, kind: u8, body: Bytes, _: Duration) -> Result<Bytes, wire::Error> {
        self.tell(Event::Called(from, kind));
        let mut tells = DropTells(Some(self));
        match kind {
            HANG => std::future::pending().await,
            GATE => self.gate.acquire().await.expect("never closed").forget(),
            PANIC => panic!("as asked"),
            _ => {}
        }
        tells.0 = None;
        match kind {
            REFUSE => Err(NO.because("never").at("test.call")),
            LONG => Ok(vec![7; String::from_utf8_lossy(&body).parse().unwrap_or(0)].into()),
            _ => Ok(body),
        }
    }

    /// `end` is the last chunk; `bad` is not taken; `slow` waits at the gate before each chunk.
    async fn snapshot(&self, _: NodeId, head: Bytes, mut chunks: mpsc::Receiver<Bytes>) -> Result<(), String> {
        let mut taken = vec![];
        loop {
            if head.starts_with(b"slow") {
                self.gate.acquire().await.expect("never closed").forget();
            }
            let Some(chunk) = chunks.recv().await else { break };
            if taken.is_empty() {
                self.tell(Event::Begun(head.clone()));
            }
            match &chunk[..] {
                b"end" => {
                    self.tell(Event::Taken(head, taken));
                    return Ok(());
                }
                b"bad" => return Err("a bad chunk".into()),
                _ => taken.push(chunk),
            }
        }
        self.tell(Event::Cut(head));
        Err("cut".into())
    }
}

/// Where nodes are found, and how often their secrets were replaced.
#[derive(Clone, Default)]
struct Town(Arc<Mutex<BTreeMap<NodeId, String>>>, watch::Sender<u64>);

impl Town {
    fn book(&self) -> Book {
        let town = self.clone();
        Arc::new(move |node| town.0.lock().unwrap().get(&node).cloned())
    }

    fn set(&self, node: u64, address: impl ToString) {
        self.0.lock().unwrap().insert(NodeId(node), address.to_string());
    }

    fn address(&self, node: u64) -> String {
        self.0.lock().unwrap()[&NodeId(node)].clone()
    }
}

struct Node {
    id: NodeId,
    network: Network,
    told: Arc<Told>,
    events: mpsc::UnboundedReceiver<Event>,
    /// Its listener and the connections it accepted: gone with it.
    door: JoinSet<()>,
}

fn cluster() -> ClusterId {
    ClusterId([7; 16])
}

fn me(node: u64, life: u64) -> Me {
    Me { cluster: Some(cluster()), node: NodeId(node), incarnation: Incarnation(life) }
}

fn plain() -> Dial {
    Arc::new(|address| Box::pin(async move { Ok(Box::new(dial::connect(&address).await?) as Box<dyn Socket>) }))
}

impl Node {
    async fn start(town: &Town, me: Me, limits: Limits) -> Node {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        town.set(me.node.0, listener.local_addr().unwrap());
        Node::at(listener, town, me, limits)
    }

    fn at(listener: TcpListener, town: &Town, me: Me, limits: Limits) -> Node {
        let (tell, events) = mpsc::unbounded_channel();
        let told = Arc::new(Told { events: tell, gate: Semaphore::new(0) });
        let secrets = town.1.subscribe();
        let network = Network::start_with(me, plain(), secrets, town.book(), told.clone(), limits).unwrap();
        let (mut door, serving) = (JoinSet::new(), network.clone());
        door.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((tcp, peer)) = listener.accept().await {
                let network = serving.clone();
                connections.spawn(async move { network.serve(tcp, peer).await });
            }
        });
        Node { id: me.node, network, told, events, door }
    }

    async fn event(&mut self) -> Event {
        timeout(PATIENCE, self.events.recv()).await.expect("nothing came").expect("the node is there")
    }

    /// The call outlives the borrow, so that a test can look at the nodes while it is under way.
    fn call<B: Into<Bytes>>(&self, to: NodeId, kind: u8, body: B) -> impl Future<Output = Answer> + 'static + use<B> {
        let (network, body) = (self.network.clone(), body.into());
        async move { network.call(to, kind, body, soon()).await }
    }

    /// As a crash would: no goodbye, and nobody listens.
    async fn kill(mut self) {
        self.network.stop();
        self.door.shutdown().await;
    }
}

fn soon() -> Instant {
    Instant::now() + PATIENCE
}

async fn pair() -> (Town, Node, Node) {
    let town = Town::default();
    let one = Node::start(&town, me(1, 1), Limits::default()).await;
    let two = Node::start(&town, me(2, 1), Limits::default()).await;
    (town, one, two)
}

/// Waits until it is so.
async fn until(what: &str, mut so: impl FnMut() -> bool) {
    let looking = async {
        let mut look = interval(Duration::from_millis(2));
        while !so() {
            look.tick().await;
        }
    };
    timeout(PATIENCE, looking).await.unwrap_or_else(|_| panic!("never came about: {what}"));
}

fn anywhere() -> SocketAddr {
    ([127, 0, 0, 1], 1).into()
}
