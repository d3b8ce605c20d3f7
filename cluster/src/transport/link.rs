//! One connection: frames in, frames out, moved by whichever task holds it.

use super::frame::{Frame, FrameError};
use super::socket::Socket;
use bytes::{Buf, BytesMut};
use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Room for reading; frames are cut from it without a copy.
const READ_BYTES: usize = 16 << 10;
/// A buffer that grew beyond this for one big frame is given back once it is empty.
const KEPT_BYTES_MAX: usize = 256 << 10;

/// What a turn of a link brought.
#[derive(Debug, PartialEq, Eq)]
pub enum Turn {
    /// Bytes came in: there may be frames.
    Read,
    /// All that waited is on its way.
    Written,
}

/// Why a connection is over.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    #[error("closed by the other side")]
    Closed,
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Frame(#[from] FrameError),
}

pub struct Link {
    stream: Box<dyn Socket>,
    input: BytesMut,
    out: BytesMut,
    /// Bytes are in the stream's own buffer (TLS has one) that a flush has to bring out.
    unflushed: bool,
    /// Bytes ever put, and of those, handed to the stream.
    put: u64,
    handed: u64,
}

impl Link {
    pub fn new(stream: Box<dyn Socket>) -> Link {
        let input = BytesMut::with_capacity(READ_BYTES);
        Link { stream, input, out: BytesMut::new(), unflushed: false, put: 0, handed: 0 }
    }

    pub fn stream(&mut self) -> &mut dyn Socket {
        &mut *self.stream
    }

    /// Queues a frame. Its last byte is on its way once [`Link::handed`] has reached what is returned.
    pub fn put(&mut self, frame: &Frame) -> u64 {
        let before = self.out.len();
        frame.encode(&mut self.out);
        self.put += (self.out.len() - before) as u64;
        self.put
    }

    pub fn handed(&self) -> u64 {
        self.handed
    }

    pub fn unsent(&self) -> usize {
        self.out.len()
    }

    /// Takes a whole frame out of what came in.
    pub fn next(&mut self) -> Result<Option<Frame>, FrameError> {
        Frame::decode(&mut self.input)
    }

    /// Writes what waits, reads what comes, and returns when there is news of either. May be dropped at any time.
    pub async fn turn(&mut self, reading: bool) -> Result<Turn, Broken> {
        poll_fn(|cx| self.poll(cx, reading)).await
    }

    fn poll(&mut self, cx: &mut Context<'_>, reading: bool) -> Poll<Result<Turn, Broken>> {
        let written = self.poll_out(cx);
        // A connection that takes no more may still have something to say: why it refuses, for one.
        if reading && let Poll::Ready(read) = self.poll_in(cx) {
            return Poll::Ready(read.map(|()| Turn::Read));
        }
        written.map(|written| Ok(written.map(|()| Turn::Written)?))
    }

    /// Ready when something was waiting and now nothing is.
    fn poll_out(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.out.is_empty() {
            let handed = ready!(Pin::new(&mut self.stream).poll_write(cx, &self.out))?;
            if handed == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.unflushed = true;
            self.handed += handed as u64;
            self.out.advance(handed);
        }
        if !self.unflushed {
            return Poll::Pending;
        }
        ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
        self.unflushed = false;
        if self.out.capacity() > KEPT_BYTES_MAX {
            self.out = BytesMut::new();
        }
        Poll::Ready(Ok(()))
    }

    fn poll_in(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Broken>> {
        if self.input.capacity() - self.input.len() < READ_BYTES / 8 {
            self.input.reserve(READ_BYTES / 2);
        }
        Poll::Ready(match ready!(pin!(self.stream.read_buf(&mut self.input)).poll(cx)) {
            Ok(0) => Err(Broken::Closed),
            Ok(_) => Ok(()),
            // TLS would like a goodbye first, which whoever crashes does not say.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(Broken::Closed),
            Err(error) => Err(error.into()),
        })
    }

    /// The next frame, waiting for it.
    pub async fn receive(&mut self) -> Result<Frame, Broken> {
        loop {
            if let Some(frame) = self.next()? {
                return Ok(frame);
            }
            self.turn(true).await?;
        }
    }

    /// Brings out all that waits.
    pub async fn flush(&mut self) -> Result<(), Broken> {
        while !self.out.is_empty() || self.unflushed {
            self.turn(false).await?;
        }
        Ok(())
    }

    /// Says the last words and waits until the other side has closed: a connection closed with bytes unread is reset,
    /// and a reset may overtake the last words.
    pub async fn part(mut self) {
        if self.flush().await.is_ok() && self.stream.shutdown().await.is_ok() {
            loop {
                self.input.clear();
                if self.turn(true).await.is_err() {
                    return;
                }
            }
        }
    }
}
