//! Who leads what here, readable from any thread without asking the loop.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use wire::ids::{GroupId, ReplicaId, Term};

/// Leadership of one group, as this node sees it.
#[derive(Debug, Default)]
pub struct Leading {
    /// `term << 1 | sole`; 0 = this node does not lead.
    here: AtomicU64,
    /// The replica that leads; 0 = not known.
    leader: AtomicU64,
}

impl Leading {
    /// The term this node leads in, having applied an entry of it.
    pub fn term(&self) -> Option<Term> {
        match self.here.load(Ordering::Acquire) >> 1 {
            0 => None,
            term => Some(Term(term)),
        }
    }

    /// The term this node leads in as the only voter.
    ///
    /// Then every write anybody was told of is in its rows, and nobody else can be elected without its vote. So a view
    /// of the rows is linearizable if the same term stands here *after* it was taken.
    pub fn sole_term(&self) -> Option<Term> {
        let value = self.here.load(Ordering::Acquire);
        (value & 1 == 1).then_some(Term(value >> 1))
    }

    /// The replica that leads, as far as this node's replica knows.
    pub fn leader(&self) -> Option<ReplicaId> {
        Some(ReplicaId(self.leader.load(Ordering::Acquire))).filter(|replica| replica.0 != 0)
    }

    pub(super) fn set_leader(&self, leader: Option<ReplicaId>) {
        self.leader.store(leader.map_or(0, |replica| replica.0), Ordering::Release);
    }

    pub(super) fn set(&self, leads: Option<(Term, bool)>) {
        self.here.store(leads.map_or(0, |(term, sole)| term.0 << 1 | u64::from(sole)), Ordering::Release);
    }
}

/// One cell a group; the set of groups is fixed when a cluster is made.
pub(super) type Cells = Arc<BTreeMap<GroupId, Arc<Leading>>>;
