//! Lane 1: consensus and keep-alives, on a thread of their own.
//!
//! One connection is dialled to every known node and kept; frames go the way it was dialled. The other side only tells
//! that it lives, so that the dialler notices a link that is half open.

use super::backoff::Backoff;
use super::counters::count;
use super::dial;
use super::frame::{Frame, Kind};
use super::hello::Lane;
use super::hold::{Hold, Side};
use super::link::{Broken, Link, Turn};
use super::peer::Peer;
use super::queue::{Dropped, Queue};
use super::shared::Shared;
use bytes::Bytes;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};
use tokio::time::{MissedTickBehavior, interval, timeout};

/// A connection that lasted shorter does not count as a success: it would be dialled in a tight loop.
const STEADY: Duration = Duration::from_secs(2);

/// Queues a frame for a peer, or drops and counts it.
pub fn send(shared: &Shared, peer: Option<&Peer>, frame: Bytes) {
    let counting = &shared.counting;
    match peer.map_or(Err(Dropped::Unreachable), |peer| peer.raft.push(frame)) {
        Ok(()) => {}
        Err(Dropped::Unreachable) => count(&counting.raft_dropped_unreachable),
        Err(Dropped::Full) => count(&counting.raft_dropped_full),
        Err(Dropped::TooLong) => {
            count(&counting.raft_dropped_too_long);
            tracing::error!("a consensus frame is longer than any frame may be, and was dropped");
        }
    }
}

/// Keeps a connection to the peer until it leaves.
pub async fn keep(shared: Arc<Shared>, peer: Arc<Peer>) {
    tokio::select! {
        biased;
        () = peer.lives.left() => {}
        () = dial_on(&shared, &peer) => {}
    }
    drop_waiting(&shared, &peer);
}

fn drop_waiting(shared: &Shared, peer: &Peer) {
    let dropped = peer.raft.closed();
    shared.counting.raft_dropped_unreachable.fetch_add(dropped as u64, Relaxed);
}

async fn dial_on(shared: &Arc<Shared>, peer: &Peer) {
    let mut backoff = Backoff::default();
    loop {
        peer.raft.dialling();
        let dialled = tokio::select! {
            biased;
            dialled = dial::to_peer(shared, peer, Lane::Raft) => dialled,
            // It dialled us just now: a try that began while packets were lost need not be waited for.
            () = peer.poke.notified() => continue,
        };
        let why = match dialled {
            Ok((link, hold)) => {
                count(&shared.counting.opened);
                peer.set_trouble(None);
                peer.opened.fetch_add(1, Relaxed);
                peer.hears();
                peer.raft.opened();
                tracing::info!(node = %peer.node, "connected");
                let since = Instant::now();
                let ended = run(shared, peer, link, hold, Side::Dialled).await;
                if since.elapsed() >= STEADY {
                    backoff.reset();
                    if !ended.silent {
                        // Perhaps only this connection is over: other lanes need not hear of it before the next try fails.
                        drop_waiting(shared, peer);
                        tracing::info!(node = %peer.node, "connection over, dialled anew: {}", ended.why);
                        continue;
                    }
                }
                ended.why
            }
            Err(why) => why,
        };
        drop_waiting(shared, peer);
        if peer.set_trouble(Some(why.clone())).as_ref() != Some(&why) {
            tracing::info!(node = %peer.node, "not connected: {why}");
        }
        let wait = backoff.next();
        // Or less, if it dials us: so it is there.
        let _ = timeout(wait, peer.poke.notified()).await;
    }
}

/// The other side of [`keep`].
pub async fn serve(shared: &Shared, peer: &Peer, link: Link, hold: Hold) -> String {
    peer.hears();
    peer.poke.notify_one();
    run(shared, peer, link, hold, Side::Accepted).await.why
}

/// How an open connection ended.
struct Ended {
    why: String,
    silent: bool,
}

/// Runs an open connection until it ends.
async fn run(shared: &Shared, peer: &Peer, link: Link, hold: Hold, side: Side) -> Ended {
    let queue = (side == Side::Dialled).then_some(&peer.raft);
    let mut lane = Running { shared, peer, link, queue, side, quiet: 0, spoke: true, writing: 0 };
    let why = match lane.run(hold).await {
        Ok(why) => why.to_string(),
        Err(broken) => broken.to_string(),
    };
    Ended { why, silent: lane.is_quiet() }
}

struct Running<'a> {
    shared: &'a Shared,
    peer: &'a Peer,
    link: Link,
    queue: Option<&'a Queue>,
    side: Side,
    /// Ticks since something came.
    quiet: u32,
    /// Something was sent since the last tick.
    spoke: bool,
    /// Bytes taken from the queue and not yet on their way.
    writing: usize,
}

impl Running<'_> {
    async fn run(&mut self, mut hold: Hold) -> Result<&'static str, Broken> {
        let mut tick = interval(self.shared.limits.keep_alive);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // Frames may have come right behind the hello.
        self.take_frames()?;
        loop {
            let idle = self.link.unsent() == 0;
            tokio::select! {
                biased;
                why = hold.ended() => return Ok(why),
                _ = tick.tick() => {
                    if self.is_silent() {
                        return Ok("nothing was heard of it for too long");
                    }
                }
                () = filled(self.queue), if idle => self.put_all(),
                turn = self.link.turn(true) => {
                    if turn? == Turn::Read {
                        self.heard()?;
                    }
                    self.free();
                }
            }
        }
    }

    /// All that waits leaves in one write.
    fn put_all(&mut self) {
        self.free();
        let frames = self.queue.map(Queue::take).unwrap_or_default();
        self.shared.counting.raft_sent.fetch_add(frames.len() as u64, Relaxed);
        for frame in frames {
            self.spoke = true;
            self.writing += frame.len();
            self.link.put(&Frame::new(Kind::Raft, 0, frame));
        }
    }

    fn free(&mut self) {
        if self.writing > 0 && self.link.unsent() == 0 {
            self.queue.inspect(|queue| queue.written(self.writing));
            self.writing = 0;
        }
    }

    fn heard(&mut self) -> Result<(), Broken> {
        self.quiet = 0;
        self.peer.hears();
        self.take_frames()
    }

    fn take_frames(&mut self) -> Result<(), Broken> {
        while let Some(frame) = self.link.next()? {
            // What else a later version may send here can be left unheard.
            if frame.kind == Kind::Raft {
                count(&self.shared.counting.raft_received);
                self.shared.inbound.raft(self.peer.node, frame.body);
            }
        }
        Ok(())
    }

    fn is_quiet(&self) -> bool {
        let limits = &self.shared.limits;
        self.quiet > limits.silence.div_duration_f64(limits.keep_alive) as u32
    }

    /// Ticks are counted, not time: a process that was stopped for a while finds what came meanwhile before its next tick.
    fn is_silent(&mut self) -> bool {
        self.quiet += 1;
        if self.is_quiet() {
            count(&self.shared.counting.silent);
            self.peer.lives.silent(self.side);
            return true;
        }
        if !std::mem::take(&mut self.spoke) && self.link.unsent() == 0 {
            self.link.put(&Frame::new(Kind::KeepAlive, 0, Bytes::new()));
        }
        false
    }
}

async fn filled(queue: Option<&Queue>) {
    match queue {
        Some(queue) => queue.filled().await,
        None => std::future::pending().await,
    }
}
