//! `commons start`: from a data folder to a node that answers, and back to an exit code.

use crate::assembly::{Assembled, AssemblyError, Materials, Opened};
use crate::damage;
use crate::door::{Access, Catalogue, Doors, Gate, Identity, stop, token};
use crate::joining::{self, Joined};
use crate::kept::{self, Kept, KeptError};
use crate::{http, open_files, rpc, twins};
use cluster::gossip::{self, Gossip};
use cluster::member::Member;
use cluster::node::threads::OnFatal;
use cluster::trust::{Keyring, file as secrets};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};
use storage::disk::RealDisk;
use storage::folder::{Folder, FolderError};
use storage::state::rocks::{Presence, Rocks, Settings};
use tokio::net::TcpListener;
use wire::ids::{ClusterId, NodeId};

/// The account everybody acts for until there are accounts.
pub const ACCOUNT: &str = "local";

/// What a node is told when it starts.
#[derive(Clone, Debug)]
pub struct Start {
    pub data: PathBuf,
    pub http: SocketAddr,
    pub listen: SocketAddr,
    /// Where others reach `listen`, if not there.
    pub advertise: Option<String>,
    /// Groups of a cluster that is founded now.
    pub groups: u16,
    /// Replicas of each group in a cluster that is founded now, once it has as many nodes.
    pub replication: u8,
    /// Told to the registry; placement goes by it.
    pub zone: String,
    /// Nodes of the cluster to join. Whoever has any never founds one.
    pub join: Vec<String>,
    /// The cluster's secret, if not the one in the folder.
    pub secret_file: Option<PathBuf>,
    pub access: Mode,
}

/// Who may call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Whoever shows the token in `DIR/token` (P23).
    Token,
    /// Dev mode: on loopback, without a token (P21).
    Dev,
}

/// Why the node did not start or did not stop well. Each sentence says what to do.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("{0}")]
    Folder(#[from] FolderError),
    #[error("{0}")]
    State(#[from] storage::state::rocks::OpenError),
    #[error("the log's folder {}: {error}", folder.display())]
    LogFolder { folder: PathBuf, error: std::io::Error },
    #[error("{0}")]
    Assembly(#[from] AssemblyError),
    #[error(
        "cannot listen on {0} ({1}): is another node or program there? Give this one other addresses with --http and --listen"
    )]
    Listen(SocketAddr, std::io::Error),
    #[error("dev mode answers without a token, so it listens on loopback only: {0} is none")]
    NotLoopback(SocketAddr),
    #[error(
        "--listen {0} is every address of this machine: say with --advertise HOST:PORT which of them others reach it at"
    )]
    Unreachable(SocketAddr),
    #[error("{} is nobody's data folder yet: there is nothing to repair", .0.display())]
    NoNode(PathBuf),
    #[error("{0}")]
    Secret(#[from] secrets::FileError),
    #[error("{0}")]
    Trust(#[from] cluster::trust::TrustError),
    #[error("{0}")]
    Kept(#[from] KeptError),
    #[error("{} is missing: it says which cluster this node belongs to. Put it back, or join with an empty folder as a new node", .0.display())]
    KeptLost(PathBuf),
    #[error("{0}")]
    Joining(#[from] joining::Refused),
    #[error(
        "{node} runs at {elsewhere} right now: this folder is a copy of its folder. Delete the copy, and join with an empty folder as a new node"
    )]
    Twin { node: NodeId, elsewhere: String },
    #[error("gossip: {0}")]
    Gossip(#[from] gossip::GossipError),
    #[error("{0}: {1}")]
    File(&'static str, std::io::Error),
}

/// Runs a node until `stop` says so; then lets calls under way finish and closes.
pub async fn run(
    start: Start,
    stop: stop::Stop,
    ready: impl FnOnce(&Doors) + Send + 'static,
) -> Result<(), StartError> {
    if start.access == Mode::Dev
        && let Some(open) = [start.http, start.listen].into_iter().find(|address| !address.ip().is_loopback())
    {
        return Err(StartError::NotLoopback(open));
    }
    if start.advertise.is_none() && start.listen.ip().is_unspecified() {
        return Err(StartError::Unreachable(start.listen));
    }
    open_files::raise();
    let mut folder = Folder::open(&start.data)?;
    let keyring = keyring(&start, folder.identity().is_some())?;
    // What an earlier try to join may have left in a folder that is still nobody's counts for nothing.
    let kept = if folder.identity().is_some() { kept::load(&start.data, &keyring)? } else { None };
    // Before the engines: a node that cannot be reached need not be opened.
    let http_listener = listen(start.http).await?;
    let rpc_listener = listen(start.listen).await?;
    let listens = rpc_listener.local_addr().map_err(|e| StartError::Listen(start.listen, e))?;
    let start = Start { listen: listens, ..start };
    write_pid(&start.data).map_err(|e| StartError::File("the pid file", e))?;
    let kept = settle(&mut folder, kept, &start, &keyring, stop.clone()).await?;
    if folder.identity().is_none() {
        // Stopped before it was let in.
        return Ok(());
    }
    let token = token::load_or_create(&start.data).map_err(|e| StartError::File("the token", e))?;
    if let Some(identity) = folder.identity() {
        twins::refuse(identity, kept.as_ref(), &advertised(&start), &keyring).await?;
    }
    let Some((folder, opened)) = open_or_replace(folder, &start, kept, &keyring, &token, stop.clone()).await? else {
        return Ok(());
    };
    let identity = folder.identity().expect("a node has settled").clone();
    let catalogue = services::all();
    let gossip: Arc<OnceLock<Gossip>> = Arc::default();
    let node = opened.start(catalogue.clone(), gossip.clone(), on_fatal(&start.data)).await?;
    begin_gossip(&start, &identity, &node.member, &keyring, &gossip)?;
    tokio::spawn(twins::watch(start.clone(), gossip.clone()));
    let access = match start.access {
        Mode::Token => Access::with_token(&token, ACCOUNT),
        Mode::Dev => Access::dev(&token, ACCOUNT),
    };
    let doors = Arc::new(Doors {
        identity: Identity { cluster: identity.cluster, node: identity.node },
        catalogue: Catalogue::new(&catalogue),
        access,
        gate: Gate::usual(),
        dispatch: Arc::new(node.router.clone()),
        status: node.status.clone(),
    });
    let watching = tokio::spawn(watch(doors.clone(), node.member.clone(), gossip.clone(), ready));
    let trust = trust(keyring, &node);
    let served = tokio::join!(
        http::serve(http_listener, doors.clone(), stop.clone()),
        rpc::serve_with(rpc_listener, doors, rpc::Limits::default(), Some(trust), stop)
    );
    watching.abort();
    tracing::info!("calls are answered; closing the engines");
    tokio::task::spawn_blocking(move || node.stop())
        .await
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()));
    if let Some(gossip) = Arc::into_inner(gossip).and_then(OnceLock::into_inner) {
        gossip.stop();
    }
    drop(folder);
    served.0.and(served.1).map_err(|e| StartError::File("a door", e))
}

/// The cluster's secret: made by whoever founds a cluster, given to everybody else.
fn keyring(start: &Start, settled: bool) -> Result<Keyring, StartError> {
    let fresh = match settled || !start.join.is_empty() {
        true => secrets::Fresh::MustExist,
        false => secrets::Fresh::MayCreate,
    };
    if let Some(given) = start.secret_file.as_ref().filter(|_| !settled) {
        // Nobody's folder yet: what an earlier try left there may be the wrong one.
        secrets::save(&start.data.join(secrets::FILE), &secrets::load(given)?)?;
    }
    let secrets = secrets::settle(&start.data, start.secret_file.as_deref(), fresh)?;
    Ok(secrets.keyring()?)
}

/// Gives an empty folder its node: the first of a new cluster, or one more of a cluster that is there.
async fn settle(
    folder: &mut Folder,
    kept: Option<Kept>,
    start: &Start,
    keyring: &Keyring,
    mut stop: stop::Stop,
) -> Result<Option<Kept>, StartError> {
    if folder.identity().is_some() {
        // A folder that is a node's ignores --join: it only ever is that node.
        return Ok(kept);
    }
    if start.join.is_empty() {
        folder.settle(ClusterId(StdRng::from_os_rng().random()), NodeId(1))?;
        return Ok(None);
    }
    let joined = tokio::select! {
        biased;
        () = stop.wait() => return Ok(None),
        joined = joining::join(&start.join, keyring) => joined?,
    };
    let Joined { cluster, node, meta, token } = joined;
    tracing::info!(%cluster, %node, "let into the cluster");
    let kept = Kept { floor: meta.topology.next_replica, lost: false, meta };
    // One key opens every door of a cluster.
    token::adopt(&start.data, &token).map_err(|e| StartError::File("the token", e))?;
    // Before the identity: whoever has one knows its cluster.
    kept::save(&start.data, keyring, &kept).map_err(|e| StartError::File("what is known of the cluster", e))?;
    folder.settle(cluster, node)?;
    Ok(Some(kept))
}

/// Opens the folder. One whose engines are damaged, in a cluster of several, is set aside: its peers have what it had,
/// and the cluster gives it new replicas (P17). `None`: stopped while it waited for that.
async fn open_or_replace(
    mut folder: Folder,
    start: &Start,
    mut kept: Option<Kept>,
    keyring: &Keyring,
    token: &str,
    mut stop: stop::Stop,
) -> Result<Option<(Folder, Opened)>, StartError> {
    if let Some(reason) = damage::noted(&start.data)
        && let Some(kept) = kept.as_mut().filter(|kept| kept.meta.nodes.len() > 1)
    {
        tracing::error!(%reason, "this node stopped because what it holds is damaged");
        kept.lost = true;
    }
    loop {
        if let Some(before) = kept.as_ref().filter(|kept| kept.lost) {
            kept = tokio::select! {
                biased;
                () = stop.wait() => return Ok(None),
                replaced = damage::replace(&mut folder, before, start, keyring) => Some(replaced?),
            };
        }
        let opening = tokio::task::spawn_blocking({
            let (start, keyring, kept, token) = (start.clone(), keyring.clone(), kept.clone(), token.to_string());
            move || {
                let opened = open(&mut folder, &start, kept, keyring, token);
                (folder, opened)
            }
        });
        let (back, opened) = opening.await.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()));
        folder = back;
        match (opened, kept.as_mut()) {
            (Ok(opened), _) => {
                damage::forget(&start.data);
                return Ok(Some((folder, opened)));
            }
            (Err(error), Some(kept)) if error.is_damage() && kept.meta.nodes.len() > 1 => {
                tracing::error!(%error, "what this node holds is damaged; the others have it");
                kept.lost = true;
            }
            (Err(error), _) => return Err(error),
        }
    }
}

fn open(
    folder: &mut Folder,
    start: &Start,
    kept: Option<Kept>,
    keyring: Keyring,
    token: String,
) -> Result<Opened, StartError> {
    let identity = folder.identity().expect("settled above").clone();
    if kept.is_none() && identity.node != NodeId(1) {
        // Only the founder has ever been without: anybody else would take an empty folder for a new cluster.
        return Err(StartError::KeptLost(start.data.join(kept::FILE)));
    }
    let presence = if identity.complete { Presence::MustExist } else { Presence::MayCreate };
    let engine = Arc::new(Rocks::open(&folder.state(), presence, &Settings::default())?);
    let disk = RealDisk::open(folder.log()).map_err(|error| StartError::LogFolder { folder: folder.log(), error })?;
    let opened = Opened::new(Materials {
        engine,
        disk: Arc::new(disk),
        folder: start.data.clone(),
        cluster: identity.cluster,
        node: identity.node,
        incarnation: identity.incarnation,
        is_new: !identity.complete,
        kept,
        token,
        groups: start.groups,
        replication: start.replication,
        http: start.http.to_string(),
        listen: advertised(start),
        zone: start.zone.clone(),
        keyring,
    })?;
    // Founded and on disk: from now on a missing engine is a loss, never a beginning.
    folder.complete()?;
    Ok(opened)
}

impl StartError {
    /// What this node's disks hold is damaged or gone.
    fn is_damage(&self) -> bool {
        use storage::state::rocks::OpenError;
        match self {
            StartError::State(OpenError::Lost { .. }) => true,
            StartError::State(OpenError::Engine(error)) => error.is_damage(),
            StartError::Assembly(error) => error.is_damage(),
            _ => false,
        }
    }
}

/// Where others reach this node.
fn advertised(start: &Start) -> String {
    start.advertise.clone().unwrap_or_else(|| start.listen.to_string())
}

fn begin_gossip(
    start: &Start,
    identity: &storage::folder::Identity,
    member: &Member,
    keyring: &Keyring,
    gossip: &Arc<OnceLock<Gossip>>,
) -> Result<(), StartError> {
    let (known, given, me) = (member.meta(), start.join.clone(), identity.node);
    let seeds = move || {
        let meta = known.borrow().clone();
        let others = meta.nodes.iter().filter(|row| row.node != me).map(|row| row.listen.clone());
        given.iter().cloned().chain(others).collect()
    };
    let options = gossip::Options {
        cluster: identity.cluster,
        member: gossip::Member {
            node: identity.node,
            incarnation: identity.incarnation,
            listen: advertised(start),
            http: start.http.to_string(),
            version: crate::door::VERSION.into(),
            zone: start.zone.clone(),
        },
        bind: start.listen,
        advertise: start.advertise.clone(),
        keyring: keyring.clone(),
        seeds: Arc::new(seeds),
    };
    let wait = gossip::starts::record(&start.data, SystemTime::now()).unwrap_or_else(|error| {
        tracing::warn!(%error, "the time of this start cannot be noted");
        Duration::ZERO
    });
    if wait.is_zero() {
        let _ = gossip.set(Gossip::start(options)?);
        return Ok(());
    }
    tracing::warn!(wait_s = wait.as_secs(), "this node was started again and again: it waits before it gossips");
    let gossip = gossip.clone();
    tokio::spawn(async move {
        tokio::time::sleep_until(tokio::time::Instant::now() + wait).await;
        match Gossip::start(options) {
            Ok(started) => drop(gossip.set(started)),
            Err(error) => {
                tracing::error!(%error, "this node does not gossip; links between nodes still tell who is there")
            }
        }
    });
    Ok(())
}

/// Who may speak to this node as what.
fn trust(keyring: Keyring, node: &Assembled) -> rpc::Trust {
    let network = node.network.clone();
    let nodes: rpc::Nodes = Arc::new(move |stream, peer| {
        let network = network.clone();
        Box::pin(async move {
            if let Err(why) = network.serve(stream, peer).await {
                tracing::debug!(%peer, %why, "a node's connection ended");
            }
        })
    });
    rpc::Trust { keyring, nodes: Some(nodes) }
}

/// Says when the node is ready, and while it is not, what it waits for.
async fn watch(doors: Arc<Doors>, member: Member, gossip: Arc<OnceLock<Gossip>>, ready: impl FnOnce(&Doors)) {
    const LOOK: Duration = Duration::from_millis(20);
    const SAY: Duration = Duration::from_secs(5);
    let started = std::time::Instant::now();
    let mut looks = tokio::time::interval(LOOK);
    let mut said = started;
    while let Err(waits) = doors.status.ready() {
        looks.tick().await;
        if said.elapsed() >= SAY {
            said = std::time::Instant::now();
            tracing::warn!(since_s = started.elapsed().as_secs(), %waits, "not ready yet");
        }
    }
    ready(&doors);
    let mut meta = member.meta();
    loop {
        if let Some(gossip) = gossip.get() {
            gossip.set_topology_version(meta.borrow_and_update().version());
        }
        if meta.changed().await.is_err() {
            return;
        }
    }
}

async fn listen(address: SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(address).await.map_err(|e| StartError::Listen(address, e))
}

fn write_pid(data: &std::path::Path) -> std::io::Result<()> {
    std::fs::write(data.join("pid"), format!("{}\n", std::process::id()))
}

/// Half a node would answer from the past, or never: the process ends, and says why.
fn on_fatal(data: &std::path::Path) -> OnFatal {
    let data = data.to_path_buf();
    Arc::new(move |fatal| {
        tracing::error!(%fatal, "this node stops: going on could answer \"done\" for what is not on disk");
        damage::note(&data, &fatal);
        std::process::exit(1);
    })
}
