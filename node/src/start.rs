//! `commons start`: from a data folder to a node that answers, and back to an exit code.

use crate::assembly::{AssemblyError, Materials, Opened};
use crate::door::{Access, Catalogue, Doors, Gate, Identity, stop, token};
use crate::{http, open_files, rpc};
use cluster::node::threads::OnFatal;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
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
    /// Told to the registry; placement goes by it once there are several nodes.
    pub zone: String,
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
    #[error("{} is nobody's data folder yet: there is nothing to repair", .0.display())]
    NoNode(PathBuf),
    #[error("{0}: {1}")]
    File(&'static str, std::io::Error),
}

/// Runs a node until `stop` says so; then lets calls under way finish and closes.
pub async fn run(start: Start, stop: stop::Stop, ready: impl FnOnce(&Doors)) -> Result<(), StartError> {
    if start.access == Mode::Dev
        && let Some(open) = [start.http, start.listen].into_iter().find(|address| !address.ip().is_loopback())
    {
        return Err(StartError::NotLoopback(open));
    }
    open_files::raise();
    let folder = Folder::open(&start.data)?;
    // Before the engines: a node that cannot be reached need not be opened.
    let http_listener = listen(start.http).await?;
    let rpc_listener = listen(start.listen).await?;
    let token = token::load_or_create(&start.data).map_err(|e| StartError::File("the token", e))?;
    write_pid(&start.data).map_err(|e| StartError::File("the pid file", e))?;
    let (folder, opened) = tokio::task::spawn_blocking({
        let start = start.clone();
        move || open(folder, &start)
    })
    .await
    .unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))?;
    let identity = folder.identity().expect("a node has settled");
    let identity = Identity { cluster: identity.cluster, node: identity.node };
    let catalogue = services::all();
    let node = opened.start(catalogue.clone(), on_fatal()).await?;
    let access = match start.access {
        Mode::Token => Access::with_token(&token, ACCOUNT),
        Mode::Dev => Access::dev(&token, ACCOUNT),
    };
    let doors = Arc::new(Doors {
        identity,
        catalogue: Catalogue::new(&catalogue),
        access,
        gate: Gate::usual(),
        dispatch: Arc::new(node.router.clone()),
        status: node.status.clone(),
    });
    ready(&doors);
    let served =
        tokio::join!(http::serve(http_listener, doors.clone(), stop.clone()), rpc::serve(rpc_listener, doors, stop));
    tracing::info!("calls are answered; closing the engines");
    tokio::task::spawn_blocking(move || node.stop())
        .await
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()));
    drop(folder);
    served.0.and(served.1).map_err(|e| StartError::File("a door", e))
}

fn open(mut folder: Folder, start: &Start) -> Result<(Folder, Opened), StartError> {
    if folder.identity().is_none() {
        // The first node of a cluster; joining one comes with the Cluster work.
        folder.settle(ClusterId(StdRng::from_os_rng().random()), NodeId(1))?;
    }
    let identity = folder.identity().expect("settled above").clone();
    let presence = if identity.complete { Presence::MustExist } else { Presence::MayCreate };
    let engine = Arc::new(Rocks::open(&folder.state(), presence, &Settings::default())?);
    let disk = RealDisk::open(folder.log()).map_err(|error| StartError::LogFolder { folder: folder.log(), error })?;
    let opened = Opened::new(Materials {
        engine,
        disk: Arc::new(disk),
        cluster: identity.cluster,
        node: identity.node,
        incarnation: identity.incarnation,
        is_new: !identity.complete,
        groups: start.groups,
        http: start.http.to_string(),
        listen: start.advertise.clone().unwrap_or_else(|| start.listen.to_string()),
        zone: start.zone.clone(),
    })?;
    // Founded and on disk: from now on a missing engine is a loss, never a beginning.
    folder.complete()?;
    Ok((folder, opened))
}

async fn listen(address: SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(address).await.map_err(|e| StartError::Listen(address, e))
}

fn write_pid(data: &std::path::Path) -> std::io::Result<()> {
    std::fs::write(data.join("pid"), format!("{}\n", std::process::id()))
}

/// Half a node would answer from the past, or never: the process ends, and says why.
fn on_fatal() -> OnFatal {
    Arc::new(|fatal| {
        tracing::error!(%fatal, "this node stops: going on could answer \"done\" for what is not on disk");
        std::process::exit(1);
    })
}
