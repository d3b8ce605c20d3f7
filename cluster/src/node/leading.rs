//! Who leads what here, readable from any thread without asking the loop.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use wire::ids::{GroupId, Term};

/// Leadership of one group at this node: `term << 1 | sole`, 0 = does not lead.
#[derive(Debug, Default)]
pub struct Leading(AtomicU64);

impl Leading {
    /// The term this node leads in, having applied an entry of it.
    pub fn term(&self) -> Option<Term> {
        match self.0.load(Ordering::Acquire) >> 1 {
            0 => None,
            term => Some(Term(term)),
        }
    }

    /// The term this node leads in as the only voter.
    ///
    /// Then every write anybody was told of is in its rows, and nobody else can be elected without its vote. So a view
    /// of the rows is linearizable if the same term stands here *after* it was taken.
    pub fn sole_term(&self) -> Option<Term> {
        let value = self.0.load(Ordering::Acquire);
        (value & 1 == 1).then_some(Term(value >> 1))
    }

    pub(super) fn set(&self, leads: Option<(Term, bool)>) {
        self.0.store(leads.map_or(0, |(term, sole)| term.0 << 1 | u64::from(sole)), Ordering::Release);
    }
}

/// One cell a group; the set of groups is fixed when a cluster is made.
pub(super) type Cells = Arc<BTreeMap<GroupId, Arc<Leading>>>;
