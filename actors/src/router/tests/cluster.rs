//! Several routers over the same groups, and a network between them that does as it is told.
//!
//! Underneath is a real node of one; in front of it stands who leads what, and what each router knows of that.

use super::rig::{GROUPS, Ground, Rig, node_row};
use crate::call::{Answer, Call, Dispatch};
use crate::kit;
use crate::machine::Me;
use crate::peers::{PeerError, Peers};
use crate::router::{GroupSeat, Patience, Router};
use bytes::Bytes;
use cluster::entry::Entry;
use cluster::group::{Done, Group, NotLeading, ReadDone, Settled};
use cluster::meta::Meta;
use cluster::node::{Handle, Slot};
use cluster::topology::{Placed, Stage};
use futures::future::BoxFuture;
use sdk::{Error, Request, Service};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};
use tokio::sync::watch;
use wire::ids::{GroupId, Incarnation, NodeId, ReplicaId, Term};
use wire::rpc::RequestId;

/// What becomes of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Arrives,
    /// It never leaves.
    NotSent,
    /// It is sent, does not arrive, and the link breaks.
    Lost,
    /// It arrives, and the answer does not.
    AnswerLost,
    /// It arrives when its time is over.
    Late,
    /// Nothing comes, ever.
    Swallowed,
}

/// Who leads what.
#[derive(Default)]
pub struct Scene {
    /// Leader and term of each group.
    led: BTreeMap<GroupId, (Option<NodeId>, u64)>,
    /// Nodes whose replicas know no leader.
    blind: BTreeSet<NodeId>,
    cut_off: BTreeSet<NodeId>,
    /// The fates of the next messages to a node; when there are none left they arrive.
    fates: BTreeMap<NodeId, VecDeque<Fate>>,
    /// From and to of every message.
    pub sent: Vec<(u64, u64)>,
}

type Shared = Arc<Mutex<Scene>>;

pub struct Cluster {
    pub routers: BTreeMap<u64, Router>,
    pub scene: Shared,
    pub meta: watch::Sender<Arc<Meta>>,
    pub ground: Option<Ground>,
}

/// A replica's id, as the topology of the tests has it.
fn replica(group: GroupId, node: u64) -> ReplicaId {
    ReplicaId(group.0 * 10 + node)
}

/// A group as one node sees it.
struct Seen {
    node: NodeId,
    below: Handle,
    scene: Shared,
    has_replica: bool,
}

impl Seen {
    fn led(&self) -> (Option<NodeId>, u64) {
        self.scene.lock().unwrap().led.get(&self.below.id()).copied().unwrap_or_default()
    }
}

impl Group for Seen {
    fn id(&self) -> GroupId {
        self.below.id()
    }
    fn leading(&self) -> Option<Term> {
        let (leader, term) = self.led();
        (leader == Some(self.node)).then_some(Term(term))
    }
    fn leader(&self) -> Option<ReplicaId> {
        let blind = self.scene.lock().unwrap().blind.contains(&self.node) || !self.has_replica;
        self.led().0.filter(|_| !blind).map(|leader| replica(self.id(), leader.0))
    }
    fn sole(&self) -> Option<Term> {
        None
    }
    fn propose(&self, term: Term, entry: Entry, done: Done) {
        match self.below.leading().filter(|_| self.leading() == Some(term)) {
            Some(below) => self.below.propose(below, entry, done),
            None => done(Settled::NotRun),
        }
    }
    fn read(&self, done: ReadDone) {
        let scene = self.scene.lock().unwrap();
        let knows = self.has_replica && !scene.blind.contains(&self.node) && !scene.cut_off.contains(&self.node);
        drop(scene);
        if knows && self.led().0.is_some() { self.below.read(done) } else { done(Err(NotLeading)) }
    }
}

/// The network, as one node has it.
struct Net {
    me: NodeId,
    scene: Shared,
    routers: Arc<OnceLock<BTreeMap<u64, Router>>>,
}

impl Peers for Net {
    fn me(&self) -> NodeId {
        self.me
    }

    fn call(&self, to: NodeId, body: Bytes, deadline: Instant) -> BoxFuture<'static, Result<Bytes, PeerError>> {
        let Some(router) = self.routers.get().and_then(|routers| routers.get(&to.0)).cloned() else {
            return Box::pin(async { Err(PeerError::NotSent("not started yet".into())) });
        };
        let fate = {
            let mut scene = self.scene.lock().unwrap();
            scene.sent.push((self.me.0, to.0));
            scene.fates.get_mut(&to).and_then(VecDeque::pop_front).unwrap_or(Fate::Arrives)
        };
        let time_left = match fate {
            Fate::Late => Duration::ZERO,
            _ => deadline.saturating_duration_since(Instant::now()),
        };
        let answer = router.remote(self.me, body, time_left);
        Box::pin(async move {
            match fate {
                Fate::NotSent => Err(PeerError::NotSent("refused".into())),
                Fate::Lost => Err(PeerError::Lost("reset".into())),
                Fate::AnswerLost => {
                    answer.await.map_err(PeerError::Refused)?;
                    Err(PeerError::Lost("reset".into()))
                }
                Fate::Swallowed => match tokio::time::timeout_at(deadline.into(), std::future::pending()).await {
                    Ok(never) => never,
                    Err(_) => Err(PeerError::TimedOut),
                },
                Fate::Arrives | Fate::Late => match tokio::time::timeout_at(deadline.into(), answer).await {
                    Ok(answer) => answer.map_err(PeerError::Refused),
                    Err(_) => Err(PeerError::TimedOut),
                },
            }
        })
    }

    fn cut_off(&self) -> bool {
        self.scene.lock().unwrap().cut_off.contains(&self.me)
    }
}

impl Cluster {
    /// Three nodes with replicas of everything; the first leads it all.
    pub async fn start() -> Cluster {
        Cluster::of(|_, _| true, |_| kit::service()).await
    }

    /// `holds`: has the node a replica of the group? `service`: the node's program.
    pub async fn of(holds: impl Fn(u64, GroupId) -> bool, service: impl Fn(u64) -> Service) -> Cluster {
        let ground = Ground::new().await;
        let mut meta = ground.meta.clone();
        meta.nodes = (1..=3).map(node_row).collect();
        let all = (0..=u64::from(GROUPS)).map(GroupId);
        let pairs = all.clone().flat_map(|group| (1..=3).map(move |node| (group, node)));
        let place =
            |(group, node)| Placed { group, replica: replica(group, node), node: NodeId(node), stage: Stage::Here };
        meta.topology.placed = pairs.filter(|(group, node)| holds(*node, *group)).map(place).collect();
        let (meta, watched) = watch::channel(Arc::new(meta));
        let scene = Shared::default();
        scene.lock().unwrap().led = all.clone().map(|group| (group, (Some(NodeId(1)), 1))).collect();
        let (mut routers, shared) = (BTreeMap::new(), Arc::new(OnceLock::new()));
        for node in 1..=3 {
            let groups = all.clone().map(|group| {
                let has_replica = holds(node, group);
                let (below, scene) = (ground.running.handles[&group].clone(), scene.clone());
                let handle = Arc::new(Seen { node: NodeId(node), below, scene, has_replica });
                let rows = if has_replica { ground.running.slots[&group].clone() } else { Arc::new(Slot::default()) };
                (group, GroupSeat { handle: handle as Arc<dyn Group>, rows })
            });
            // Worker numbers are another test's: only the first node, which leads meta, has one.
            let groups = groups.filter(|(group, _)| node == 1 || *group != GroupId::META).collect();
            let net = Net { me: NodeId(node), scene: scene.clone(), routers: shared.clone() };
            let me = Me { node: NodeId(node), incarnation: Incarnation(1) };
            let (service, watched) = (vec![service(node)], watched.clone());
            let patience = Patience::default();
            let router = Router::start_with(service, groups, watched, Arc::new(net), me, patience).await.unwrap();
            routers.insert(node, router);
        }
        assert!(shared.set(routers.clone()).is_ok());
        // Before anybody else leads, so that it is not asked for between the messages counted here.
        let give_up = Instant::now() + Duration::from_secs(20);
        while routers[&1].inner.here.worker().is_err() {
            assert!(Instant::now() < give_up, "no worker number");
            tokio::task::yield_now().await;
        }
        Cluster { routers, scene, meta, ground: Some(ground) }
    }

    /// `node` leads every group from now on, in a new term; 0 = nobody does.
    pub fn lead(&self, node: u64) {
        self.lead_some(node, |_| true);
    }

    pub fn lead_some(&self, node: u64, which: impl Fn(GroupId) -> bool) {
        let mut scene = self.scene.lock().unwrap();
        for (_, led) in scene.led.iter_mut().filter(|(group, _)| which(**group)) {
            *led = (Some(NodeId(node)).filter(|_| node != 0), led.1 + 1);
        }
    }

    /// The replicas of `node` know no leader.
    pub fn blind(&self, node: u64) {
        self.scene.lock().unwrap().blind.insert(NodeId(node));
    }

    pub fn cut_off(&self, node: u64) {
        self.scene.lock().unwrap().cut_off.insert(NodeId(node));
    }

    /// What becomes of the next messages to `node`.
    pub fn next(&self, node: u64, fates: impl IntoIterator<Item = Fate>) {
        self.scene.lock().unwrap().fates.insert(NodeId(node), fates.into_iter().collect());
    }

    /// The messages since this was last asked.
    pub fn sent(&self) -> Vec<(u64, u64)> {
        std::mem::take(&mut self.scene.lock().unwrap().sent)
    }

    /// Waits until `count` messages were sent.
    pub async fn sent_at_least(&self, count: usize) {
        let give_up = Instant::now() + Duration::from_secs(20);
        while self.scene.lock().unwrap().sent.len() < count {
            assert!(Instant::now() < give_up, "it never came to it");
            tokio::task::yield_now().await;
        }
    }

    pub async fn at<R: Request>(&self, node: u64, request: R) -> Result<R::Response, Error> {
        self.send::<R>(node, Rig::call_of("alice", &request, RequestId::None)).await
    }

    pub async fn once_at<R: Request>(&self, node: u64, request: R, id: &str) -> Result<R::Response, Error> {
        self.send::<R>(node, Rig::call_of("alice", &request, RequestId::Caller(id.into()))).await
    }

    pub async fn send<R: Request>(&self, node: u64, call: Call) -> Result<R::Response, Error> {
        match self.routers[&node].call(call).await? {
            Answer::Reply(bytes) => wire::endpoint::decode(&bytes),
            Answer::Stale(_) | Answer::Items(_) => panic!("something else where a reply was due"),
        }
    }

    /// What a read that may be behind says.
    pub async fn stale_at<R: Request>(&self, node: u64, request: R) -> Result<R::Response, Error> {
        let call = Call { stale_ok: true, ..Rig::call_of("alice", &request, RequestId::None) };
        match self.routers[&node].call(call).await? {
            Answer::Stale(bytes) => wire::endpoint::decode(&bytes),
            Answer::Reply(_) | Answer::Items(_) => panic!("not marked as stale"),
        }
    }

    pub async fn count(&self, node: u64, entity: &str) -> i64 {
        self.at(node, kit::CountRequest { entity: entity.into() }).await.unwrap().count
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.routers.values().for_each(Router::stop);
        if let Some(Ground { running, syncs, .. }) = self.ground.take() {
            syncs.open();
            running.stop();
        }
    }
}
