//! A snapshot, coming in.

use super::{QUIET_TICKS_MAX, URGENT};
use crate::transport::counters::count;
use crate::transport::frame::{Frame, Kind};
use crate::transport::hold::Hold;
use crate::transport::line;
use crate::transport::link::{Link, Turn};
use crate::transport::shared::Shared;
use bytes::Bytes;
use futures::FutureExt;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::{Interval, MissedTickBehavior, interval, timeout};
use wire::ids::NodeId;

/// Chunks read ahead of whoever takes them.
const CHUNKS_AHEAD: usize = 2;
/// For a receiver whose chunks broke off, to put away what it has.
const PUT_AWAY_WITHIN: Duration = Duration::from_secs(30);
/// For a sender to hear the verdict and close.
const PART_WITHIN: Duration = Duration::from_secs(5);

type Taking = Pin<Box<dyn Future<Output = Result<(), String>> + Send>>;

/// Takes one snapshot in; says how it went.
pub async fn serve(shared: &Arc<Shared>, from: NodeId, link: Link, mut hold: Hold) -> String {
    let mut tick = interval(shared.limits.snapshot_silence / QUIET_TICKS_MAX);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut serving = Serving { shared, link, tick, quiet: 0, chunks: None, stuck: None };
    let coming = tokio::select! {
        biased;
        why = hold.ended() => return why.to_string(),
        coming = serving.until_its_turn() => coming,
    };
    let (head, turn) = match coming {
        Ok(coming) => coming,
        Err(why) => return why,
    };
    serving.link.put(&Frame::new(Kind::Go, 0, Bytes::new()));
    let (chunks, stream) = channel(CHUNKS_AHEAD);
    serving.chunks = Some(chunks);
    let mut taking = take(shared, from, head, stream);
    let ended = tokio::select! {
        biased;
        why = hold.ended() => Err(why.to_string()),
        ended = serving.until_verdict(&mut taking) => ended,
    };
    let verdict = match ended {
        Ok(verdict) => verdict,
        Err(why) => {
            // It hears that no more will come.
            drop(serving);
            let _ = timeout(PUT_AWAY_WITHIN, taking).await;
            return why;
        }
    };
    drop(turn);
    let (frame, told) = match verdict {
        Ok(()) => {
            count(&shared.counting.snapshots_received);
            (Frame::new(Kind::Done, 0, Bytes::new()), "taken".to_string())
        }
        Err(why) => (Frame::new(Kind::Failed, 0, why.clone()), why),
    };
    serving.link.put(&frame);
    let _ = timeout(PART_WITHIN, serving.link.part()).await;
    told
}

/// Whoever takes it, on a task of the node's runtime.
fn take(shared: &Shared, from: NodeId, head: Bytes, stream: Receiver<Bytes>) -> Taking {
    let inbound = shared.inbound.clone();
    let task = shared.runtime.spawn(async move {
        match AssertUnwindSafe(inbound.snapshot(from, head, stream)).catch_unwind().await {
            Ok(verdict) => verdict,
            Err(_) => Err("the receiver failed at it".into()),
        }
    });
    Box::pin(async move { task.await.unwrap_or_else(|_| Err("the receiver stops".into())) })
}

struct Serving<'a> {
    shared: &'a Shared,
    link: Link,
    tick: Interval,
    /// Ticks since the sender said something.
    quiet: u32,
    /// None once they have ended, or nobody takes them any more.
    chunks: Option<Sender<Bytes>>,
    /// A chunk there was no room for; nothing is read meanwhile, so that the sender feels it.
    stuck: Option<Bytes>,
}

impl Serving<'_> {
    /// The head, and then the snapshot's turn.
    async fn until_its_turn(&mut self) -> Result<(Bytes, line::Turn), String> {
        let silence = self.shared.limits.snapshot_silence;
        let head = timeout(silence, self.link.receive()).await.map_err(|_| "it sent no head".to_string())?;
        let head = head.map_err(|broken| broken.to_string())?;
        if head.kind != Kind::Head {
            return Err(format!("{:?} in place of a snapshot's head", head.kind));
        }
        let line = self.shared.incoming.clone();
        let mut turn = std::pin::pin!(line.wait(head.what == URGENT));
        loop {
            tokio::select! {
                biased;
                turn = turn.as_mut() => return Ok((head.body, turn)),
                _ = self.tick.tick() => self.look()?,
                turn = self.link.turn(true) => {
                    if turn.map_err(|broken| broken.to_string())? == Turn::Read {
                        self.quiet = 0;
                        while let Some(frame) = self.link.next().map_err(|why| why.to_string())? {
                            if frame.kind != Kind::KeepAlive {
                                return Err(format!("{:?} before its turn", frame.kind));
                            }
                        }
                    }
                }
            }
        }
    }

    async fn until_verdict(&mut self, taking: &mut Taking) -> Result<Result<(), String>, String> {
        loop {
            while self.stuck.is_none()
                && let Some(frame) = self.link.next().map_err(|why| why.to_string())?
            {
                self.take_frame(frame)?;
            }
            let stuck = self.stuck.is_some();
            tokio::select! {
                biased;
                verdict = taking.as_mut() => return Ok(verdict),
                _ = self.tick.tick() => self.look()?,
                () = pass_on(&mut self.chunks, &mut self.stuck), if stuck => {}
                turn = self.link.turn(!stuck) => {
                    if turn.map_err(|broken| broken.to_string())? == Turn::Read {
                        self.quiet = 0;
                    }
                }
            }
        }
    }

    fn take_frame(&mut self, frame: Frame) -> Result<(), String> {
        match frame.kind {
            Kind::Chunk => {
                self.stuck = Some(frame.body);
                Ok(())
            }
            Kind::End => {
                self.chunks = None;
                Ok(())
            }
            Kind::KeepAlive => Ok(()),
            kind => Err(format!("{kind:?} among a snapshot's chunks")),
        }
    }

    fn look(&mut self) -> Result<(), String> {
        // Unread bytes are not silence.
        self.quiet = if self.stuck.is_some() { 0 } else { self.quiet + 1 };
        if self.quiet > QUIET_TICKS_MAX {
            return Err("the sender fell silent".into());
        }
        if self.link.unsent() == 0 {
            self.link.put(&Frame::new(Kind::KeepAlive, 0, Bytes::new()));
        }
        Ok(())
    }
}

/// Hands the chunk on once there is room. Loses nothing when dropped.
async fn pass_on(chunks: &mut Option<Sender<Bytes>>, stuck: &mut Option<Bytes>) {
    let room = match chunks {
        Some(chunks) => chunks.reserve().await.ok(),
        None => None,
    };
    // Nobody takes it any more: the verdict is near.
    if let Some(chunk) = stuck.take()
        && let Some(room) = room
    {
        room.send(chunk);
    }
}
