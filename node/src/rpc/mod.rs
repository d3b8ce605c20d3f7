//! The RPC door: frames of [`wire::frame`] over TCP, for the Rust client and the command line.
//!
//! A client says `Hello` and gets `Welcome`; then calls go in and replies come out in any order, many at a time. Streams
//! send as many items as they have credit. Whoever says nonsense is disconnected with a line in the log.

mod connection;
mod flow;
mod hello;
mod own;
mod table;

use crate::door::{Doors, Stop};
use connection::Connection;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

/// What the door takes from one client.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub connections: usize,
    /// From the connection to its whole Hello.
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
            hello_within: Duration::from_secs(10),
            patience: Duration::from_secs(30),
            idle: Duration::from_secs(600),
            calls: 4_096,
            bytes: 32 << 20,
            unsent: 1 << 20,
        }
    }
}

/// Serves until `stop`, then lets calls under way finish.
pub async fn serve(listener: TcpListener, doors: Arc<Doors>, stop: Stop) -> io::Result<()> {
    serve_within(listener, doors, Limits::default(), stop).await
}

/// As [`serve`], with other limits.
pub async fn serve_within(listener: TcpListener, doors: Arc<Doors>, limits: Limits, mut stop: Stop) -> io::Result<()> {
    let room = Arc::new(Semaphore::new(limits.connections));
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
        let Ok(permit) = room.clone().try_acquire_owned() else {
            tracing::warn!(%peer, limit = limits.connections, "too many RPC connections: one is turned away");
            connections.spawn(hello::turn_away(stream));
            continue;
        };
        if let Err(error) = prepare(&stream) {
            tracing::debug!(%peer, %error, "a connection was gone before it began");
            continue;
        }
        let (doors, stop) = (doors.clone(), stop.clone());
        connections.spawn(async move {
            match Connection::serve(stream, peer, doors, limits, stop).await {
                Ok(()) => tracing::debug!(%peer, "an RPC connection ended"),
                Err(why) => tracing::warn!(%peer, %why, "an RPC connection was closed"),
            }
            drop(permit);
        });
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
    Ok(())
}

/// Small frames leave at once, and a peer that vanished is noticed.
fn prepare(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let probe = socket2::TcpKeepalive::new().with_time(Duration::from_secs(30)).with_interval(Duration::from_secs(10));
    socket2::SockRef::from(stream).set_tcp_keepalive(&probe.with_retries(3))
}

#[cfg(test)]
mod tests;
