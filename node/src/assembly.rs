//! How a node is put together: engines, consensus, meta, actors. The doors go in front of what comes out.

use crate::door::{Status, VERSION};
use actors::machine::Me;
use actors::router::{GroupSeat, Router};
use cluster::consensus::Settings;
use cluster::group::Group;
use cluster::meta::{self, Meta, NodeRow};
use cluster::node::threads::{self, OnFatal, Running};
use cluster::node::{Handle, Parts};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};
use storage::disk::Disk;
use storage::log::{Counters, Log, Options, Recovered};
use storage::replica::ReplicaStore;
use storage::state::Engine;
use wire::ids::{ClusterId, GroupId, Incarnation, NodeId};

/// Log bytes kept in memory for one replica before its state is flushed and the log purged.
const WINDOW_BYTES_MAX: usize = 4 << 20;

/// What a node is put together from.
pub struct Materials {
    pub engine: Arc<dyn Engine>,
    pub disk: Arc<dyn Disk>,
    pub cluster: ClusterId,
    pub node: NodeId,
    pub incarnation: Incarnation,
    /// The folder was made just now: make the log too. Never otherwise: a log made anew has forgotten its votes.
    pub is_new: bool,
    /// Groups of a cluster that is founded now.
    pub groups: u16,
    /// Addresses told to others.
    pub http: String,
    pub listen: String,
    pub zone: String,
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
    running: Running,
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
        let parts =
            Parts::open(materials.engine.clone(), log, recovered, materials.groups, settings, started.elapsed())?;
        Ok(Opened { materials, parts, started, random })
    }

    /// Starts the threads, registers with meta and starts the actors; returns once every group is led and has applied all it had.
    pub async fn start(self, services: Vec<sdk::Service>, on_fatal: OnFatal) -> Result<Assembled, AssemblyError> {
        let Opened { materials, parts, started, mut random } = self;
        let Materials { node, incarnation, .. } = materials;
        let running = threads::start(parts, materials.engine.clone(), started, on_fatal);
        let me = NodeRow {
            node: materials.node,
            incarnation: materials.incarnation,
            listen: materials.listen,
            http: materials.http,
            version: VERSION.into(),
            zone: materials.zone,
        };
        let meta = register(&running, &me, materials.groups, &mut random).await?;
        for handle in running.handles.values() {
            meta::caught_up(handle).await?;
        }
        let router = Router::start(services, seats(&running), meta, Me { node, incarnation }).await?;
        let status = NodeStatus {
            cluster: materials.cluster,
            node: materials.node,
            engine: materials.engine,
            handles: running.handles.clone(),
            stores: running.stores.clone(),
            log: running.log_counters.clone(),
            router: router.clone(),
        };
        Ok(Assembled { router, status: Arc::new(status), running })
    }
}

impl Assembled {
    /// Lets actors and threads finish what they have, then closes the engines. Doors are closed before.
    pub fn stop(self) {
        self.router.stop();
        drop(self.status);
        self.running.stop();
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

async fn register(running: &Running, me: &NodeRow, groups: u16, random: &mut StdRng) -> Result<Meta, meta::MetaError> {
    let missing = || meta::MetaError::Missing("replica here");
    let group = running.handles.get(&GroupId::META).ok_or_else(missing)?;
    let store = running.stores.get(&GroupId::META).ok_or_else(missing)?;
    let now_ns = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos() as i64;
    meta::register(group, store, me, groups, random.random(), random.random(), now_ns).await
}

fn seats(running: &Running) -> BTreeMap<GroupId, GroupSeat> {
    let seat = |(group, store): (&GroupId, &ReplicaStore)| {
        let handle: Arc<dyn Group> = Arc::new(running.handles.get(group)?.clone());
        Some((*group, GroupSeat { handle, store: store.clone() }))
    };
    running.stores.iter().filter_map(seat).collect()
}

/// What `GET /status` tells.
pub struct NodeStatus {
    cluster: ClusterId,
    node: NodeId,
    engine: Arc<dyn Engine>,
    handles: BTreeMap<GroupId, Handle>,
    stores: BTreeMap<GroupId, ReplicaStore>,
    log: Arc<Mutex<Counters>>,
    router: Router,
}

impl Status for NodeStatus {
    fn status(&self) -> Value {
        let meta = self.router.meta();
        let led = |node: NodeId| {
            if node == self.node { self.handles.values().filter(|h| h.leading().is_some()).count() } else { 0 }
        };
        let nodes = meta.nodes.iter().map(|row| {
            let replicas = meta.topology.placed.iter().filter(|placed| placed.node == row.node).count();
            let state = if row.node == self.node { "alive" } else { "unknown" };
            json!({
                "id": row.node.0, "listen": row.listen, "http": row.http, "state": state, "incarnation": row.incarnation.0,
                "version": row.version, "zone": row.zone, "groups_led": led(row.node), "replicas": replicas,
            })
        });
        let nodes: Vec<_> = nodes.collect();
        let engine = self.engine.stats();
        let log = *self.log.lock().unwrap_or_else(PoisonError::into_inner);
        json!({
            "cluster_id": self.cluster.to_string(),
            "version": VERSION,
            "topology_version": meta.topology.version,
            "nodes": nodes,
            "groups": self.stores.iter().map(|(group, store)| self.group(*group, store)).collect::<Vec<_>>(),
            "tolerates_failures": 0,
            "rows": engine.rows,
            "log": json!({ "syncs": log.syncs, "entries": log.entries, "bytes": log.bytes }),
        })
    }

    fn ready(&self) -> Result<(), String> {
        match self.handles.iter().find(|(_, handle)| handle.leading().is_none()) {
            Some((group, _)) => Err(format!("group {group} has no leader here")),
            None => Ok(()),
        }
    }
}

impl NodeStatus {
    fn group(&self, group: GroupId, store: &ReplicaStore) -> Value {
        let leader = self.handles.get(&group).and_then(|handle| handle.leading()).map(|_| self.node.0);
        let state = store.state();
        let conf = cluster::node::members(&state).map(|(_, conf)| conf).unwrap_or_default();
        let ids = |replicas: &[wire::ids::ReplicaId]| replicas.iter().map(|replica| replica.0).collect::<Vec<_>>();
        json!({
            "id": group.0, "leader": leader, "voters": ids(&conf.voters), "learners": ids(&conf.learners), "applied": state.applied.0,
        })
    }
}
