//! Another node, as this one knows it: which life of it, which connections, when it was last heard.

use super::calls::Calls;
use super::hello::{Hello, Lane};
use super::line::Line;
use super::locked;
use super::queue::Queue;
use super::refusal::Refusal;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};
use tokio::sync::{Notify, watch};
use wire::ids::{Incarnation, NodeId};

/// Who opened a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Dialled = 0,
    Accepted = 1,
}

/// What decides whether a connection with the peer may go on.
#[derive(Clone, Debug, Default)]
pub struct Life {
    incarnation: Incarnation,
    process: u64,
    /// It is no longer part of the cluster, or this node stops.
    left: bool,
    /// Its newest connections on lanes 1 and 2: what it dials anew, it has given up before.
    newest: [u64; 2],
    /// How often it fell silent, by [`Side`].
    silences: [u64; 2],
}

impl Life {
    fn check(&self, theirs: &Hello) -> Result<(), Refusal> {
        let node = theirs.node;
        if theirs.incarnation < self.incarnation {
            return Err(Refusal::OlderLife { node, theirs: theirs.incarnation, seen: self.incarnation });
        }
        if theirs.incarnation == self.incarnation && self.process != 0 && theirs.process != self.process {
            return Err(Refusal::Twin { node, life: theirs.incarnation });
        }
        Ok(())
    }
}

pub struct Peer {
    pub node: NodeId,
    life: watch::Sender<Life>,
    born: Instant,
    /// Milliseconds from `born`, one more; 0 = never.
    heard: AtomicU64,
    /// How often lane 1 came up: whoever waits to try again need not wait longer.
    pub opened: AtomicU64,
    /// It dialled us: so it can be dialled.
    pub poke: Notify,
    trouble: Mutex<Option<String>>,
    pub raft: Queue,
    pub calls: Calls,
    /// Snapshots on their way to it.
    pub snapshots: Line,
}

impl Peer {
    pub fn new(node: NodeId, raft: Queue, calls: Calls, snapshots: Line) -> Peer {
        Peer {
            node,
            life: watch::Sender::default(),
            born: Instant::now(),
            heard: AtomicU64::new(0),
            opened: AtomicU64::new(0),
            poke: Notify::new(),
            trouble: Mutex::new(None),
            raft,
            calls,
            snapshots,
        }
    }

    /// Something came from it on lane 1.
    pub fn hears(&self) {
        self.heard.store(self.born.elapsed().as_millis() as u64 + 1, Relaxed);
    }

    pub fn heard(&self) -> Option<Duration> {
        let at = self.heard.load(Relaxed).checked_sub(1)?;
        Some(self.born.elapsed().saturating_sub(Duration::from_millis(at)))
    }

    /// Why lane 1 is not open, if it is known not to be.
    pub fn trouble(&self) -> Option<String> {
        locked(&self.trouble).clone()
    }

    /// Tells what it was before.
    pub fn set_trouble(&self, trouble: Option<String>) -> Option<String> {
        std::mem::replace(&mut *locked(&self.trouble), trouble)
    }

    /// Would a connection with this hello be taken?
    pub fn check(&self, theirs: &Hello) -> Result<(), Refusal> {
        self.life.borrow().check(theirs)
    }

    /// Takes a connection. A newer life of the peer ends all connections with the one before.
    pub fn admit(&self, theirs: &Hello, lane: Lane, side: Side) -> Result<Hold, Refusal> {
        let mut checked = Ok(0);
        self.life.send_if_modified(|life| {
            checked = life.check(theirs).map(|()| {
                (life.incarnation, life.process) = (theirs.incarnation, theirs.process);
                match (side, slot(lane)) {
                    (Side::Accepted, Some(slot)) => {
                        life.newest[slot] += 1;
                        life.newest[slot]
                    }
                    _ => 0,
                }
            });
            checked.is_ok()
        });
        let (serial, life) = (checked?, self.life.subscribe());
        let silences = life.borrow().silences[side as usize];
        Ok(Hold::Peer { life, incarnation: theirs.incarnation, lane, side, serial, silences })
    }

    /// Waits until the peer has left.
    pub async fn left(&self) {
        let _ = self.life.subscribe().wait_for(|life| life.left).await;
    }

    /// Ends all connections with it, for good.
    pub fn leave(&self) {
        self.life.send_modify(|life| life.left = true);
    }

    /// Lane 1 fell silent: what the same side opened on the other lanes is as dead.
    pub fn silent(&self, side: Side) {
        self.life.send_modify(|life| life.silences[side as usize] += 1);
    }
}

fn slot(lane: Lane) -> Option<usize> {
    match lane {
        Lane::Raft => Some(0),
        Lane::Calls => Some(1),
        // Any number at a time.
        Lane::Ask | Lane::Snapshot => None,
    }
}

/// A connection's right to be.
pub enum Hold {
    Peer {
        life: watch::Receiver<Life>,
        incarnation: Incarnation,
        lane: Lane,
        side: Side,
        serial: u64,
        silences: u64,
    },
    /// Of somebody who only asks: until this node stops.
    Asking(watch::Receiver<bool>),
}

impl Hold {
    /// Waits until the connection has to end; says why. May be dropped at any time.
    pub async fn ended(&mut self) -> &'static str {
        match self {
            Hold::Asking(stopped) => {
                let _ = stopped.wait_for(|stopped| *stopped).await;
                "this node stops"
            }
            Hold::Peer { life, incarnation, lane, side, serial, silences } => {
                let over = |life: &Life| {
                    if life.left {
                        return Some("it left, or this node stops");
                    }
                    if life.incarnation > *incarnation {
                        return Some("it was started again");
                    }
                    if *side == Side::Accepted && slot(*lane).is_some_and(|slot| life.newest[slot] > *serial) {
                        return Some("it dialled anew");
                    }
                    (*lane != Lane::Raft && life.silences[*side as usize] > *silences).then_some("it fell silent")
                };
                let mut why = None;
                let waited = life.wait_for(|life| {
                    why = over(life);
                    why.is_some()
                });
                let gone = waited.await.is_err();
                why.filter(|_| !gone).unwrap_or("it is forgotten")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;

    fn peer() -> Peer {
        let (calls, _) = Calls::new(1, 1);
        Peer::new(NodeId(2), Queue::new(100), calls, Line::new(1))
    }

    fn hello(incarnation: u64, process: u64) -> Hello {
        Hello { cluster: None, node: NodeId(2), incarnation: Incarnation(incarnation), process, lane: Lane::Raft }
    }

    #[test]
    fn a_newer_life_ends_the_older_and_an_older_one_is_refused() {
        let peer = peer();
        let mut old = peer.admit(&hello(4, 1), Lane::Calls, Side::Dialled).unwrap();
        assert_eq!(old.ended().now_or_never(), None);
        let mut new = peer.admit(&hello(5, 2), Lane::Calls, Side::Dialled).unwrap();
        assert_eq!(old.ended().now_or_never(), Some("it was started again"));
        assert_eq!(new.ended().now_or_never(), None);
        let refused = peer.admit(&hello(4, 1), Lane::Raft, Side::Accepted).err();
        let (theirs, seen) = (Incarnation(4), Incarnation(5));
        assert_eq!(refused, Some(Refusal::OlderLife { node: NodeId(2), theirs, seen }));
    }

    #[test]
    fn two_processes_of_one_life_are_told_apart() {
        let peer = peer();
        peer.admit(&hello(4, 1), Lane::Raft, Side::Accepted).unwrap();
        assert_eq!(peer.check(&hello(4, 1)), Ok(()));
        let twin = Refusal::Twin { node: NodeId(2), life: Incarnation(4) };
        assert_eq!(peer.check(&hello(4, 2)), Err(twin));
    }

    #[test]
    fn what_a_peer_dials_anew_replaces_what_it_dialled_before_lane_by_lane() {
        let peer = peer();
        let mut raft = peer.admit(&hello(1, 1), Lane::Raft, Side::Accepted).unwrap();
        let mut dialled = peer.admit(&hello(1, 1), Lane::Raft, Side::Dialled).unwrap();
        let mut calls = peer.admit(&hello(1, 1), Lane::Calls, Side::Accepted).unwrap();
        peer.admit(&hello(1, 1), Lane::Raft, Side::Accepted).unwrap();
        assert_eq!(raft.ended().now_or_never(), Some("it dialled anew"));
        assert_eq!((dialled.ended().now_or_never(), calls.ended().now_or_never()), (None, None));
        let mut first = peer.admit(&hello(1, 1), Lane::Snapshot, Side::Accepted).unwrap();
        peer.admit(&hello(1, 1), Lane::Snapshot, Side::Accepted).unwrap();
        assert_eq!(first.ended().now_or_never(), None, "snapshots have a connection each");
    }

    #[test]
    fn a_silence_ends_what_the_same_side_opened() {
        let peer = peer();
        let hold = |lane, side| peer.admit(&hello(1, 1), lane, side).unwrap();
        let mut raft = hold(Lane::Raft, Side::Dialled);
        let mut calls = hold(Lane::Calls, Side::Dialled);
        let mut accepted = hold(Lane::Calls, Side::Accepted);
        peer.silent(Side::Dialled);
        assert_eq!(calls.ended().now_or_never(), Some("it fell silent"));
        assert_eq!((raft.ended().now_or_never(), accepted.ended().now_or_never()), (None, None));
        let mut later = hold(Lane::Calls, Side::Dialled);
        peer.silent(Side::Accepted);
        assert_eq!(later.ended().now_or_never(), None);
        peer.leave();
        assert!([raft, later].iter_mut().all(|hold| hold.ended().now_or_never().is_some()));
    }
}
