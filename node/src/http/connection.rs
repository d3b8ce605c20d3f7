//! Connections: how many, how slow, and how they end.

use super::lifeline::Lifeline;
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
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
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

/// How many at a time are told that there is no room; the rest of a flood is hung up on.
const TURNED_AWAY_MAX: usize = 64;
/// What we sent and the peer's machine never acknowledged: that peer is gone.
const UNACKNOWLEDGED_MAX: Duration = Duration::from_secs(30);

const FULL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nRetry-After: 1\r\n\
Commons-Outcome: not_run\r\nCommons-Source: cluster\r\nConnection: close\r\nContent-Length: 165\r\n\r\n\
{\"id\":\"v1\",\"code\":503,\"detail\":\"too many connections: try again shortly\",\"status\":\"Service Unavailable\",\
\"reason\":\"overloaded\",\"outcome\":\"not_run\",\"source\":\"cluster\"}";

pub async fn serve(listener: TcpListener, router: Router, limits: Limits, mut stop: Stop) -> io::Result<()> {
    let room = Arc::new(Semaphore::new(limits.connections));
    let turned_away = Arc::new(Semaphore::new(TURNED_AWAY_MAX));
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
        let Ok(place) = room.clone().try_acquire_owned() else {
            tracing::warn!(%peer, limit = limits.connections, "too many HTTP connections: one is turned away");
            if let Ok(turn) = turned_away.clone().try_acquire_owned() {
                tokio::spawn(async move {
                    turn_away(stream).await;
                    drop(turn);
                });
            }
            continue;
        };
        prepare(&stream);
        let lifeline = Lifeline::new(stop.clone(), Arc::new(place));
        tokio::spawn(connection(stream, peer, router.clone(), limits, graceful.watcher(), lifeline));
    }
    drop(listener);
    // Connections first; a WebSocket has left hyper's hands and shows by its place only.
    let ended = async {
        graceful.shutdown().await;
        let _ = room.acquire_many(u32::try_from(limits.connections).unwrap_or(u32::MAX)).await;
    };
    if timeout(DRAIN, ended).await.is_err() {
        tracing::warn!("HTTP calls were still under way after {} s: their connections are cut", DRAIN.as_secs());
    }
    Ok(())
}

/// Small replies leave at once, and a peer that vanished is noticed.
fn prepare(stream: &TcpStream) {
    let socket = socket2::SockRef::from(stream);
    let probe = socket2::TcpKeepalive::new().with_time(UNACKNOWLEDGED_MAX).with_interval(Duration::from_secs(10));
    // A peer that is gone already makes these fail; the first read tells.
    let _ = stream.set_nodelay(true);
    let _ = socket.set_tcp_keepalive(&probe.with_retries(3));
    let _ = socket.set_tcp_user_timeout(Some(UNACKNOWLEDGED_MAX));
}

/// Serves one until it ends; an upgraded one goes on without hyper.
pub async fn connection<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    stream: S,
    peer: SocketAddr,
    router: Router,
    limits: Limits,
    watcher: hyper_util::server::graceful::Watcher,
    lifeline: Lifeline,
) {
    // hyper watches the head of each request, but not what comes before it knows which HTTP it speaks.
    let begun = Arc::new(AtomicBool::new(false));
    let service = {
        let (begun, lifeline) = (begun.clone(), lifeline.clone());
        service_fn(move |mut request: hyper::Request<Incoming>| {
            begun.store(true, Ordering::Relaxed);
            request.extensions_mut().insert(Peer(peer));
            request.extensions_mut().insert(lifeline.clone());
            router.clone().call(request.map(axum::body::Body::new))
        })
    };
    let builder = builder(&limits);
    let io = TokioIo::new(Patience::new(stream, limits.patience));
    let served = watcher.watch(builder.serve_connection_with_upgrades(io, service).into_owned());
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
    drop(lifeline);
}

fn builder(limits: &Limits) -> auto::Builder<TokioExecutor> {
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
        // Who opens and resets without end (CVE-2023-44487) is hung up on. Not at once: a client that does not know our number
        // of streams yet may open hundreds too many, and each that is refused counts.
        .max_pending_accept_reset_streams(20)
        .max_local_error_reset_streams(1024)
        .max_header_list_size(limits.head_bytes as u32)
        .max_send_buf_size(64 << 10)
        .enable_connect_protocol();
    builder
}

/// Says so and reads what the other side sends meanwhile: a connection dropped with something unread is reset, and the
/// answer with it.
async fn turn_away(mut stream: TcpStream) {
    let _ = timeout(Duration::from_secs(1), async {
        stream.write_all(FULL).await?;
        stream.shutdown().await?;
        let mut unread = [0; 1 << 10];
        while stream.read(&mut unread).await? > 0 {}
        io::Result::Ok(())
    })
    .await;
}

fn is_fatal(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported)
}
