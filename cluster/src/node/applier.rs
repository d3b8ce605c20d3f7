//! Brings committed entries into rows: one batch a round over all groups, then the callers hear of it.

use super::Fatal;
use super::fence::Fences;
use crate::consensus::{Committed, Conf, Generation, Happening, Input};
use crate::entry::Entry;
use crate::group::{Done, Settled};
use bytes::Bytes;
use std::collections::BTreeMap;
use storage::log::Start;
use storage::replica::{Applied, ReplicaState, ReplicaStore, Round};
use wire::codec;
use wire::ids::{GroupId, Index, ReplicaId};

/// What the loop wants done to a group's rows. Jobs of one group are done in order.
pub enum ApplyJob {
    Entries { group: GroupId, entries: Vec<(Committed, Option<Done>)> },
    Flip { group: GroupId, replica: ReplicaId, generation: Generation, applied: Start, conf: Conf },
    Discard { group: GroupId, generation: Generation },
}

/// All replicas' rows have one owner for writes: this.
pub struct Applier {
    seats: BTreeMap<GroupId, Seat>,
}

struct Seat {
    store: ReplicaStore,
    fences: Fences,
}

impl Applier {
    pub fn new(stores: BTreeMap<GroupId, ReplicaStore>) -> Applier {
        Applier {
            seats: stores
                .into_iter()
                .map(|(group, store)| (group, Seat { store, fences: Fences::default() }))
                .collect(),
        }
    }

    /// Does all `jobs`; returns what the loop must hear. An error ends the node: what is committed must be applied.
    pub fn apply(&mut self, jobs: Vec<ApplyJob>) -> Result<Vec<Input>, Fatal> {
        let mut round = Round::new();
        let mut settled = Vec::new();
        let mut reached = BTreeMap::new();
        for job in jobs {
            match job {
                ApplyJob::Entries { group, entries } => {
                    let seat = self.seats.get_mut(&group).ok_or(Fatal::NoReplica(group))?;
                    for (committed, done) in entries {
                        reached.insert(group, committed.index);
                        let how = seat.apply(group, committed, &mut round)?;
                        settled.extend(done.map(|done| (done, how)));
                    }
                }
                // Nodes do not exchange snapshots yet (issue *Cluster*), so the core never asks for these.
                ApplyJob::Flip { group, .. } | ApplyJob::Discard { group, .. } => {
                    return Err(Fatal::NoSnapshots(group));
                }
            }
        }
        round.write()?;
        for (done, how) in settled {
            done(how);
        }
        Ok(reached.into_iter().map(|(group, index): (_, Index)| Input::Applied { group, index }).collect())
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
