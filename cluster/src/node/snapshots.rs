//! Snapshots for other nodes: built by holding one moment of the rows, streamed from that moment as often as asked.
//!
//! Each has a thread of its own, which holds the engine's view and blocks as the receiver does. There are few: one a
//! group at most, while somebody catches up.

use super::receive::SnapshotHead;
use super::{Ask, SendAsk, Slot, Way, members};
use crate::consensus::{Input, SnapshotHandle, SnapshotId};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use storage::replica::{CHUNK_BYTES, Rows};
use tokio::sync::mpsc as chunks;
use wire::codec;
use wire::ids::{GroupId, ReplicaId};

/// What the loop wants of snapshots.
pub enum SnapshotJob {
    Build { group: GroupId },
    Stream { group: GroupId, to: ReplicaId, snapshot: SnapshotId, message: Bytes },
    Release { snapshot: SnapshotId },
}

/// Chunks read ahead of a receiver.
const CHUNKS_AHEAD: usize = 2;

/// Brings a snapshot to the node of a replica: the head, then chunks until they end, then whether it was taken.
pub type Ship =
    Arc<dyn Fn(GroupId, ReplicaId, Bytes, chunks::Receiver<Bytes>, Box<dyn FnOnce(bool) + Send>) + Send + Sync>;

struct Streaming {
    to: ReplicaId,
    message: Bytes,
}

/// The snapshots that are held just now.
pub(super) struct Snapshots {
    slots: Arc<BTreeMap<GroupId, Arc<Slot>>>,
    send: SendAsk,
    way: Way,
    held: BTreeMap<SnapshotId, Sender<Streaming>>,
    built: u64,
}

impl Snapshots {
    pub(super) fn new(slots: Arc<BTreeMap<GroupId, Arc<Slot>>>, send: SendAsk, way: Way) -> Snapshots {
        Snapshots { slots, send, way, held: BTreeMap::new(), built: 0 }
    }

    pub(super) fn carry_out(&mut self, job: SnapshotJob) {
        match job {
            SnapshotJob::Build { group } => self.build(group),
            SnapshotJob::Stream { group, to, snapshot, message } => {
                let sent = self.held.get(&snapshot).is_some_and(|held| held.send(Streaming { to, message }).is_ok());
                if !sent {
                    tell(&self.send, Input::SnapshotSent { group, to, ok: false });
                }
            }
            SnapshotJob::Release { snapshot } => drop(self.held.remove(&snapshot)),
        }
    }

    fn build(&mut self, group: GroupId) {
        let Some(store) = self.slots.get(&group).and_then(|slot| slot.get()) else { return };
        self.built += 1;
        let id = SnapshotId(self.built);
        let (orders, taken) = mpsc::channel();
        let (send, way) = (self.send.clone(), self.way.clone());
        let hold = move || {
            let held = store.view(|rows| {
                serve(rows, group, id, &taken, &send, &way);
                Ok(())
            });
            if let Err(error) = held {
                // The core asks again once its deadline has passed.
                tracing::error!(%group, %error, "a snapshot cannot be built");
            }
        };
        match thread::Builder::new().name(format!("snapshot-{group}")).spawn(hold) {
            Ok(_) => drop(self.held.insert(id, orders)),
            Err(error) => tracing::error!(%group, %error, "a snapshot needs a thread and got none"),
        }
    }
}

/// Holds the moment `rows` is of until it is released.
fn serve(rows: &Rows<'_>, group: GroupId, id: SnapshotId, orders: &Receiver<Streaming>, send: &SendAsk, way: &Way) {
    let state = rows.state();
    let Ok((_, conf)) = members(state) else { return };
    let handle = SnapshotHandle { group, id, index: state.applied, term: state.applied_term, conf };
    tell(send, Input::SnapshotBuilt(handle));
    while let Ok(Streaming { to, message }) = orders.recv() {
        let ended = {
            let send = send.clone();
            Box::new(move |ok| tell(&send, Input::SnapshotSent { group, to, ok }))
        };
        let Some(outward) = way.get() else {
            ended(false);
            continue;
        };
        let head = SnapshotHead { group, to, message: wire::Bytes(message.to_vec()) };
        let head = codec::encode(&head).expect("bytes and numbers encode").into();
        let (chunks, stream) = chunks::channel(CHUNKS_AHEAD);
        (outward.ship)(group, to, head, stream, ended);
        let mut pass_on = |chunk| match chunks.blocking_send(chunk) {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        };
        if let Err(error) = rows.snapshot(CHUNK_BYTES, &mut pass_on) {
            // The receiver misses the last chunk, and says so.
            tracing::error!(%group, %error, "a snapshot cannot be read");
        }
    }
}

fn tell(send: &SendAsk, input: Input) {
    // Given back: the node is stopping.
    let _ = send(Ask::Input(input));
}
