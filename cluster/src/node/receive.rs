//! Snapshots of other nodes, coming in: every chunk is staged beside the rows that go on working (P16), and only a whole
//! one is told to the loop.

use super::{Ask, SendAsk, Slot};
use crate::consensus::{Generation, Input, StagedSnapshot};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use storage::replica::Staged;
use wire::codec;
use wire::ids::{GroupId, ReplicaId};

/// What goes in front of a snapshot's chunks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotHead {
    pub group: GroupId,
    /// The replica it is for.
    pub to: ReplicaId,
    /// What the core over there wants the core here to hear, once all chunks are staged.
    pub message: wire::Bytes,
}

/// Snapshots received whole, until the applier flips to them or drops them.
#[derive(Default)]
pub(super) struct Received(Mutex<BTreeMap<(GroupId, Generation), Staged>>);

impl Received {
    pub(super) fn put(&self, group: GroupId, staged: Staged) -> Generation {
        let generation = Generation(staged.state().generation.0.into());
        self.lock().insert((group, generation), staged);
        generation
    }

    pub(super) fn take(&self, group: GroupId, generation: Generation) -> Option<Staged> {
        self.lock().remove(&(group, generation))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<(GroupId, Generation), Staged>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why a snapshot was not taken. The sender hears it and begins again.
#[derive(Debug, thiserror::Error)]
pub enum ReceiveError {
    #[error("its head does not decode: {0}")]
    Head(#[from] codec::CodecError),
    #[error("{0} of {1} is not on this node")]
    NoReplica(ReplicaId, GroupId),
    #[error(transparent)]
    Store(#[from] storage::replica::Error),
    #[error("it ended before its last chunk")]
    Cut,
    #[error("the node is stopping")]
    Stopping,
}

/// Takes snapshots in. Clones are the same.
#[derive(Clone)]
pub struct Receiver {
    pub(super) slots: Arc<BTreeMap<GroupId, Arc<Slot>>>,
    pub(super) received: Arc<Received>,
    pub(super) send: SendAsk,
}

impl Receiver {
    /// Takes one snapshot; `next` gives its chunks in order, `None` once the sender is gone. Blocks while it waits for them.
    pub fn receive(&self, head: &[u8], mut next: impl FnMut() -> Option<Bytes>) -> Result<(), ReceiveError> {
        let SnapshotHead { group, to, message } = codec::decode(head)?;
        let store = self.slots.get(&group).and_then(|slot| slot.get()).filter(|store| store.replica() == to);
        let store = store.ok_or(ReceiveError::NoReplica(to, group))?;
        let mut staging = store.stage()?;
        let staged = loop {
            let Some(chunk) = next() else {
                // What is left of it goes with the next flip or start, should this fail.
                let _ = staging.abandon();
                return Err(ReceiveError::Cut);
            };
            match staging.feed(chunk) {
                Ok(Some(staged)) => break staged,
                Ok(None) => {}
                Err(error) => {
                    let _ = staging.abandon();
                    return Err(error.into());
                }
            }
        };
        let generation = self.received.put(group, staged);
        let staged = StagedSnapshot { group, replica: to, generation, message: Bytes::from(message.0) };
        match (self.send)(Ask::Input(Input::Staged(staged))) {
            None => Ok(()),
            Some(_) => Err(ReceiveError::Stopping),
        }
    }
}
