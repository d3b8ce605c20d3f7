//! Rules left out, which the checkers must notice. Those of the shard need the feature `mutants`; the rest are wrappers
//! of this world, so that production code knows nothing of them.

use super::life::ShardId;
use cluster::consensus::Happening;
use cluster::entry::{Entry, Fence};
use cluster::group::{Done, Group, ReadDone, Settled};
use cluster::node::ApplyJob;
use std::collections::BTreeMap;
use std::sync::Arc;
use storage::replica::ReplicaStore;
use wire::ids::{GroupId, Term};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutant {
    /// Callers hear "done" when a proposal is handed in (P3).
    ReplyBeforeApplied,
    /// Entries land whatever view they come from (P1).
    NoFence,
    /// Batches are reported as synced before they are written (P18).
    AckBeforeSync,
    /// The log shrinks up to what is applied, not what is flushed (P18).
    PurgeToApplied,
    /// The group's clock is the machine's (P13).
    WallClock,
    /// The feature's: see [`actors::shard::Mutant`].
    Shard(actors::shard::Mutant),
}

impl Mutant {
    pub fn of_shards(mutant: Option<Mutant>) -> actors::shard::Mutants {
        match mutant {
            Some(Mutant::Shard(mutant)) => actors::shard::Mutants::default().with(mutant),
            _ => actors::shard::Mutants::default(),
        }
    }

    pub fn of_core(mutant: Option<Mutant>) -> cluster::consensus::Mutants {
        match mutant {
            Some(Mutant::PurgeToApplied) => {
                cluster::consensus::Mutants::default().with(cluster::consensus::Mutant::PurgeToApplied)
            }
            _ => cluster::consensus::Mutants::default(),
        }
    }
}

/// [`Mutant::ReplyBeforeApplied`].
pub struct Hasty(pub Arc<dyn Group>);

impl Group for Hasty {
    fn id(&self) -> GroupId {
        self.0.id()
    }

    fn leading(&self) -> Option<Term> {
        self.0.leading()
    }

    fn leader(&self) -> Option<wire::ids::ReplicaId> {
        self.0.leader()
    }

    fn sole(&self) -> Option<Term> {
        self.0.sole()
    }

    fn propose(&self, term: Term, entry: Entry, done: Done) {
        if entry.fence.n == 0 || self.0.leading() != Some(term) {
            return self.0.propose(term, entry, done);
        }
        self.0.propose(term, entry, Box::new(|_| {}));
        done(Settled::Applied);
    }

    fn read(&self, done: ReadDone) {
        self.0.read(done);
    }
}

/// [`Mutant::NoFence`]: before the applier sees an entry, it is made to fit the open view.
#[derive(Default)]
pub struct Unfence {
    marks: BTreeMap<ShardId, (u64, u64)>,
}

impl Unfence {
    pub fn rewrite(&mut self, stores: &BTreeMap<GroupId, ReplicaStore>, job: &mut ApplyJob) {
        let ApplyJob::Entries { group, entries } = job else { return };
        for (committed, _) in entries {
            let Happening::Entry(bytes) = &committed.what else { continue };
            let Ok(mut entry) = Entry::decode(bytes.clone()) else { continue };
            let shard = (leak(&entry.fence.writer), *group);
            let stored = || cluster::node::mark(&stores[group], &entry.fence.writer).ok().flatten();
            let mark = self.marks.get(&shard).copied().or_else(|| stored().map(|mark| (mark.epoch, mark.n)));
            if entry.fence.n == 0 {
                self.marks.insert(shard, (entry.fence.epoch, 0));
                continue;
            }
            let Some((epoch, n)) = mark else { continue };
            entry.fence = Fence { epoch, n: n + 1, ..entry.fence };
            self.marks.insert(shard, (epoch, n + 1));
            committed.what = Happening::Entry(entry.encode());
        }
    }
}

/// The services' names are few and static.
fn leak(writer: &str) -> &'static str {
    super::life::SERVICES.iter().copied().find(|name| *name == writer).unwrap_or("other")
}
