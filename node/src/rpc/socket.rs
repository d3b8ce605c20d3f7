//! A connection to a client, plain or TLS.

use bytes::BytesMut;
use std::io;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

/// What a [`super::connection::Connection`] runs over.
pub trait Socket: AsyncRead + AsyncWrite + Unpin + Send {
    /// Both ways apart. A plain one needs no lock for it, and most calls on a machine come over one.
    fn halves(&mut self) -> (impl AsyncRead + Unpin + Send, impl AsyncWrite + Unpin + Send);
}

impl Socket for TcpStream {
    fn halves(&mut self) -> (impl AsyncRead + Unpin + Send, impl AsyncWrite + Unpin + Send) {
        self.split()
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Socket for TlsStream<S> {
    fn halves(&mut self) -> (impl AsyncRead + Unpin + Send, impl AsyncWrite + Unpin + Send) {
        tokio::io::split(self)
    }
}

/// Writes what of `out` the socket takes now; once all is written, waits until TLS holds back nothing of it: then 0.
pub async fn push(writer: &mut (impl AsyncWrite + Unpin), out: &mut BytesMut) -> io::Result<usize> {
    if out.is_empty() {
        return writer.flush().await.map(|()| 0);
    }
    match writer.write_buf(out).await? {
        0 => Err(io::ErrorKind::WriteZero.into()),
        written => Ok(written),
    }
}
