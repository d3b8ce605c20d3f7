//! The task that holds the connection for calls to one peer.

use super::{Ask, Call, Room, late};
use crate::transport::CallError;
use crate::transport::backoff::Backoff;
use crate::transport::dial;
use crate::transport::frame::{Frame, Kind};
use crate::transport::hello::Lane;
use crate::transport::hold::Hold;
use crate::transport::link::{Broken, Link, Turn};
use crate::transport::peer::Peer;
use crate::transport::shared::Shared;
use bytes::Bytes;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::oneshot;
use wire::codec;

/// Calls are put into frames as long as fewer bytes wait: the others keep their place, and their clock runs on.
const UNSENT_BYTES_MAX: usize = 256 << 10;

/// Dials when there is a call, and keeps the connection.
pub async fn keep(shared: Arc<Shared>, peer: Arc<Peer>, mut asked: UnboundedReceiver<Ask>) {
    let mut pause = Pause::default();
    tokio::select! {
        biased;
        () = peer.lives.left() => {}
        () = async {
            while let Some(ask) = asked.recv().await {
                let Ask::Call(call) = ask else { continue };
                match open(&shared, &peer, &mut pause).await {
                    Ok((link, hold)) => Running::run(link, hold, call, &mut asked).await,
                    Err(why) => {
                        call.fail(&why);
                        fail_all(&mut asked, &why);
                    }
                }
            }
        } => {}
    }
    asked.close();
    fail_all(&mut asked, "the peer left, or this node stops");
}

/// What is asked of a peer that cannot be reached fails at once, until it is tried again.
#[derive(Default)]
struct Pause {
    backoff: Backoff,
    until: Option<Instant>,
    /// Lane 1 came up so often: once more, and there is no reason to wait.
    opened: u64,
    why: String,
}

async fn open(shared: &Shared, peer: &Peer, pause: &mut Pause) -> Result<(Link, Hold), String> {
    // Lane 1 is tried all the time: what it says is not older than its last try.
    if let Some(why) = peer.trouble() {
        return Err(why);
    }
    let opened = peer.opened.load(Relaxed);
    if pause.until.is_some_and(|until| Instant::now() < until) && pause.opened == opened {
        return Err(pause.why.clone());
    }
    match dial::to_peer(shared, peer, Lane::Calls).await {
        Ok(open) => {
            *pause = Pause::default();
            Ok(open)
        }
        Err(why) => {
            (pause.until, pause.opened) = (Some(Instant::now() + pause.backoff.next()), opened);
            pause.why.clone_from(&why);
            Err(why)
        }
    }
}

fn fail_all(asked: &mut UnboundedReceiver<Ask>, why: &str) {
    while let Ok(ask) = asked.try_recv() {
        if let Ask::Call(call) = ask {
            call.fail(why);
        }
    }
}

/// A call under way.
struct Sent {
    answer: oneshot::Sender<Result<Bytes, CallError>>,
    /// Its last byte is on its way once the link has handed over so many.
    end: u64,
    room: Room,
}

struct Running {
    link: Link,
    sent: BTreeMap<u64, Sent>,
}

impl Running {
    /// Runs an open connection until it ends, then tells those who wait.
    async fn run(link: Link, hold: Hold, first: Call, asked: &mut UnboundedReceiver<Ask>) {
        let mut lane = Running { link, sent: BTreeMap::new() };
        lane.put(Ask::Call(first));
        let why = match lane.until_broken(hold, asked).await {
            Ok(why) => why.to_string(),
            Err(broken) => broken.to_string(),
        };
        for Sent { answer, end, .. } in lane.sent.into_values() {
            // A frame that is not whole over there is not run.
            let whole = lane.link.handed() >= end;
            let error = if whole { CallError::Lost(why.clone()) } else { CallError::NotSent(why.clone()) };
            let _ = answer.send(Err(error));
        }
    }

    async fn until_broken(
        &mut self,
        mut hold: Hold,
        asked: &mut UnboundedReceiver<Ask>,
    ) -> Result<&'static str, Broken> {
        loop {
            // Under a secret that was replaced nothing new begins, and the end comes with the last answer.
            let stale = hold.is_stale();
            if stale && self.sent.is_empty() && self.link.unsent() == 0 {
                return Ok("the cluster's secrets were replaced");
            }
            let room = !stale && self.link.unsent() < UNSENT_BYTES_MAX;
            tokio::select! {
                biased;
                why = hold.ended() => return Ok(why),
                Some(ask) = asked.recv(), if room => {
                    self.put(ask);
                    // What else is asked leaves in the same write.
                    while self.link.unsent() < UNSENT_BYTES_MAX && let Ok(ask) = asked.try_recv() {
                        self.put(ask);
                    }
                }
                turn = self.link.turn(true) => {
                    if turn? == Turn::Read {
                        while let Some(frame) = self.link.next()? {
                            self.take(frame);
                        }
                    }
                }
            }
        }
    }

    fn put(&mut self, ask: Ask) {
        match ask {
            Ask::Call(call) => match call.take(Instant::now()) {
                Some(time_left_ms) => {
                    let frame = Frame { kind: Kind::Call, what: call.kind, id: call.id, time_left_ms, body: call.body };
                    let end = self.link.put(&frame);
                    self.sent.insert(call.id, Sent { answer: call.answer, end, room: call.room });
                }
                // Whoever gave up is not listening.
                None => drop(call.answer.send(Err(late()))),
            },
            Ask::Cancel(id) => {
                if self.sent.remove(&id).is_some() {
                    self.link.put(&Frame::new(Kind::Cancel, id, Bytes::new()));
                }
            }
        }
    }

    fn take(&mut self, frame: Frame) {
        if !matches!(frame.kind, Kind::Answer | Kind::Failed) {
            return;
        }
        // Without an owner: it was cancelled while the answer was on its way.
        let Some(Sent { answer, room, .. }) = self.sent.remove(&frame.id) else { return };
        // Before the caller hears: it may call again at once.
        drop(room);
        let _ = answer.send(answer_in(frame));
    }
}

/// What an answer's frame says.
pub fn answer_in(frame: Frame) -> Result<Bytes, CallError> {
    match frame.kind {
        Kind::Failed => Err(match codec::decode(&frame.body) {
            Ok(error) => CallError::Refused(error),
            Err(why) => CallError::Lost(format!("its error does not decode: {why}")),
        }),
        _ => Ok(frame.body),
    }
}
