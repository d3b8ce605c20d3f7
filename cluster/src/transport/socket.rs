//! What a connection runs over: TCP under TLS; in tests, plain TCP or a pipe in memory.

use std::io;
use std::os::fd::AsFd;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream};
use tokio::net::TcpStream;

/// A stream of bytes both ways, and the TCP connection beneath it, if there is one.
pub trait Socket: AsyncRead + AsyncWrite + Unpin + Send + 'static {
    fn tcp(&mut self) -> Option<&mut TcpStream>;
}

impl Socket for TcpStream {
    fn tcp(&mut self) -> Option<&mut TcpStream> {
        Some(self)
    }
}

impl Socket for DuplexStream {
    fn tcp(&mut self) -> Option<&mut TcpStream> {
        None
    }
}

impl Socket for Box<dyn Socket> {
    fn tcp(&mut self) -> Option<&mut TcpStream> {
        (**self).tcp()
    }
}

impl<S: Socket> Socket for tokio_rustls::client::TlsStream<S> {
    fn tcp(&mut self) -> Option<&mut TcpStream> {
        self.get_mut().0.tcp()
    }
}

impl<S: Socket> Socket for tokio_rustls::server::TlsStream<S> {
    fn tcp(&mut self) -> Option<&mut TcpStream> {
        self.get_mut().0.tcp()
    }
}

/// Small frames leave at once, and a peer that vanished is noticed even on a lane without keep-alives of ours.
pub fn tune(tcp: &TcpStream) -> io::Result<()> {
    tcp.set_nodelay(true)?;
    let probe = socket2::TcpKeepalive::new().with_time(Duration::from_secs(5)).with_interval(Duration::from_secs(2));
    socket2::SockRef::from(tcp).set_tcp_keepalive(&probe.with_retries(3))
}

/// Has the runtime this is called in watch the connection, instead of the one it was accepted in.
///
/// A socket's wake-ups come from the runtime it was made in, whichever runtime its task is in: without this a lane
/// accepted among user work would wait for user work.
pub fn rehome(stream: &mut dyn Socket) -> io::Result<()> {
    if let Some(tcp) = stream.tcp() {
        // A second descriptor of the same connection; the first is forgotten and closed with the old value.
        let twin = std::net::TcpStream::from(tcp.as_fd().try_clone_to_owned()?);
        *tcp = TcpStream::from_std(twin)?;
    }
    Ok(())
}
