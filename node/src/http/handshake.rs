//! The opening of a WebSocket: over HTTP/1.1 (RFC 6455) and as an extended CONNECT of HTTP/2 (RFC 8441).
//!
//! A request that speaks the protocol is always accepted. What is wrong with the call in it, a bad key included, is said
//! over the socket: the M3O client for JavaScript has nobody listening for errors before the socket is open.

use super::call::Admitted;
use super::lifeline::Lifeline;
use super::{reply, socket};
use crate::door::{Doors, text_bytes_max};
use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Version, header, request::Parts};
use axum::response::Response;
use hyper::ext::Protocol;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use std::sync::Arc;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use wire::{Error, Reason};

/// It asks for a WebSocket, but not as the protocol wants it.
const BAD_HANDSHAKE: Reason = Reason::bad_request("bad_handshake");
/// Who has not shown a key is not listened to at length.
const STRANGER_BYTES_MAX: usize = 64 << 10;
/// A buffer of each socket, idle ones too.
const BUFFER_BYTES: usize = 4 << 10;

/// Is this a request for a WebSocket?
pub fn is_asked(parts: &Parts) -> bool {
    match parts.version {
        Version::HTTP_2 => parts.extensions.get::<Protocol>().is_some_and(|protocol| protocol.as_str() == "websocket"),
        _ => parts.method == Method::GET && says(&parts.headers, header::UPGRADE, "websocket"),
    }
}

/// The key of a browser, whose WebSocket can send no other header than this one.
pub fn key(headers: &HeaderMap) -> Option<&str> {
    protocols(headers).find(|name| name.starts_with("cmn_")).or_else(|| protocols(headers).next())
}

fn protocols(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let lines = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).into_iter();
    let names = lines.filter_map(|line| line.to_str().ok()).flat_map(|line| line.split(','));
    names.map(str::trim).filter(|name| !name.is_empty())
}

/// Opens the socket; the conversation goes on without its request.
pub fn accept(doors: Arc<Doors>, mut parts: Parts, admitted: Result<Admitted, Error>) -> Response {
    let (mut response, upgrade) = match open(&mut parts) {
        Ok(opened) => opened,
        Err(wrong) => {
            let mut response = reply::error(&BAD_HANDSHAKE.refuse(wrong).at("v1"));
            response.headers_mut().insert(header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
            return response;
        }
    };
    // Browsers hang up unless one of the names they offered comes back.
    if let Some(key) = key(&parts.headers).and_then(|key| HeaderValue::from_str(key).ok()) {
        response.headers_mut().insert(header::SEC_WEBSOCKET_PROTOCOL, key);
    }
    let bytes_max = admitted.as_ref().map_or(STRANGER_BYTES_MAX, |admitted| text_bytes_max(&admitted.known.endpoint));
    let config = WebSocketConfig::default()
        .read_buffer_size(BUFFER_BYTES)
        .write_buffer_size(BUFFER_BYTES)
        .max_message_size(Some(bytes_max))
        .max_frame_size(Some(bytes_max));
    let lifeline = parts.extensions.remove::<Lifeline>();
    tokio::spawn(async move {
        match upgrade.await {
            Ok(connection) => {
                let connection = TokioIo::new(connection);
                let socket = WebSocketStream::from_raw_socket(connection, Role::Server, Some(config)).await;
                socket::serve(&doors, socket, admitted, lifeline).await;
            }
            Err(error) => tracing::debug!(%error, "a connection ended before it was a WebSocket"),
        }
    });
    response
}

fn open(parts: &mut Parts) -> Result<(Response, OnUpgrade), &'static str> {
    if !says(&parts.headers, header::SEC_WEBSOCKET_VERSION, "13") {
        return Err("Sec-WebSocket-Version: must be 13");
    }
    let mut response = Response::new(Body::empty());
    if parts.version != Version::HTTP_2 {
        if !says(&parts.headers, header::CONNECTION, "upgrade") {
            return Err("Connection: must say Upgrade");
        }
        let key = parts.headers.get(header::SEC_WEBSOCKET_KEY).ok_or("Sec-WebSocket-Key: is missing")?;
        let accept = HeaderValue::from_str(&derive_accept_key(key.as_bytes()));
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = response.headers_mut();
        headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept.map_err(|_| "Sec-WebSocket-Key: is no key")?);
    }
    let upgrade = parts.extensions.remove::<OnUpgrade>().ok_or("this connection cannot become a WebSocket")?;
    Ok((response, upgrade))
}

/// Does the header hold this word, in a list with commas?
fn says(headers: &HeaderMap, name: header::HeaderName, word: &str) -> bool {
    let lines = headers.get_all(name).into_iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).any(|said| said.trim().eq_ignore_ascii_case(word))
}
