//! Brings committed entries into rows: one batch a round over all groups, then the callers hear of it. Replicas come,
//! install snapshots and go here too, between rounds.

use super::fence::Fences;
use super::receive::Received;
use super::{Fatal, Slot};
use crate::consensus::{Committed, Conf, Generation, Happening, Input};
use crate::entry::Entry;
use crate::group::{Done, Settled};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::sync::Arc;
use storage::log::Start;
use storage::replica::{Applied, ReplicaState, ReplicaStore, Round};
use wire::codec;
use wire::ids::{GroupId, Index, ReplicaId};

/// What the loop wants done to a group's rows. Jobs of one group are done in order.
pub enum ApplyJob {
    Entries {
        group: GroupId,
        entries: Vec<(Committed, Option<Done>)>,
    },
    Flip {
        group: GroupId,
        replica: ReplicaId,
        generation: Generation,
        applied: Start,
        conf: Conf,
    },
    Discard {
        group: GroupId,
        generation: Generation,
    },
    /// A replica comes to this node.
    Open {
        group: GroupId,
        store: ReplicaStore,
    },
    /// A replica goes for good, its rows with it.
    Destroy {
        group: GroupId,
        replica: ReplicaId,
    },
}

/// All replicas' rows have one owner for writes: this.
pub struct Applier {
    seats: BTreeMap<GroupId, Seat>,
    slots: Arc<BTreeMap<GroupId, Arc<Slot>>>,
    received: Arc<Received>,
}

struct Seat {
    store: ReplicaStore,
    fences: Fences,
}

/// One round: what is gathered for the engine, and who hears of it once it is written.
#[derive(Default)]
struct Gathered {
    round: Round,
    settled: Vec<(Done, Settled)>,
    reached: BTreeMap<GroupId, Index>,
}

impl Applier {
    pub(super) fn new(
        stores: BTreeMap<GroupId, ReplicaStore>,
        slots: Arc<BTreeMap<GroupId, Arc<Slot>>>,
        received: Arc<Received>,
    ) -> Applier {
        let seats = stores.into_iter().map(|(group, store)| (group, Seat { store, fences: Fences::default() }));
        Applier { seats: seats.collect(), slots, received }
    }

    /// Does all `jobs`; returns what the loop must hear. An error ends the node: what is committed must be applied.
    pub fn apply(&mut self, jobs: Vec<ApplyJob>) -> Result<Vec<Input>, Fatal> {
        let (mut gathered, mut told) = (Gathered::default(), Vec::new());
        for job in jobs {
            match job {
                ApplyJob::Entries { group, entries } => {
                    // A replica that was destroyed: nobody waits for what its loop had not heard of yet.
                    let Some(seat) = self.seats.get_mut(&group) else { continue };
                    for (committed, done) in entries {
                        gathered.reached.insert(group, committed.index);
                        let how = seat.apply(group, committed, &mut gathered.round)?;
                        gathered.settled.extend(done.map(|done| (done, how)));
                    }
                }
                // The rest is rare, and wants rows as all entries before it leave them.
                rare => {
                    std::mem::take(&mut gathered).write(&mut told)?;
                    told.extend(self.rare(rare)?);
                }
            }
        }
        gathered.write(&mut told)?;
        Ok(told)
    }

    fn rare(&mut self, job: ApplyJob) -> Result<Option<Input>, Fatal> {
        match job {
            ApplyJob::Entries { .. } => Ok(None),
            ApplyJob::Flip { group, replica, generation, applied, .. } => {
                let seat = self.seats.get_mut(&group).ok_or(Fatal::NoReplica(group))?;
                let staged = self.received.take(group, generation).ok_or(Fatal::NotStaged(group))?;
                let header = staged.header();
                if staged.replica() != replica || (header.applied, header.applied_term) != (applied.index, applied.term)
                {
                    return Err(Fatal::NotStaged(group));
                }
                seat.store.flip(&staged)?;
                // The marks are rows like any other: they came with the snapshot.
                seat.fences = Fences::default();
                Ok(Some(Input::Flipped { group, generation }))
            }
            ApplyJob::Discard { group, generation } => {
                if let (Some(seat), Some(staged)) = (self.seats.get(&group), self.received.take(group, generation)) {
                    drop_staged(&seat.store, staged);
                }
                Ok(None)
            }
            ApplyJob::Open { group, store } => {
                if let Some(slot) = self.slots.get(&group) {
                    slot.set(Some(store.clone()));
                }
                self.seats.insert(group, Seat { store, fences: Fences::default() });
                Ok(None)
            }
            ApplyJob::Destroy { group, replica } => {
                let is_here = self.seats.get(&group).is_some_and(|seat| seat.store.replica() == replica);
                if let Some(seat) = is_here.then(|| self.seats.remove(&group)).flatten() {
                    if let Some(slot) = self.slots.get(&group) {
                        slot.set(None);
                    }
                    // Rows first, log second: the other way round a crash between them leaves rows without a log.
                    seat.store.destroy()?;
                }
                Ok(Some(Input::Destroy { group, replica }))
            }
        }
    }
}

/// A snapshot nobody wants any more. What stays behind is swept at the next flip or start.
fn drop_staged(store: &ReplicaStore, staged: storage::replica::Staged) {
    if let Err(error) = store.abandon(staged) {
        tracing::debug!(%error, "a staged snapshot was not deleted");
    }
}

impl Gathered {
    fn write(self, told: &mut Vec<Input>) -> Result<(), Fatal> {
        self.round.write()?;
        for (done, how) in self.settled {
            done(how);
        }
        told.extend(self.reached.into_iter().map(|(group, index)| Input::Applied { group, index }));
        Ok(())
    }
}

impl Seat {
    fn apply(&mut self, group: GroupId, committed: Committed, round: &mut Round) -> Result<Settled, Fatal> {
        let (conf_state, ops, how) = match committed.what {
            Happening::Nothing => (None, vec![], Settled::Applied),
            Happening::Members(conf) => (Some(encode_members(group, &conf)), vec![], Settled::Applied),
            Happening::Entry(bytes) => {
                let entry = Entry::decode(bytes)?;
                match self.fences.admit(&self.store, &entry)? {
                    // The mark moves in the same batch as the effects it admits.
                    Some(mark) => (None, entry.ops.into_iter().chain([mark]).collect(), Settled::Applied),
                    None => (None, vec![], Settled::NotRun),
                }
            }
        };
        round.apply(&self.store, Applied { index: committed.index, term: committed.term, conf_state }, ops);
        Ok(how)
    }
}

/// A replica's group and membership, as its state row keeps them.
pub(super) fn encode_members(group: GroupId, conf: &Conf) -> Bytes {
    codec::encode(&(group, conf)).expect("numbers always encode").into()
}

/// The group a replica belongs to, and its membership.
pub fn members(state: &ReplicaState) -> Result<(GroupId, Conf), codec::CodecError> {
    codec::decode(&state.conf_state)
}
