//! One connection to a node: many calls at a time, written together, answered in any order.

mod driver;
mod socket;

use crate::Error;
use crate::tls::{self, Tls};
use bytes::BytesMut;
use driver::Driver;
use socket::Socket;
use std::any::TypeId;
use std::collections::BTreeSet;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout_at};
use wire::codec;
use wire::frame::{Frame, Kind};
use wire::ids::ClusterId;
use wire::rpc::{Credit, Hello, Reply, Welcome};
use wire::{Outcome, frame};

/// Calls handed over and not written yet; beyond it callers wait, within their deadlines.
const QUEUE: usize = 1_024;
/// A single address gets this long, so that the others have their turn.
const CONNECT_WITHIN: Duration = Duration::from_secs(3);

/// What became of a call on this connection.
#[derive(Debug)]
pub enum Fate {
    Reply(Reply),
    Failed(wire::Error),
    /// The connection broke. Not `sent`: the node never heard of the call.
    Lost {
        sent: bool,
    },
}

/// What comes over a stream.
#[derive(Debug)]
pub enum Event {
    Item(Reply),
    End,
    Failed(wire::Error),
    Lost,
}

enum Order {
    Call { frame: Frame, answer: oneshot::Sender<Fate> },
    Open { frame: Frame, items: mpsc::Sender<Event>, credit: u32 },
}

enum Control {
    Cancel(u64),
    Credit(u64, u32),
}

/// The callers' end of a connection.
pub struct Link {
    orders: mpsc::Sender<Order>,
    /// Little, and at most a few a call: never waits behind calls.
    control: mpsc::UnboundedSender<Control>,
    next: AtomicU64,
    /// Requests whose types this node has in another version: they travel as JSON.
    json: Mutex<BTreeSet<TypeId>>,
}

impl Link {
    pub fn is_alive(&self) -> bool {
        !self.orders.is_closed()
    }

    /// Sends a call and waits for what becomes of it. Dropped before that, it cancels the call.
    pub async fn call(&self, mut frame: Frame) -> Fate {
        frame.stream = self.next.fetch_add(1, Ordering::Relaxed);
        let mut cancel = Cancel { link: self, stream: frame.stream, armed: true };
        let (answer, answered) = oneshot::channel();
        if self.orders.send(Order::Call { frame, answer }).await.is_err() {
            cancel.armed = false;
            return Fate::Lost { sent: false };
        }
        // Gone without a word: it was still in the queue.
        let fate = answered.await.unwrap_or(Fate::Lost { sent: false });
        cancel.armed = false;
        fate
    }

    /// Opens a stream with credit for as many items as `window`.
    pub async fn open(&self, mut frame: Frame, window: u32) -> Option<(u64, mpsc::Receiver<Event>)> {
        let stream = self.next.fetch_add(1, Ordering::Relaxed);
        frame.stream = stream;
        // One place more than the credit: for the end.
        let (items, events) = mpsc::channel(window as usize + 1);
        self.orders.send(Order::Open { frame, items, credit: window }).await.ok()?;
        Some((stream, events))
    }

    pub fn credit(&self, stream: u64, items: u32) {
        let _ = self.control.send(Control::Credit(stream, items));
    }

    pub fn cancel(&self, stream: u64) {
        let _ = self.control.send(Control::Cancel(stream));
    }

    pub fn takes_json(&self, request: TypeId) -> bool {
        self.json.lock().unwrap_or_else(PoisonError::into_inner).contains(&request)
    }

    pub fn send_json_from_now_on(&self, request: TypeId) {
        self.json.lock().unwrap_or_else(PoisonError::into_inner).insert(request);
    }
}

/// Tells the node when a caller stops waiting.
struct Cancel<'a> {
    link: &'a Link,
    stream: u64,
    armed: bool,
}

impl Drop for Cancel<'_> {
    fn drop(&mut self) {
        if self.armed {
            self.link.cancel(self.stream);
        }
    }
}

/// Connects and shakes hands.
pub async fn connect(
    node: &str,
    tls: Option<&Tls>,
    hello: &Hello,
    deadline: Instant,
) -> Result<(Link, ClusterId), Error> {
    let deadline = deadline.min(Instant::now() + CONNECT_WITHIN);
    let connecting = async {
        let stream = dial(node).await?;
        match tls {
            None => shake_hands(stream, hello).await,
            Some(tls) => shake_hands(tls.secure(stream).await?, hello).await,
        }
    };
    let failed = |why: String| Error::Unreachable { node: node.into(), why, outcome: Outcome::NotRun };
    match timeout_at(deadline, connecting).await {
        Err(_) => Err(failed("no answer in time".into())),
        Ok(Err(broken)) if tls::is_distrust(&broken) => Err(Error::Untrusted { node: node.into() }),
        Ok(Err(broken)) => Err(failed(broken.to_string())),
        Ok(Ok(Err(refused))) => Err(Error::Answered(refused)),
        Ok(Ok(Ok(shaken))) => Ok(shaken),
    }
}

async fn dial(node: &str) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(node).await?;
    stream.set_nodelay(true)?;
    let probe = socket2::TcpKeepalive::new().with_time(Duration::from_secs(10)).with_interval(Duration::from_secs(5));
    socket2::SockRef::from(&stream).set_tcp_keepalive(&probe.with_retries(3))?;
    Ok(stream)
}

async fn shake_hands(mut stream: impl Socket, hello: &Hello) -> io::Result<Result<(Link, ClusterId), wire::Error>> {
    let mut out = BytesMut::new();
    Frame::new(Kind::Hello, 0, codec::encode(hello).map_err(io::Error::other)?).encode(&mut out);
    stream.write_all(&out).await?;
    stream.flush().await?;
    let mut input = BytesMut::with_capacity(4 << 10);
    let frame = loop {
        if let Some(frame) = Frame::decode(&mut input).map_err(odd)? {
            break frame;
        }
        if stream.read_buf(&mut input).await? == 0 {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "it closed the connection; is this a node's RPC port?",
            ));
        }
    };
    match frame.kind {
        Kind::Welcome => {
            let welcome: Welcome = codec::decode(&frame.payload).map_err(io::Error::other)?;
            let (orders, queue) = mpsc::channel(QUEUE);
            let (control, controls) = mpsc::unbounded_channel();
            tokio::spawn(Driver::new(input).run(stream, queue, controls));
            let link = Link { orders, control, next: AtomicU64::new(1), json: Mutex::default() };
            Ok(Ok((link, welcome.cluster)))
        }
        Kind::Error => Ok(Err(codec::decode(&frame.payload).map_err(io::Error::other)?)),
        kind => Err(io::Error::other(format!("it answered the hello with {kind:?}"))),
    }
}

fn odd(why: frame::FrameError) -> io::Error {
    io::Error::other(format!("it does not speak our protocol ({why}); is this a node's RPC port?"))
}

/// A credit as it travels.
fn credit_frame(stream: u64, items: u32) -> Frame {
    let payload = codec::encode(&Credit { items }).expect("a number encodes");
    Frame::new(Kind::Credit, stream, payload)
}
