//! The handshake: who is there, and whether it may come in.

use super::socket::Socket;
use crate::door::{Doors, Identity, VERSION, Via};
use bytes::BytesMut;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, timeout, timeout_at};
use wire::codec;
use wire::error::reasons;
use wire::frame::{Frame, Kind};
use wire::rpc::{Hello, Welcome};
use wire::{Error, Outcome, Reason};

/// Nobody without a token makes us hold more than this.
const HELLO_BYTES_MAX: usize = 4 << 10;

/// This node belongs to another cluster than the client wants.
const OTHER_CLUSTER: Reason = Reason::conflict("other_cluster");

/// Frames of other machines could be read, and the token in them, on the way.
const TLS_NEEDED: Reason = Reason::forbidden("tls_needed");

/// Lets the client in, or tells it why not and gives the reason for the log.
pub async fn receive(
    stream: &mut impl Socket,
    input: &mut BytesMut,
    peer: SocketAddr,
    doors: &Doors,
    deadline: Instant,
) -> Result<Option<Via>, String> {
    let frame = match timeout_at(deadline, first_frame(stream, input)).await {
        Ok(frame) => frame?,
        Err(_) => return Err("no hello came in time".into()),
    };
    // Closed without a word: a port scan or a health check.
    let Some(frame) = frame else { return Ok(None) };
    let hello: Hello = match (frame.kind, codec::decode(&frame.payload)) {
        (Kind::Hello, Ok(hello)) => hello,
        (Kind::Hello, Err(why)) => return Err(format!("its hello does not decode: {why}")),
        (kind, _) => return Err(format!("it began with {kind:?} instead of a hello")),
    };
    match admit(&hello, peer, doors) {
        Ok(via) => {
            let Identity { cluster, node } = doors.identity;
            let welcome = Welcome { cluster, node, version: VERSION.to_string() };
            let payload = codec::encode(&welcome).map_err(|why| why.to_string())?;
            send(stream, Frame::new(Kind::Welcome, 0, payload)).await.map_err(|gone| gone.to_string())?;
            tracing::debug!(%peer, agent = hello.agent, "a client came in");
            Ok(Some(via))
        }
        Err(refused) => {
            let why = format!("refused: {}", refused.detail);
            let _ = timeout(Duration::from_secs(1), refuse(stream, &refused)).await;
            Err(why)
        }
    }
}

fn admit(hello: &Hello, peer: SocketAddr, doors: &Doors) -> Result<Via, Error> {
    let key = Some(hello.token.as_str()).filter(|token| !token.is_empty());
    let via = doors.access.check(key, peer.ip().to_canonical().is_loopback())?;
    match hello.cluster {
        Some(wanted) if wanted != doors.identity.cluster => {
            let detail = format!("this node is of cluster {}, not {wanted}: check the address", doors.identity.cluster);
            Err(OTHER_CLUSTER.refuse(detail).at("v1"))
        }
        _ => Ok(via),
    }
}

async fn first_frame(stream: &mut impl Socket, input: &mut BytesMut) -> Result<Option<Frame>, String> {
    loop {
        let claimed = input.first_chunk::<4>().map(|bytes| u32::from_le_bytes(*bytes) as usize);
        if claimed.is_some_and(|length| length > HELLO_BYTES_MAX) {
            return Err("it does not speak our protocol".into());
        }
        if let Some(frame) = Frame::decode(input).map_err(|why| why.to_string())? {
            return Ok(Some(frame));
        }
        match stream.read_buf(input).await {
            Ok(0) if input.is_empty() => return Ok(None),
            Ok(0) => return Err("it left in the middle of its hello".into()),
            Ok(_) => {}
            Err(gone) if input.is_empty() && gone.kind() == io::ErrorKind::ConnectionReset => return Ok(None),
            Err(gone) => return Err(gone.to_string()),
        }
    }
}

async fn refuse(stream: &mut impl Socket, error: &Error) -> io::Result<()> {
    let payload = codec::encode(error).map_err(io::Error::other)?;
    send(stream, Frame::new(Kind::Error, 0, payload)).await?;
    stream.shutdown().await
}

async fn send(stream: &mut impl Socket, frame: Frame) -> io::Result<()> {
    let mut out = BytesMut::new();
    frame.encode(&mut out);
    stream.write_all(&out).await?;
    // TLS may hold back what the socket did not take at once.
    stream.flush().await
}

/// For a connection too many.
pub async fn turn_away(mut stream: impl Socket) {
    let error = reasons::OVERLOADED.refuse("too many connections: try again shortly").retry_after_ms(500).at("v1");
    debug_assert_eq!(error.outcome, Outcome::NotRun);
    let _ = timeout(Duration::from_secs(1), refuse(&mut stream, &error)).await;
}

/// For plain frames of another machine.
pub async fn ask_for_tls(mut stream: impl Socket) {
    let detail =
        "this port speaks TLS to other machines: give the client the cluster's CA certificate, `commons secret ca`";
    let error = TLS_NEEDED.refuse(detail).at("v1");
    let _ = timeout(Duration::from_secs(1), refuse(&mut stream, &error)).await;
}
