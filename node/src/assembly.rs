//! How a node is put together: engines, consensus, network, meta, actors. The doors go in front of what comes out.

use crate::door::VERSION;
use crate::kept::{self, Kept};
use crate::peers::{Incoming, Others, outward};
use crate::status::NodeStatus;
use actors::machine::Me;
use actors::router::{GroupSeat, Router};
use cluster::consensus::Settings;
use cluster::gossip::Gossip;
use cluster::group::Group;
use cluster::member::{self, Member};
use cluster::meta::{self, Meta, NodeRow};
use cluster::node::threads::{self, OnFatal, Running};
use cluster::node::{Origin, Parts};
use cluster::topology::Topology;
use cluster::transport::{self, Network};
use cluster::trust::Keyring;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use storage::disk::Disk;
use storage::log::{Log, Options, Recovered};
use storage::state::Engine;
use wire::ids::{ClusterId, GroupId, Incarnation, NodeId, ReplicaId};

/// Log bytes kept in memory for one replica before its state is flushed and the log purged.
const WINDOW_BYTES_MAX: usize = 4 << 20;
/// A cluster of one answers from the start: it leads everything within this time, or says what is in the way.
const ALONE_WITHIN: Duration = Duration::from_secs(10);

/// What a node is put together from.
pub struct Materials {
    pub engine: Arc<dyn Engine>,
    pub disk: Arc<dyn Disk>,
    /// Where the cluster is kept as last known.
    pub folder: PathBuf,
    pub cluster: ClusterId,
    pub node: NodeId,
    pub incarnation: Incarnation,
    /// The folder was made just now: make the log too. Never otherwise: a log made anew has forgotten its votes.
    pub is_new: bool,
    /// The cluster as last known; `None` in a folder that founds one.
    pub kept: Option<Kept>,
    /// What callers show at every door of the cluster.
    pub token: String,
    /// Groups and replication of a cluster that is founded now.
    pub groups: u16,
    pub replication: u8,
    /// Addresses told to others.
    pub http: String,
    pub listen: String,
    pub zone: String,
    pub keyring: Keyring,
}

/// Both engines are there and agree; nothing runs yet.
pub struct Opened {
    materials: Materials,
    parts: Parts,
    started: Instant,
    random: StdRng,
}

/// A node that answers calls, doors aside.
pub struct Assembled {
    pub router: Router,
    pub status: Arc<NodeStatus>,
    pub network: Network,
    pub member: Member,
    running: Running,
    living: tokio::task::JoinHandle<()>,
}

/// Why a node does not start. Each sentence says what to do.
#[derive(Debug, thiserror::Error)]
pub enum AssemblyError {
    #[error("{0}")]
    Log(#[from] storage::log::OpenError),
    #[error("{0}")]
    Owner(#[from] storage::replica::OwnerError),
    #[error("{0}")]
    Parts(#[from] cluster::node::OpenError),
    #[error("{0}")]
    Meta(#[from] meta::MetaError),
    #[error("{0}")]
    Actors(#[from] actors::router::StartError),
    #[error("the network between nodes: {0}")]
    Network(std::io::Error),
    #[error("keeping what is known of the cluster: {0}")]
    Kept(std::io::Error),
}

impl AssemblyError {
    /// What this node's disks hold is damaged or gone; its peers may have it.
    pub fn is_damage(&self) -> bool {
        use cluster::node::OpenError;
        match self {
            AssemblyError::Log(error) => error.damage().is_some() || matches!(error, storage::log::OpenError::NoLog),
            AssemblyError::Parts(OpenError::State(error)) => error.is_damage(),
            AssemblyError::Parts(OpenError::Damage(_) | OpenError::StateLost | OpenError::LogLost(_)) => true,
            // Written by a newer program, perhaps: that one reads it.
            AssemblyError::Parts(OpenError::Members(..)) => false,
            AssemblyError::Owner(storage::replica::OwnerError::Rows(error)) => error.is_damage(),
            _ => false,
        }
    }
}

impl Opened {
    /// Recovers what the engines hold, or founds a cluster of one in them. When it returns the founding is on disk.
    pub fn new(materials: Materials) -> Result<Opened, AssemblyError> {
        let mut random = StdRng::from_os_rng();
        // Before the log is opened, which writes to it.
        storage::replica::claim(&*materials.engine, materials.cluster, materials.node, materials.is_new)?;
        let (log, recovered) = open_log(&materials, random.random())?;
        report(&recovered);
        let settings = Settings {
            boot: materials.incarnation.0,
            seed: random.random(),
            window_bytes_max: WINDOW_BYTES_MAX,
            ..Settings::default()
        };
        let started = Instant::now();
        let origin = match &materials.kept {
            Some(kept) => Origin::Joined(kept.meta.topology.groups),
            None if materials.is_new => Origin::Founded(materials.groups),
            // Founded, and stopped before that was kept: all of it is there, or it is a loss.
            None => Origin::Joined(0),
        };
        let parts = Parts::open_as(origin, materials.engine.clone(), log, recovered, settings, started.elapsed())?;
        Ok(Opened { materials, parts, started, random })
    }

    /// Starts threads, network and actors. Returns at once when there are other nodes to find; alone, once everything is
    /// led and applied here.
    pub async fn start(
        self,
        services: Vec<sdk::Service>,
        gossip: Arc<OnceLock<Gossip>>,
        on_fatal: OnFatal,
    ) -> Result<Assembled, AssemblyError> {
        let Opened { materials, parts, started, mut random } = self;
        let me = materials.row();
        let running = threads::start(parts, materials.engine.clone(), started, on_fatal);
        let kept = match materials.kept.clone() {
            Some(kept) => kept,
            None => {
                let meta = found(&running, &me, &materials, &mut random).await?;
                let kept = Kept { floor: ReplicaId(0), lost: false, meta };
                kept::save(&materials.folder, &materials.keyring, &kept).map_err(AssemblyError::Kept)?;
                kept
            }
        };
        let incoming = Arc::new(Incoming::default());
        let _ = incoming.ask.set(running.ask.clone());
        let _ = incoming.receiver.set(running.receiver.clone());
        let known: Arc<OnceLock<Member>> = Arc::default();
        let network =
            materials.network(incoming.clone(), known.clone(), gossip.clone()).map_err(AssemblyError::Network)?;
        let alone = kept.meta.nodes.iter().all(|row| row.node == materials.node);
        let member = Member::new(materials.member(kept, me), &running, network.clone());
        let _ = (known.set(member.clone()), incoming.member.set(member.clone()));
        let _ = running.way.set(outward(&network, &member, tokio::runtime::Handle::current()));
        let living = tokio::spawn(member.clone().run());
        if alone {
            wait_alone(&running, &member).await;
        }
        let Materials { node, incarnation, .. } = materials;
        let others = Others { me: node, network: network.clone(), member: member.clone() };
        let me = Me { node, incarnation };
        let router = Router::start(services, seats(&running), member.meta(), Arc::new(others), me).await?;
        let _ = incoming.router.set(router.clone());
        let status = NodeStatus {
            cluster: materials.cluster,
            node: materials.node,
            engine: materials.engine,
            handles: running.handles.clone(),
            slots: running.slots.clone(),
            log: running.log_counters.clone(),
            member: member.clone(),
            network: network.clone(),
            gossip,
        };
        Ok(Assembled { router, status: Arc::new(status), network, member, running, living })
    }
}

impl Assembled {
    /// Lets actors and threads finish what they have, then closes the engines. Doors are closed before.
    pub fn stop(self) {
        self.router.stop();
        self.living.abort();
        self.network.stop();
        drop((self.status, self.member));
        self.running.stop();
    }
}

impl Materials {
    fn row(&self) -> NodeRow {
        NodeRow {
            node: self.node,
            incarnation: self.incarnation,
            listen: self.listen.clone(),
            http: self.http.clone(),
            version: VERSION.into(),
            zone: self.zone.clone(),
        }
    }

    fn member(&self, kept: Kept, me: NodeRow) -> member::Parts {
        let (folder, keyring, floor) = (self.folder.clone(), self.keyring.clone(), kept.floor);
        member::Parts {
            cluster: self.cluster,
            me,
            floor,
            engine: self.engine.clone(),
            token: self.token.clone(),
            meta: Arc::new(kept.meta),
            save: Box::new(move |meta| kept::save(&folder, &keyring, &Kept { floor, lost: false, meta: meta.clone() })),
        }
    }

    fn network(
        &self,
        incoming: Arc<Incoming>,
        known: Arc<OnceLock<Member>>,
        gossip: Arc<OnceLock<Gossip>>,
    ) -> std::io::Result<Network> {
        let me = transport::Me { cluster: Some(self.cluster), node: self.node, incarnation: self.incarnation };
        // Gossip hears of a new address before meta can be told of it: all nodes may have moved.
        let book = Arc::new(move |node: NodeId| {
            let seen = gossip.get().and_then(|gossip| gossip.seen().into_iter().find(|s| s.member.node == node));
            let row = known.get().and_then(|member| member.meta().borrow().node(node).cloned());
            match (seen, row) {
                (Some(seen), Some(row)) if seen.member.incarnation < row.incarnation => Some(row.listen),
                (Some(seen), _) => Some(seen.member.listen),
                (None, row) => row.map(|row| row.listen),
            }
        });
        Network::start(me, self.keyring.clone(), book, incoming)
    }
}

fn open_log(materials: &Materials, log_id: u64) -> Result<(Log, Recovered), storage::log::OpenError> {
    let options = Options::new(materials.cluster, materials.node);
    let options = if materials.is_new { options.create(log_id) } else { options };
    Log::open(materials.disk.clone(), &options)
}

fn report(recovered: &Recovered) {
    if let Some(torn) = &recovered.torn {
        tracing::info!(?torn, "the log's last batch was torn by a crash and cut: nobody had been told of it");
    }
}

async fn found(
    running: &Running,
    me: &NodeRow,
    materials: &Materials,
    random: &mut StdRng,
) -> Result<Meta, meta::MetaError> {
    let missing = || meta::MetaError::Missing("replica here");
    let group = running.handles.get(&GroupId::META).ok_or_else(missing)?;
    let store = running.stores.get(&GroupId::META).ok_or_else(missing)?;
    let now_ns = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos() as i64;
    let topology =
        Topology { replication: materials.replication, ..Topology::founded(materials.node, materials.groups) };
    meta::found(group, store, me, topology, random.random(), random.random(), now_ns).await
}

/// Whoever starts a node alone finds it answering. If others joined meanwhile, this is no longer the point.
async fn wait_alone(running: &Running, member: &Member) {
    let mut registered = member.registered();
    let all = async {
        let _ = registered.wait_for(Result::is_ok).await;
        for handle in running.handles.values() {
            while meta::caught_up(handle).await.is_err() && handle.leader().is_none() {
                tokio::task::yield_now().await;
            }
        }
    };
    if tokio::time::timeout(ALONE_WITHIN, all).await.is_err() {
        tracing::warn!(waits = ?*member.registered().borrow(), "this node does not lead all of its groups yet");
    }
}

fn seats(running: &Running) -> BTreeMap<GroupId, GroupSeat> {
    let seat = |(group, handle): (&GroupId, &cluster::node::Handle)| {
        let rows = running.slots.get(group)?.clone();
        let handle: Arc<dyn Group> = Arc::new(handle.clone());
        Some((*group, GroupSeat { handle, rows }))
    };
    running.handles.iter().filter_map(seat).collect()
}
