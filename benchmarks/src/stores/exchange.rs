//! A connection on which a request goes out in one write and a reply comes back. As little work as can be: what the writer
//! costs is missing from the store it measures, on a machine they share.

use anyhow::{Context, Result, ensure};
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub struct Exchange {
    stream: TcpStream,
    /// The request, filled by the caller.
    pub out: Vec<u8>,
    input: Vec<u8>,
}

impl Exchange {
    pub async fn connect(at: SocketAddr) -> Result<Exchange> {
        let stream = TcpStream::connect(at).await.with_context(|| format!("cannot connect to {at}"))?;
        stream.set_nodelay(true)?;
        Ok(Exchange { stream, out: Vec::with_capacity(1024), input: Vec::with_capacity(4096) })
    }

    /// Sends `out`, and takes from what comes back what `whole` finds: the length of a whole reply, or `None` while it is not
    /// whole. There is one reply to one request: more is an error.
    pub async fn run(&mut self, whole: impl Fn(&[u8]) -> Result<Option<usize>>) -> Result<&[u8]> {
        self.stream.write_all(&self.out).await?;
        self.out.clear();
        self.input.clear();
        loop {
            ensure!(self.stream.read_buf(&mut self.input).await? > 0, "the store closed the connection");
            if let Some(length) = whole(&self.input)? {
                ensure!(length == self.input.len(), "the store sent more than it was asked for");
                return Ok(&self.input);
            }
        }
    }
}

/// Where `what` begins in `bytes`.
pub fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}
