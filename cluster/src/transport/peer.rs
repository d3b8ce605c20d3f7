//! Another node, as this one knows it: what waits for it, when it was last heard.

use super::calls::Calls;
use super::hold::Lives;
use super::line::Line;
use super::locked;
use super::queue::Queue;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};
use tokio::sync::Notify;
use wire::ids::NodeId;

pub struct Peer {
    pub node: NodeId,
    pub lives: Lives,
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
            lives: Lives::default(),
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
}
