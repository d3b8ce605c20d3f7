//! The task that owns a connection's socket.

use super::socket::{Socket, push};
use super::{Control, Event, Fate, Order, credit_frame};
use bytes::{Bytes, BytesMut};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use tokio::io::AsyncReadExt;
use tokio::sync::{mpsc, oneshot};
use wire::codec;
use wire::frame::{Frame, Kind};

/// Bytes written ahead of the socket; beyond it no calls are taken from the queue.
const UNSENT_MAX: usize = 1 << 20;
/// Calls taken from the queue at once: they leave in one write.
const BATCH: usize = 256;
/// A caller gave up after this long and nothing came in meanwhile: the connection is dead, whatever TCP thinks.
const DEAF_AFTER: Duration = Duration::from_secs(3);

enum Waiting {
    Call(oneshot::Sender<Fate>, Instant),
    Stream(mpsc::Sender<Event>),
}

pub struct Driver {
    waiting: BTreeMap<u64, Waiting>,
    input: BytesMut,
    out: BytesMut,
    /// TLS may still hold back the end of what was written.
    unflushed: bool,
    heard: Instant,
}

impl Driver {
    pub fn new(input: BytesMut) -> Driver {
        Driver { waiting: BTreeMap::new(), input, out: BytesMut::new(), unflushed: false, heard: Instant::now() }
    }

    /// Runs until the connection or its last caller is gone. Whoever still waits hears that the connection is lost.
    pub async fn run(
        mut self,
        stream: impl Socket,
        mut orders: mpsc::Receiver<Order>,
        control: mpsc::UnboundedReceiver<Control>,
    ) {
        let why = self.drive(stream, &mut orders, control).await;
        tracing::debug!(why, waiting = self.waiting.len(), "a connection ended");
        // First no new ones, or one could slip in and wait for ever.
        orders.close();
        for (_, waiting) in std::mem::take(&mut self.waiting) {
            match waiting {
                Waiting::Call(answer, _) => drop(answer.send(Fate::Lost { sent: true })),
                Waiting::Stream(items) => drop(items.try_send(Event::Lost)),
            }
        }
    }

    async fn drive(
        &mut self,
        mut stream: impl Socket,
        orders: &mut mpsc::Receiver<Order>,
        mut control: mpsc::UnboundedReceiver<Control>,
    ) -> &'static str {
        let (mut reader, mut writer) = stream.halves();
        let mut batch = Vec::with_capacity(BATCH);
        loop {
            tokio::select! {
                biased;
                Some(control) = control.recv() => {
                    if !self.obey(control) {
                        return "nothing comes in any more";
                    }
                }
                taken = orders.recv_many(&mut batch, BATCH), if self.out.len() < UNSENT_MAX => {
                    if taken == 0 {
                        return "no caller is left";
                    }
                    let now = Instant::now();
                    batch.drain(..).for_each(|order| self.take(order, now));
                }
                wrote = push(&mut writer, &mut self.out), if self.unflushed || !self.out.is_empty() => {
                    let Ok(written) = wrote else { return "cannot write" };
                    self.unflushed = written > 0;
                }
                read = reader.read_buf(&mut self.input) => {
                    let Ok(1..) = read else { return "the node closed it" };
                    self.heard = Instant::now();
                    loop {
                        match Frame::decode(&mut self.input) {
                            Ok(Some(frame)) => match self.deliver(frame) {
                                Some(()) => {}
                                None => return "the node speaks nonsense",
                            },
                            Ok(None) => break,
                            Err(_) => return "the node speaks nonsense",
                        }
                    }
                }
            }
        }
    }

    fn take(&mut self, order: Order, now: Instant) {
        match order {
            // Who does not wait any more need not be sent.
            Order::Call { answer, .. } if answer.is_closed() => {}
            Order::Call { frame, answer } => {
                frame.encode(&mut self.out);
                self.waiting.insert(frame.stream, Waiting::Call(answer, now));
            }
            Order::Open { frame, items, credit } => {
                frame.encode(&mut self.out);
                credit_frame(frame.stream, credit).encode(&mut self.out);
                self.waiting.insert(frame.stream, Waiting::Stream(items));
            }
        }
    }

    /// False: the connection is given up.
    fn obey(&mut self, control: Control) -> bool {
        match control {
            Control::Cancel(stream) => {
                if let Some(waiting) = self.waiting.remove(&stream) {
                    Frame::new(Kind::Cancel, stream, Bytes::new()).encode(&mut self.out);
                    if let Waiting::Call(_, sent) = waiting {
                        return self.heard > sent || sent.elapsed() < DEAF_AFTER;
                    }
                }
            }
            Control::Credit(stream, items) => {
                if self.waiting.contains_key(&stream) {
                    credit_frame(stream, items).encode(&mut self.out);
                }
            }
        }
        true
    }

    /// None: the node broke the protocol.
    fn deliver(&mut self, frame: Frame) -> Option<()> {
        let stream = frame.stream;
        match (frame.kind, self.waiting.get(&stream)) {
            (Kind::Reply | Kind::Item | Kind::End | Kind::Error, None) => {
                // An answer to what was cancelled meanwhile; 0 is the connection itself: the node says why it ends it.
                return (stream != 0).then_some(());
            }
            (Kind::Item, Some(Waiting::Stream(items))) => {
                let item = codec::decode(&frame.payload).ok()?;
                // More than it has credit for: not a reader's fault.
                return items.try_send(Event::Item(item)).ok().or_else(|| items.is_closed().then_some(()));
            }
            (Kind::Reply | Kind::End | Kind::Error, Some(_)) => {}
            _ => return None,
        }
        match (frame.kind, self.waiting.remove(&stream)?) {
            (Kind::Reply, Waiting::Call(answer, _)) => {
                drop(answer.send(Fate::Reply(codec::decode(&frame.payload).ok()?)))
            }
            (Kind::Error, Waiting::Call(answer, _)) => {
                drop(answer.send(Fate::Failed(codec::decode(&frame.payload).ok()?)))
            }
            (Kind::Error, Waiting::Stream(items)) => {
                drop(items.try_send(Event::Failed(codec::decode(&frame.payload).ok()?)))
            }
            (Kind::End, Waiting::Stream(items)) => drop(items.try_send(Event::End)),
            _ => return None,
        }
        Some(())
    }
}
