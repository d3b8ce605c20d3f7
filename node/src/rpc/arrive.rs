//! Who comes: the first bytes tell TLS from plain frames, and TLS tells nodes from clients.

use super::Trust;
use bytes::BytesMut;
use cluster::trust::Spoken;
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::StartHandshake;
use tokio_rustls::rustls::server::{Accepted, Acceptor};
use tokio_rustls::server::TlsStream;

/// A TLS alert, "no application protocol" (RFC 7301), as it is sent before there are keys.
const NO_PROTOCOL: &[u8] = &[21, 3, 3, 0, 2, 2, 120];

/// Who it is, as far as TLS can tell.
pub enum Arrived {
    /// A client of this machine, and what it has said so far.
    Plain(TcpStream, BytesMut),
    /// Plain frames from another machine: to be told that they do not pass.
    Exposed(TcpStream),
    /// A client that trusts our certificate.
    Client(TlsStream<TcpStream>),
    /// Another node: it holds the cluster's secret.
    Node(TlsStream<TcpStream>),
    /// It left without a word: a port scan or a health check.
    Gone,
}

/// Finds out. The caller bounds the time.
pub async fn arrive(mut stream: TcpStream, peer: SocketAddr, trust: &Trust) -> Result<Arrived, String> {
    let mut input = BytesMut::with_capacity(4 << 10);
    let tls = loop {
        if let Some(tls) = is_tls(&input) {
            break tls;
        }
        match stream.read_buf(&mut input).await {
            Ok(0) if input.is_empty() => return Ok(Arrived::Gone),
            Ok(0) => return Err("it left in the middle of its hello".into()),
            Err(_) if input.is_empty() => return Ok(Arrived::Gone),
            Err(gone) => return Err(gone.to_string()),
            Ok(_) => {}
        }
    };
    if tls {
        return secure(stream, input, trust).await;
    }
    match peer.ip().to_canonical().is_loopback() {
        true => Ok(Arrived::Plain(stream, input)),
        false => Ok(Arrived::Exposed(stream)),
    }
}

/// A TLS record with a handshake begins 22, 3, 1..=4; a frame with its length, little endian, of which the third byte is
/// 0 in every hello. `None`: more bytes are needed.
fn is_tls(input: &[u8]) -> Option<bool> {
    match input {
        [] | [22] | [22, 3] => None,
        [22, 3, minor, ..] => Some((1..=4).contains(minor)),
        _ => Some(false),
    }
}

async fn secure(mut stream: TcpStream, input: BytesMut, trust: &Trust) -> Result<Arrived, String> {
    let accepted = client_hello(&mut stream, input).await?;
    let offered = accepted.client_hello().alpn().into_iter().flatten();
    let speaks =
        trust.keyring.server_for(offered).filter(|(spoken, _)| *spoken == Spoken::Rpc || trust.nodes.is_some());
    let Some((spoken, config)) = speaks else {
        let _ = stream.write_all(NO_PROTOCOL).await;
        return Err("its TLS names no protocol of ours (ALPN commons-rpc/1)".into());
    };
    let handshake = StartHandshake::from_parts(accepted, stream).into_stream(config).await;
    match (spoken, handshake) {
        (Spoken::Rpc, Ok(stream)) => Ok(Arrived::Client(stream)),
        (Spoken::Node, Ok(stream)) => Ok(Arrived::Node(stream)),
        (Spoken::Rpc, Err(why)) => Err(format!("no TLS with this client: {why}")),
        (Spoken::Node, Err(why)) => Err(format!(
            "it comes as a node and is none of this cluster ({why}): nodes of one cluster have the same secret, `commons secret show`"
        )),
    }
}

async fn client_hello(stream: &mut TcpStream, mut input: BytesMut) -> Result<Accepted, String> {
    let mut acceptor = Acceptor::default();
    loop {
        let mut unread = &input[..];
        while !unread.is_empty() {
            acceptor.read_tls(&mut unread).map_err(|why| why.to_string())?;
        }
        match acceptor.accept() {
            Ok(Some(accepted)) => return Ok(accepted),
            Ok(None) => {}
            Err((why, mut alert)) => {
                let mut bytes = Vec::new();
                if alert.write_all(&mut bytes).is_ok() {
                    let _ = stream.write_all(&bytes).await;
                }
                return Err(format!("its TLS begins wrongly: {why}"));
            }
        }
        input.clear();
        match stream.read_buf(&mut input).await {
            Ok(0) => return Err("it left in the middle of a TLS handshake".into()),
            Ok(_) => {}
            Err(gone) => return Err(gone.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bytes_decide() {
        for (input, tls) in [
            (&[][..], None),
            (&[22], None),
            (&[22, 3], None),
            (&[22, 3, 1], Some(true)),
            (&[22, 3, 3, 2, 0, 1], Some(true)),
            // A hello of 790 bytes, one of 22, and a browser.
            (&[22, 3, 0, 0], Some(false)),
            (&[22, 0], Some(false)),
            (b"GET / HTTP/1.1", Some(false)),
        ] {
            assert_eq!(is_tls(input), tls, "{input:?}");
        }
    }
}
