//! Connections: how many, how slow, and how they end.

use super::patience::Patience;
use super::routes::Peer;
use crate::door::{DRAIN, Stop};
use axum::Router;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep_until, timeout};
use tower::Service as _;

/// What a connection may ask of us.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub connections: usize,
    /// From the connection, or from the reply before, to the last byte of a request's head; a reader that takes nothing.
    pub patience: Duration,
    /// Bytes of a head.
    pub head_bytes: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { connections: 4_096, patience: Duration::from_secs(20), head_bytes: 32 << 10 }
    }
}

const FULL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nRetry-After: 1\r\n\
Commons-Outcome: not_run\r\nCommons-Source: cluster\r\nConnection: close\r\nContent-Length: 165\r\n\r\n\
{\"id\":\"v1\",\"code\":503,\"detail\":\"too many connections: try again shortly\",\"status\":\"Service Unavailable\",\
\"reason\":\"overloaded\",\"outcome\":\"not_run\",\"source\":\"cluster\"}";

pub async fn serve(listener: TcpListener, router: Router, limits: Limits, mut stop: Stop) -> io::Result<()> {
    let room = Arc::new(Semaphore::new(limits.connections));
    let graceful = GracefulShutdown::new();
    loop {
        let accepted = tokio::select! {
            biased;
            () = stop.wait() => break,
            accepted = listener.accept() => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) if is_fatal(&error) => return Err(error),
            Err(error) => {
                // Out of file descriptors, or a peer gone already: accepting again at once would spin.
                tracing::warn!(%error, "cannot accept an HTTP connection");
                sleep_until(tokio::time::Instant::now() + Duration::from_millis(50)).await;
                continue;
            }
        };
        let Ok(permit) = room.clone().try_acquire_owned() else {
            tracing::warn!(%peer, limit = limits.connections, "too many HTTP connections: one is turned away");
            tokio::spawn(turn_away(stream));
            continue;
        };
        let _ = stream.set_nodelay(true);
        tokio::spawn(connection(stream, peer, router.clone(), limits, graceful.watcher(), permit));
    }
    drop(listener);
    if timeout(DRAIN, graceful.shutdown()).await.is_err() {
        tracing::warn!("HTTP calls were still under way after {} s: their connections are cut", DRAIN.as_secs());
    }
    Ok(())
}

async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    limits: Limits,
    watcher: hyper_util::server::graceful::Watcher,
    permit: OwnedSemaphorePermit,
) {
    // hyper watches the head of each request, but not what comes before it knows which HTTP it speaks.
    let begun = Arc::new(AtomicBool::new(false));
    let service = {
        let begun = begun.clone();
        service_fn(move |mut request: hyper::Request<Incoming>| {
            begun.store(true, Ordering::Relaxed);
            request.extensions_mut().insert(Peer(peer));
            router.clone().call(request.map(axum::body::Body::new))
        })
    };
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.patience)
        .max_buf_size(limits.head_bytes)
        .max_headers(100);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(limits.patience)
        .keep_alive_timeout(limits.patience)
        .max_concurrent_streams(256)
        .max_header_list_size(limits.head_bytes as u32);
    let io = TokioIo::new(Patience::new(stream, limits.patience));
    let served = watcher.watch(builder.serve_connection(io, service).into_owned());
    let late = sleep_until(tokio::time::Instant::now() + limits.patience);
    tokio::pin!(served);
    let ended = tokio::select! {
        biased;
        ended = &mut served => Some(ended),
        () = late => None,
    };
    let ended = match ended {
        Some(ended) => ended,
        None if begun.load(Ordering::Relaxed) => served.await,
        None => {
            tracing::debug!(%peer, "no HTTP request came: the connection is closed");
            return;
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%peer, %error, "an HTTP connection ended early");
    }
    drop(permit);
}

async fn turn_away(stream: TcpStream) {
    let _ = timeout(Duration::from_secs(1), async {
        stream.writable().await?;
        stream.try_write(FULL).map(drop)
    })
    .await;
}

fn is_fatal(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported)
}
