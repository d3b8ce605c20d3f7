//! State machine safety: at one index all replicas of a group have applied the same (term, hash, count).

use super::Violation;
use crate::consensus::disk::State;
use std::collections::BTreeMap;
use wire::ids::{GroupId, Index, ReplicaId, Term};

/// What a group has at an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Applied {
    pub term: Term,
    pub hash: u64,
    pub count: u64,
}

/// The one history every replica must follow.
#[derive(Default)]
pub struct Agreement {
    history: BTreeMap<(GroupId, Index), Applied>,
    highest: BTreeMap<GroupId, Index>,
}

impl Agreement {
    pub fn applied(&mut self, group: GroupId, replica: ReplicaId, state: &State) -> Result<(), Violation> {
        let now = Applied { term: state.term, hash: state.hash, count: state.count };
        let first = *self.history.entry((group, state.applied)).or_insert(now);
        let highest = self.highest.entry(group).or_default();
        *highest = (*highest).max(state.applied);
        if first == now {
            return Ok(());
        }
        Err(format!("agreement: {group} at {}: {replica} has {now:?}, an other replica had {first:?}", state.applied))
    }

    pub fn at(&self, group: GroupId, index: Index) -> Option<Applied> {
        self.history.get(&(group, index)).copied()
    }

    /// The highest index any replica has applied.
    pub fn highest(&self, group: GroupId) -> Index {
        self.highest.get(&group).copied().unwrap_or_default()
    }
}
