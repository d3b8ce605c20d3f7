//! A snapshot, sent.

use super::{QUIET_TICKS_MAX, URGENT};
use crate::transport::CallError;
use crate::transport::counters::count;
use crate::transport::dial;
use crate::transport::frame::{BODY_BYTES_MAX, Frame, Kind};
use crate::transport::hello::Lane;
use crate::transport::hold::Hold;
use crate::transport::link::{Link, Turn};
use crate::transport::peer::Peer;
use crate::transport::shared::Shared;
use bytes::Bytes;
use std::time::Instant;
use tokio::sync::mpsc::Receiver;
use tokio::time::{MissedTickBehavior, interval, sleep_until};
use wire::error::{Outcome, Reason};

/// The receiver heard it all, or enough, and did not take it.
pub const NOT_TAKEN: Reason = Reason::unavailable("snapshot_not_taken");

/// Sends one and waits for the verdict.
pub async fn send(
    shared: &Shared,
    peer: &Peer,
    head: Bytes,
    chunks: Receiver<Bytes>,
    urgent: bool,
) -> Result<(), CallError> {
    if head.len() > BODY_BYTES_MAX {
        return Err(CallError::NotSent(format!("a head of {} bytes; at most {BODY_BYTES_MAX} fit", head.len())));
    }
    let _turn = tokio::select! {
        biased;
        () = peer.lives.left() => return Err(CallError::NotSent("the peer left, or this node stops".into())),
        turn = peer.snapshots.wait(urgent) => turn,
    };
    if let Some(why) = peer.trouble() {
        return Err(CallError::NotSent(why));
    }
    let (link, hold) = dial::to_peer(shared, peer, Lane::Snapshot).await.map_err(CallError::NotSent)?;
    let mut sending = Sending { shared, link, chunks: Some(chunks), go: false, quiet: 0, next: Instant::now() };
    sending.link.put(&Frame { what: u8::from(urgent) * URGENT, ..Frame::new(Kind::Head, 0, head) });
    match sending.run(hold).await {
        Ok(Ok(())) => {
            count(&shared.counting.snapshots_sent);
            Ok(())
        }
        Ok(Err(why)) => Err(CallError::Refused(NOT_TAKEN.refuse(why).with_outcome(Outcome::Ran))),
        Err(why) if sending.go => Err(CallError::Lost(why)),
        Err(why) => Err(CallError::NotSent(why)),
    }
}

struct Sending<'a> {
    shared: &'a Shared,
    link: Link,
    /// None once they have ended.
    chunks: Option<Receiver<Bytes>>,
    /// The receiver has room.
    go: bool,
    /// Ticks since the receiver said something.
    quiet: u32,
    /// When the throttle lets the next chunk go.
    next: Instant,
}

impl Sending<'_> {
    /// Until the verdict; the outer error says what broke.
    async fn run(&mut self, mut hold: Hold) -> Result<Result<(), String>, String> {
        let mut tick = interval(self.shared.limits.snapshot_silence / QUIET_TICKS_MAX);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let room = self.go && self.link.unsent() == 0;
            let next = self.next;
            tokio::select! {
                biased;
                why = hold.ended() => return Err(why.to_string()),
                _ = tick.tick() => {
                    self.quiet += 1;
                    if self.quiet > QUIET_TICKS_MAX {
                        return Err("the receiver fell silent".into());
                    }
                    if self.link.unsent() == 0 {
                        self.link.put(&Frame::new(Kind::KeepAlive, 0, Bytes::new()));
                    }
                }
                chunk = chunk(&mut self.chunks, next), if room && self.chunks.is_some() => self.put(chunk)?,
                turn = self.link.turn(true) => {
                    if turn.map_err(|broken| broken.to_string())? == Turn::Read
                        && let Some(verdict) = self.take_frames()?
                    {
                        return Ok(verdict);
                    }
                }
            }
        }
    }

    fn put(&mut self, chunk: Option<Bytes>) -> Result<(), String> {
        match chunk {
            Some(chunk) if chunk.len() > BODY_BYTES_MAX => {
                return Err(format!("a chunk of {} bytes; at most {BODY_BYTES_MAX} fit into a frame", chunk.len()));
            }
            Some(chunk) => {
                self.next = self.shared.throttle.take(chunk.len(), Instant::now());
                self.link.put(&Frame::new(Kind::Chunk, 0, chunk));
            }
            None => {
                self.chunks = None;
                self.link.put(&Frame::new(Kind::End, 0, Bytes::new()));
            }
        }
        Ok(())
    }

    fn take_frames(&mut self) -> Result<Option<Result<(), String>>, String> {
        self.quiet = 0;
        while let Some(frame) = self.link.next().map_err(|why| why.to_string())? {
            match frame.kind {
                Kind::Go => self.go = true,
                Kind::Done => return Ok(Some(Ok(()))),
                Kind::Failed => return Ok(Some(Err(String::from_utf8_lossy(&frame.body).into_owned()))),
                Kind::KeepAlive => {}
                kind => return Err(format!("{kind:?} is no answer to a snapshot")),
            }
        }
        Ok(None)
    }
}

async fn chunk(chunks: &mut Option<Receiver<Bytes>>, from: Instant) -> Option<Bytes> {
    sleep_until(from.into()).await;
    chunks.as_mut()?.recv().await
}
