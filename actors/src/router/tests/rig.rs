//! A node to call.

use crate::call::{Answer, Call, Dispatch};
use crate::kit;
use crate::machine::Me;
use crate::peers::Alone;
use crate::router::{GroupSeat, Patience, Router};
use cluster::consensus::Settings;
use cluster::entry::Entry;
use cluster::group::{Done, Group, ReadDone};
use cluster::meta::{self, Meta, NodeRow};
use cluster::node::Parts;
use cluster::node::threads::{self, Running};
use cluster::topology::Topology;
use sdk::{Error, Request};
use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};
use storage::disk::{Disk, File, Lock, MemoryDisk};
use storage::log::{Counters, Log, Options};
use storage::state::Memory;
use tokio::sync::watch;
use wire::Endpoint;
use wire::ids::{ClusterId, GroupId, Incarnation, NodeId, Term};
use wire::rpc::RequestId;

pub const GROUPS: u16 = 4;

pub struct Rig {
    pub router: Router,
    pub running: Option<Running>,
    /// The next proposal of any shard makes its actor panic.
    pub break_actor: Arc<AtomicBool>,
    pub syncs: Arc<Gate>,
}

/// Holds the log's fsyncs back while it is closed, and slows them down.
#[derive(Debug, Default)]
pub struct Gate {
    pub slow_ms: AtomicU32,
    closed: std::sync::Mutex<bool>,
    opened: std::sync::Condvar,
}

impl Gate {
    pub fn close(&self) {
        *self.closed.lock().unwrap() = true;
    }

    pub fn open(&self) {
        *self.closed.lock().unwrap() = false;
        self.opened.notify_all();
    }

    fn pass(&self) {
        let held = self.closed.lock().unwrap();
        let _open = self.opened.wait_while(held, |closed| *closed).unwrap();
        let slow = self.slow_ms.load(Ordering::SeqCst);
        if slow > 0 {
            // tidy: sleep because it is a real disk's time: what is measured is how much gathers meanwhile.
            std::thread::sleep(Duration::from_millis(slow.into()));
        }
    }
}

#[derive(Debug)]
struct GatedDisk(MemoryDisk, Arc<Gate>);

#[derive(Debug)]
struct GatedFile(Box<dyn File>, Arc<Gate>);

impl Disk for GatedDisk {
    fn list(&self) -> io::Result<Vec<String>> {
        self.0.list()
    }
    fn open(&self, name: &str) -> io::Result<Box<dyn File>> {
        Ok(Box::new(GatedFile(self.0.open(name)?, self.1.clone())))
    }
    fn create(&self, name: &str) -> io::Result<Box<dyn File>> {
        Ok(Box::new(GatedFile(self.0.create(name)?, self.1.clone())))
    }
    fn remove(&self, name: &str) -> io::Result<()> {
        self.0.remove(name)
    }
    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.0.rename(from, to)
    }
    fn sync_dir(&self) -> io::Result<()> {
        self.0.sync_dir()
    }
    fn lock(&self) -> io::Result<Lock> {
        self.0.lock()
    }
}

impl File for GatedFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        self.0.read_at(buffer, offset)
    }
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.0.write_at(bytes, offset)
    }
    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }
    fn sync(&self) -> io::Result<()> {
        self.1.pass();
        self.0.sync()
    }
    fn len(&self) -> io::Result<u64> {
        self.0.len()
    }
}

/// A group at whose door an actor can be made to fail.
struct Breakable(Arc<dyn Group>, Arc<AtomicBool>);

impl Group for Breakable {
    fn id(&self) -> GroupId {
        self.0.id()
    }
    fn leading(&self) -> Option<Term> {
        self.0.leading()
    }
    fn leader(&self) -> Option<wire::ids::ReplicaId> {
        self.0.leader()
    }

    fn sole(&self) -> Option<Term> {
        self.0.sole()
    }
    fn propose(&self, term: Term, entry: Entry, done: Done) {
        if entry.fence.n > 0 && self.1.swap(false, Ordering::SeqCst) {
            std::panic::resume_unwind(Box::new("the actor itself fails"));
        }
        self.0.propose(term, entry, done);
    }
    fn read(&self, done: ReadDone) {
        self.0.read(done);
    }
}

/// A real node of one, as routers stand on it.
pub struct Ground {
    pub running: Running,
    pub syncs: Arc<Gate>,
    pub meta: Meta,
}

impl Ground {
    pub async fn new() -> Ground {
        let syncs = Arc::new(Gate::default());
        let disk = GatedDisk(MemoryDisk::new(1), syncs.clone());
        let options = Options::new(ClusterId([7; 16]), NodeId(1)).create(5);
        let (log, recovered) = Log::open(Arc::new(disk), &options).unwrap();
        let engine = Arc::new(Memory::new());
        let settings = Settings { tick: Duration::from_millis(5), ..Settings::default() };
        let parts = Parts::open(engine.clone(), log, recovered, GROUPS, settings, Duration::ZERO).unwrap();
        let on_fatal = Arc::new(|fatal| eprintln!("the node stops: {fatal}"));
        let running = threads::start(parts, engine, Instant::now(), on_fatal);
        let (handle, store) = (&running.handles[&GroupId::META], &running.stores[&GroupId::META]);
        let topology = Topology::founded(NodeId(1), GROUPS);
        let meta = meta::found(handle, store, &node_row(1), topology, [3; 32], 77, 0).await.unwrap();
        for handle in running.handles.values() {
            meta::caught_up(handle).await.unwrap();
        }
        Ground { running, syncs, meta }
    }
}

pub fn node_row(node: u64) -> NodeRow {
    NodeRow {
        node: NodeId(node),
        incarnation: Incarnation(1),
        listen: String::new(),
        http: String::new(),
        version: String::new(),
        zone: String::new(),
    }
}

impl Rig {
    pub async fn start() -> Rig {
        Rig::start_with(Patience::default()).await
    }

    pub async fn start_with(patience: Patience) -> Rig {
        let Ground { running, syncs, meta } = Ground::new().await;
        let break_actor = Arc::new(AtomicBool::new(false));
        let groups: BTreeMap<_, _> = running
            .handles
            .iter()
            .map(|(id, handle)| {
                let handle: Arc<dyn Group> = Arc::new(Breakable(Arc::new(handle.clone()), break_actor.clone()));
                (*id, GroupSeat { handle, rows: running.slots[id].clone() })
            })
            .collect();
        let me = Me { node: NodeId(1), incarnation: Incarnation(1) };
        let (meta, peers) = (watch::channel(Arc::new(meta)).1, Arc::new(Alone::new(me.node)));
        let router = Router::start_with(vec![kit::service()], groups, meta, peers, me, patience).await.unwrap();
        Rig { router, running: Some(running), break_actor, syncs }
    }

    pub fn call_of<R: Request>(account: &str, request: &R, request_id: RequestId) -> Call {
        Call {
            account: account.into(),
            endpoint: Endpoint::of::<R>(),
            request_id,
            deadline: Instant::now() + Duration::from_secs(20),
            trace: Default::default(),
            body: wire::endpoint::encode(request).unwrap().into(),
            stale_ok: false,
        }
    }

    pub async fn send<R: Request>(&self, call: Call) -> Result<R::Response, Error> {
        match self.router.call(call).await? {
            Answer::Reply(bytes) => wire::endpoint::decode(&bytes),
            Answer::Stale(_) | Answer::Items(_) => panic!("something else where a reply was due"),
        }
    }

    pub async fn call<R: Request>(&self, request: R) -> Result<R::Response, Error> {
        self.send::<R>(Rig::call_of("alice", &request, RequestId::None)).await
    }

    pub async fn call_as<R: Request>(&self, account: &str, request: R) -> Result<R::Response, Error> {
        self.send::<R>(Rig::call_of(account, &request, RequestId::None)).await
    }

    pub async fn call_once<R: Request>(&self, request: R, id: &str) -> Result<R::Response, Error> {
        self.send::<R>(Rig::call_of("alice", &request, RequestId::Caller(id.into()))).await
    }

    pub async fn count(&self, account: &str, entity: &str) -> i64 {
        self.call_as(account, kit::CountRequest { entity: entity.into() }).await.unwrap().count
    }

    pub fn log(&self) -> Counters {
        *self.running.as_ref().unwrap().log_counters.lock().unwrap()
    }

    /// Waits until `what` holds.
    pub async fn until(&self, what: impl Fn(&Rig) -> bool) {
        let give_up = Instant::now() + Duration::from_secs(20);
        while !what(self) {
            assert!(Instant::now() < give_up, "it never came to it");
            tokio::task::yield_now().await;
        }
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        self.syncs.open();
        self.router.stop();
        if let Some(running) = self.running.take() {
            running.stop();
        }
    }
}

pub fn bump(entity: &str, by: i64) -> kit::BumpRequest {
    kit::BumpRequest { entity: entity.into(), by }
}
