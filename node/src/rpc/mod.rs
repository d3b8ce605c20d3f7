//! The RPC door: frames of [`wire::frame`] over TCP, for the Rust client and the command line; and the port where other
//! nodes knock. Between machines all of it is TLS; on one machine clients may do without.
//!
//! A client says `Hello` and gets `Welcome`; then calls go in and replies come out in any order, many at a time. Streams
//! send as many items as they have credit. Whoever says nonsense is disconnected with a line in the log.

mod arrive;
mod connection;
mod flow;
mod hello;
mod own;
mod socket;
mod table;
mod told;

use crate::door::{Doors, Stop};
use arrive::{Arrived, arrive};
use bytes::BytesMut;
use cluster::trust::Keyring;
use connection::Connection;
use futures::future::BoxFuture;
use socket::Socket;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout_at};
use tokio_rustls::server::TlsStream;
use told::Told;

/// Takes the connection of another node, until it ends.
pub type Nodes = Arc<dyn Fn(TlsStream<TcpStream>, SocketAddr) -> BoxFuture<'static, ()> + Send + Sync>;

/// Whom the door trusts.
#[derive(Clone)]
pub struct Trust {
    pub keyring: Keyring,
    /// Without one no node comes in.
    pub nodes: Option<Nodes>,
}

/// What the door takes from one client.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub connections: usize,
    /// Beyond those, so many are looked at at a time: one of them may be a node, whom clients must not keep out.
    pub spare: usize,
    /// From the connection to its whole Hello, TLS included.
    pub hello_within: Duration,
    /// From a frame's first byte to its last; a reader that takes nothing.
    pub patience: Duration,
    /// Nothing said and nothing under way: the connection is closed. A client's session ends then as well (P5).
    pub idle: Duration,
    /// Calls under way on one connection, and the bytes of their requests.
    pub calls: usize,
    pub bytes: usize,
    /// Replies not taken yet, in bytes: beyond it nothing more is read, and streams pause.
    pub unsent: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            connections: 4_096,
            spare: 64,
            hello_within: Duration::from_secs(10),
            patience: Duration::from_secs(30),
            idle: Duration::from_secs(600),
            calls: 4_096,
            bytes: 32 << 20,
            unsent: 1 << 20,
        }
    }
}

/// Serves until `stop`, then lets calls under way finish. Plain frames only: for tests and benchmarks.
pub async fn serve(listener: TcpListener, doors: Arc<Doors>, stop: Stop) -> io::Result<()> {
    serve_within(listener, doors, Limits::default(), stop).await
}

/// As [`serve`], with other limits.
pub async fn serve_within(listener: TcpListener, doors: Arc<Doors>, limits: Limits, stop: Stop) -> io::Result<()> {
    serve_with(listener, doors, limits, None, stop).await
}

/// Serves TLS as well, and plain frames to this machine only.
///
/// Connections of nodes go on when the door stops: what is under way still needs its quorum. Whoever gave
/// [`Trust::nodes`] ends them.
pub async fn serve_with(
    listener: TcpListener,
    doors: Arc<Doors>,
    limits: Limits,
    trust: Option<Trust>,
    mut stop: Stop,
) -> io::Result<()> {
    let room = Arc::new(Semaphore::new(limits.connections));
    let spare = Arc::new(Semaphore::new(if trust.is_some() { limits.spare } else { 0 }));
    let door = Arc::new(Door { doors, limits, trust, told: Told::default() });
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            biased;
            () = stop.wait() => break,
            // Ended ones are taken off as they end, or the set would grow for ever.
            Some(_) = connections.join_next(), if !connections.is_empty() => continue,
            accepted = listener.accept() => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of file descriptors, or a peer gone already: accepting again at once would spin.
                tracing::warn!(%error, "cannot accept an RPC connection");
                sleep_until(Instant::now() + Duration::from_millis(50)).await;
                continue;
            }
        };
        if let Err(error) = prepare(&stream) {
            tracing::debug!(%peer, %error, "a connection was gone before it began");
            continue;
        }
        let place = match (room.clone().try_acquire_owned(), spare.clone().try_acquire_owned()) {
            (Ok(place), _) => Place::Client(place),
            (_, Ok(place)) => Place::Spare(place),
            _ => {
                tracing::warn!(%peer, limit = limits.connections, "too many RPC connections: one is turned away");
                connections.spawn(hello::turn_away(stream));
                continue;
            }
        };
        let (door, stop) = (door.clone(), stop.clone());
        connections.spawn(async move {
            match door.take(stream, peer, place, stop).await {
                Ok(()) => tracing::debug!(%peer, "an RPC connection ended"),
                Err(why) => tracing::warn!(%peer, %why, "an RPC connection was closed"),
            }
        });
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
    Ok(())
}

/// What a connection counts as, until it ends or turns out to be a node's.
enum Place {
    Client(OwnedSemaphorePermit),
    /// All places of clients are taken.
    Spare(OwnedSemaphorePermit),
}

struct Door {
    doors: Arc<Doors>,
    limits: Limits,
    trust: Option<Trust>,
    told: Told,
}

impl Door {
    async fn take(&self, stream: TcpStream, peer: SocketAddr, place: Place, mut stop: Stop) -> Result<(), String> {
        let deadline = Instant::now() + self.limits.hello_within;
        let Some(trust) = &self.trust else {
            return self.client(stream, BytesMut::new(), peer, place, deadline, stop).await;
        };
        let arrived = tokio::select! {
            biased;
            () = stop.wait() => return Ok(()),
            arrived = timeout_at(deadline, arrive(stream, peer, trust)) => arrived.map_err(|_| "no hello came in time")?,
        };
        let arrived = match arrived {
            Err(why) if !self.told.is_due(peer.ip(), std::time::Instant::now()) => {
                tracing::debug!(%peer, why, "turned away again");
                return Ok(());
            }
            arrived => arrived?,
        };
        match arrived {
            Arrived::Plain(stream, input) => self.client(stream, input, peer, place, deadline, stop).await,
            Arrived::Client(stream) => self.client(stream, BytesMut::new(), peer, place, deadline, stop).await,
            Arrived::Exposed(stream) => {
                hello::ask_for_tls(stream).await;
                Err("it speaks without TLS and is not on this machine".into())
            }
            Arrived::Node(stream) => {
                if let Some(nodes) = &trust.nodes {
                    tokio::spawn(nodes(stream, peer));
                }
                Ok(())
            }
            Arrived::Gone => Ok(()),
        }
    }

    async fn client(
        &self,
        stream: impl Socket,
        input: BytesMut,
        peer: SocketAddr,
        place: Place,
        deadline: Instant,
        stop: Stop,
    ) -> Result<(), String> {
        match place {
            Place::Client(_place) => {
                Connection::serve(stream, input, peer, self.doors.clone(), self.limits, deadline, stop).await
            }
            Place::Spare(_place) => {
                hello::turn_away(stream).await;
                Err(format!("{} clients are connected, and more are not taken", self.limits.connections))
            }
        }
    }
}

/// Small frames leave at once, and a peer that vanished is noticed.
fn prepare(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let probe = socket2::TcpKeepalive::new().with_time(Duration::from_secs(30)).with_interval(Duration::from_secs(10));
    socket2::SockRef::from(stream).set_tcp_keepalive(&probe.with_retries(3))
}

#[cfg(test)]
mod tests;
