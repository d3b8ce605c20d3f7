//! Who is there: chitchat over sealed UDP, on a thread of its own. Hints only; nothing is owned by what is said here (LESSONS §2).
//!
//! | file | decides |
//! |---|---|
//! | [`frame`], [`session`], [`window`] | what is on the wire, and which datagrams are believed |
//! | [`socket`] | chitchat's transport over them |
//! | [`judge`] | who is alive |
//! | [`seeds`] | whom to greet beside those that chitchat knows |
//! | [`member`] | what a node tells of itself: under 1 KiB |
//! | [`starts`] | how long a node that dies again and again waits before it gossips |
//! | [`membership`] | the shape of it all, and its stand-in for simulations |
//!
//! **Figures** (`cargo run --release -p cluster --example gossip -- 3 30 10`; 2026-11-25, two cores that other builds kept busy, load 4–5;
//! one process a node, loopback). Killed until seen dead by all: 3 nodes p50 1.31 s, most 1.52 s of 30; 24 nodes 1.69 s, most 1.72 s
//! of 8. Started until seen alive by all: 0.40 s, most 0.60 s. With 8 threads burning for 10 s on the two cores nobody died, in 5 runs of 3 nodes
//! and one of 24; the longest that a living node was silent was 0.40 s (3 nodes) and 0.60 s (24; the same without burners), a
//! third and a half of what makes it dead; one look was late (0.33 s). A process stopped for 10 s called nobody dead, and was back after
//! 0.15 s. Idle: 0.2 % of a core a node with 3 nodes, 0.3 % with 24.
//!
//! **Limits.** A datagram carries a digest of every node, 44 bytes each with IPv4, and to a newcomer their states: a few hundred nodes.
//! Beyond, messages are refused and counted as `too_large`. One node's clock is never compared with another's.

mod counters;
mod frame;
mod judge;
mod member;
mod membership;
mod run;
mod seeds;
mod session;
mod socket;
pub mod starts;
#[cfg(test)]
mod tests;
mod window;

pub use counters::Counters;
pub use judge::Twin;
pub use member::{Health, Member, Seen};
pub use membership::{Membership, Scripted};
pub use seeds::Seeds;

use crate::trust::Keyring;
use counters::Tally;
use run::{Leave, Outlets, Start, Told, run};
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use tokio::runtime;
use tokio::sync::{oneshot, watch};
use tokio::time::Instant;
use wire::ids::ClusterId;

/// With whom, as whom and where to gossip.
pub struct Options {
    pub cluster: ClusterId,
    pub member: Member,
    /// Where datagrams are received. Port 0 lets the system choose.
    pub bind: SocketAddr,
    /// host:port that others send to, if it is not where this node binds; resolved once, at the start. Port 0 stands for the bound one.
    pub advertise: Option<String>,
    /// Asked for its keys at each datagram, so that rotating the secret needs no restart.
    pub keyring: Keyring,
    pub seeds: Seeds,
}

/// The times of the detector.
#[derive(Clone, Copy, Debug)]
struct Tuning {
    /// How often chitchat talks to three of the living.
    round: Duration,
    /// How often we look at what it knows.
    tick: Duration,
    /// A look that comes after more than this judges nobody.
    late: Duration,
    /// Silence that makes a node dead.
    suspect: Duration,
    /// How long chitchat keeps the dead. Short, so that restarts do not fill its datagrams; it recognises them for long after.
    drop: Duration,
    /// How long we keep them.
    forget: Duration,
    /// How often seeds are asked and resolved again.
    resolve: Duration,
}

const TUNING: Tuning = Tuning {
    round: Duration::from_millis(200),
    tick: Duration::from_millis(100),
    late: Duration::from_millis(300),
    suspect: Duration::from_millis(1200),
    drop: Duration::from_secs(20),
    forget: Duration::from_secs(15 * 60),
    resolve: Duration::from_secs(5),
};

/// Why gossip does not start.
#[derive(Debug, thiserror::Error)]
pub enum GossipError {
    #[error("gossip's `{field}` has {length} bytes, at most {most} fit")]
    TooLong { field: &'static str, length: usize, most: usize },
    #[error("gossip's `{field}` has control characters")]
    Control { field: &'static str },
    #[error("gossip's `{field}` is missing")]
    Missing { field: &'static str },
    #[error("gossip's `{field}` is no number")]
    Number { field: &'static str },
    #[error("UDP {bind} is in use, perhaps by another Commons node: stop that one, or listen elsewhere with --listen")]
    AddressInUse { bind: SocketAddr },
    #[error("UDP {bind} cannot be used ({error}): listen elsewhere with --listen")]
    Bind { bind: SocketAddr, error: io::Error },
    #[error("`{advertise}` is where others should send gossip to, but it has no address ({error})")]
    Advertise { advertise: String, error: io::Error },
    #[error(
        "bound to {bind}, which is every address of this machine: say with --advertise which of them others should send to"
    )]
    AdvertiseMissing { bind: SocketAddr },
    #[error("no thread for gossip ({0})")]
    Thread(io::Error),
}

/// Gossip under way. Dropping it stops it without a word, as a kill would.
pub struct Gossip {
    address: SocketAddr,
    tally: Arc<Tally>,
    topology: watch::Sender<u64>,
    told: watch::Receiver<Told>,
    seen: watch::Receiver<Vec<Seen>>,
    failed: Arc<Mutex<Option<String>>>,
    leave: Option<oneshot::Sender<Leave>>,
    thread: Option<JoinHandle<()>>,
}

impl Gossip {
    /// Binds, and starts the thread. Nobody needs to be there.
    pub fn start(options: Options) -> Result<Gossip, GossipError> {
        Gossip::tuned(options, TUNING)
    }

    fn tuned(options: Options, tuning: Tuning) -> Result<Gossip, GossipError> {
        options.member.check()?;
        let (socket, address) = bind(&options)?;
        let (leave, left) = oneshot::channel();
        let (topology, topology_seen) = watch::channel(0);
        let (tell, told) = watch::channel(Told { at: Instant::now(), seen: Vec::new(), twin: None });
        let (show, seen) = watch::channel(Vec::new());
        let tally = Arc::new(Tally::default());
        let outlets = Outlets { tuning, tally: tally.clone(), topology: topology_seen, told: tell, seen: show };
        let start = Start::new(options, socket, address, outlets);
        let runtime = runtime::Builder::new_current_thread().enable_all().build().map_err(GossipError::Thread)?;
        let failed = Arc::new(Mutex::new(None));
        let why = failed.clone();
        let work = move || {
            if let Err(error) = runtime.block_on(run(start, left)) {
                tracing::error!("gossip has ended: {error}");
                *why.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
            }
            // A name server that does not answer must not hold up a stop.
            runtime.shutdown_background();
        };
        let thread = thread::Builder::new().name("gossip".into()).spawn(work).map_err(GossipError::Thread)?;
        Ok(Gossip { address, tally, topology, told, seen, failed, leave: Some(leave), thread: Some(thread) })
    }

    /// Where others send to.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// This node, and everybody heard from in this life of it, by node id; the dead for 15 minutes. Of two lives the later, of
    /// copies of one a living one. Who was only heard of through others is not in it.
    pub fn seen(&self) -> Vec<Seen> {
        let told = self.told.borrow().clone();
        let age = told.at.elapsed();
        told.seen.into_iter().map(|seen| Seen { since: seen.since + age, ..seen }).collect()
    }

    /// The same at each change, but with `since` as it was then. Its sender is gone once gossip has ended.
    pub fn watch(&self) -> watch::Receiver<Vec<Seen>> {
        self.seen.clone()
    }

    /// Another process that is at work under this node's id: a copied data folder. One of the two must stop.
    pub fn twin(&self) -> Option<Twin> {
        self.told.borrow().twin.clone()
    }

    /// Tells the others which topology this node knows.
    pub fn set_topology_version(&self, version: u64) {
        self.topology.send_replace(version);
    }

    pub fn counters(&self) -> Counters {
        self.tally.counters()
    }

    /// Why gossip ended although nobody stopped it: a fault in it or in chitchat. It cannot go on in the same life of the node, since
    /// the others have heard higher heartbeats of it; what [`Gossip::seen`] says is then the past. The sender of [`Gossip::watch`] is gone.
    pub fn failed(&self) -> Option<String> {
        let failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let panicked = || self.thread.as_ref().is_some_and(|thread| thread.is_finished());
        failed.or_else(|| panicked().then(|| "its thread has panicked".into()))
    }

    /// Says good-bye, so that nobody waits for this node's silence, and ends within a tick.
    pub fn stop(mut self) {
        if let Some(leave) = self.leave.take() {
            let _ = leave.send(Leave);
        }
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("gossip's thread had panicked");
        }
    }
}

impl Membership for Gossip {
    fn seen(&self) -> Vec<Seen> {
        Gossip::seen(self)
    }

    fn watch(&self) -> watch::Receiver<Vec<Seen>> {
        Gossip::watch(self)
    }

    fn set_topology_version(&self, version: u64) {
        Gossip::set_topology_version(self, version);
    }
}

/// Bound here, so that an address in use is the answer of `start`.
fn bind(options: &Options) -> Result<(UdpSocket, SocketAddr), GossipError> {
    let bind = options.bind;
    let refused = |error: io::Error| match error.kind() {
        io::ErrorKind::AddrInUse => GossipError::AddressInUse { bind },
        _ => GossipError::Bind { bind, error },
    };
    let socket = UdpSocket::bind(bind).map_err(refused)?;
    socket.set_nonblocking(true).map_err(refused)?;
    let bound = socket.local_addr().map_err(refused)?;
    let mut address = match &options.advertise {
        Some(advertise) => seeds::resolve(advertise, bound)
            .map_err(|error| GossipError::Advertise { advertise: advertise.clone(), error })?,
        None if bound.ip().is_unspecified() => return Err(GossipError::AdvertiseMissing { bind }),
        None => bound,
    };
    if address.port() == 0 {
        address.set_port(bound.port());
    }
    Ok((socket, address))
}
