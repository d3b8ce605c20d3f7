//! What must hold, one property a type. Each is told of every step and answers with the violation.

use super::life::EntryId;
use crate::consensus::checkers::OneLeaderATerm;
use bytes::Bytes;
use cluster::consensus::{Committed, Happening};
use cluster::entry::Entry;
use cluster::group::Settled;
use cluster::meta::Meta;
use std::collections::{BTreeMap, BTreeSet};
use storage::replica::StateHash;
use storage::state::Op;
use wire::ids::{GroupId, Index, NodeId, ReplicaId, Term};

#[derive(Default)]
pub struct Checkers {
    pub leaders: OneLeaderATerm,
    pub history: History,
    pub hashes: Hashes,
    pub ids: Ids,
}

/// One history a group: at each index every replica applies the same; what was acknowledged is in it, once, and for good.
#[derive(Default)]
pub struct History {
    entries: BTreeMap<(GroupId, Index), (Term, Happening)>,
    groups: BTreeMap<GroupId, Model>,
    /// Entries that had their effect, and where.
    landed: BTreeMap<EntryId, Index>,
    /// Entries of which somebody was told that they never will.
    never: BTreeSet<EntryId>,
}

/// What a group's rows must be, by the entries alone.
pub struct Model {
    pub applied: Index,
    pub rows: BTreeMap<Bytes, Bytes>,
    views: BTreeMap<String, (u64, u64)>,
    /// The newest index that anybody was shown.
    shown: u64,
}

impl Default for Model {
    fn default() -> Model {
        // A group is founded with its first index applied.
        Model { applied: Index(1), rows: BTreeMap::new(), views: BTreeMap::new(), shown: 1 }
    }
}

impl History {
    pub fn applied(&mut self, group: GroupId, replica: ReplicaId, committed: &Committed) -> Result<(), String> {
        let Committed { index, term, what, .. } = committed;
        let model = self.groups.entry(group).or_default();
        if *index <= model.applied {
            return match self.entries.get(&(group, *index)) {
                Some((t, w)) if (t, w) == (term, what) => Ok(()),
                Some((t, w)) => Err(format!(
                    "{group} at {index}: {replica} applies {what:.60?} of {term}, and another applied {w:.60?} of {t}"
                )),
                None => Err(format!("{group} at {index}: {replica} applies again what the group was founded with")),
            };
        }
        if index.0 != model.applied.0 + 1 {
            return Err(format!("{group} at {index}: {replica} is ahead of all, who are at {}", model.applied));
        }
        model.applied = *index;
        self.entries.insert((group, *index), (*term, what.clone()));
        let Happening::Entry(bytes) = what else { return Ok(()) };
        let entry = Entry::decode(bytes.clone()).map_err(|error| error.to_string())?;
        let (writer, epoch, n) = (entry.fence.writer, entry.fence.epoch, entry.fence.n);
        let fits = n == 0 || n > 0 && model.views.get(&writer) == Some(&(epoch, n - 1));
        if !fits {
            return Ok(());
        }
        model.views.insert(writer.clone(), (epoch, n));
        entry.ops.into_iter().for_each(|op| model.write(op));
        let id = (group, writer, epoch, n);
        if self.never.contains(&id) {
            return Err(format!("{id:?} has its effect at {index}, and somebody was told that it never will"));
        }
        match self.landed.insert(id.clone(), *index) {
            None => Ok(()),
            Some(first) => Err(format!("{id:?} has its effect twice, at {first} and {index}")),
        }
    }

    /// How an entry ended, as its proposer heard.
    pub fn settled(&mut self, id: &EntryId, how: Settled) -> Result<(), String> {
        match (how, self.landed.get(id)) {
            (Settled::Applied, None) => return Err(format!("{id:?} is acknowledged, and nobody applied it")),
            (Settled::Applied, Some(index)) => self.show(id.0, index.0),
            (Settled::NotRun, Some(index)) => {
                return Err(format!("{id:?} is told not to have run, and did at {index}"));
            }
            (Settled::NotRun, None) => drop(self.never.insert(id.clone())),
            (Settled::Unknown, _) => {}
        }
        Ok(())
    }

    pub fn shown(&self, group: GroupId) -> u64 {
        self.groups.get(&group).map_or(1, |model| model.shown)
    }

    pub fn show(&mut self, group: GroupId, index: u64) {
        let model = self.groups.entry(group).or_default();
        model.shown = model.shown.max(index);
    }

    pub fn model(&self, group: GroupId) -> Option<&Model> {
        self.groups.get(&group)
    }
}

impl Model {
    fn write(&mut self, op: Op) {
        match op {
            Op::Put { key, value } => drop(self.rows.insert(key, value)),
            Op::Delete { key } => drop(self.rows.remove(&key)),
            Op::DeleteRange { from, to } => self.rows.retain(|key, _| *key < from || *key >= to),
        }
    }
}

/// Equal rows at equal indexes.
#[derive(Default)]
pub struct Hashes(BTreeMap<(GroupId, Index), (ReplicaId, StateHash)>);

impl Hashes {
    pub fn has(&mut self, group: GroupId, replica: ReplicaId, hash: StateHash) -> Result<(), String> {
        let (first, known) = *self.0.entry((group, hash.index)).or_insert((replica, hash));
        if known == hash { Ok(()) } else { Err(format!("{group}: {replica} has {hash}, and {first} had {known}")) }
    }
}

/// A replica id is on one disk, of one group, for ever.
#[derive(Default)]
pub struct Ids {
    placed: BTreeMap<ReplicaId, (GroupId, NodeId)>,
    opened: BTreeMap<ReplicaId, (usize, u64)>,
}

impl Ids {
    pub fn placed(&mut self, meta: &Meta) -> Result<(), String> {
        for placed in &meta.topology.placed {
            let (now, id) = ((placed.group, placed.node), placed.replica);
            let first = *self.placed.entry(id).or_insert(now);
            if first != now {
                return Err(format!("{id} is placed as {now:?} and was {first:?}"));
            }
        }
        Ok(())
    }

    /// On which machine and which of its disks.
    pub fn opened(&mut self, replica: ReplicaId, disk: (usize, u64)) -> Result<(), String> {
        let first = *self.opened.entry(replica).or_insert(disk);
        if first == disk { Ok(()) } else { Err(format!("{replica} is made on {disk:?} and was on {first:?}")) }
    }
}
