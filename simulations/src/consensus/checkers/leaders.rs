//! Election safety: at most one leader a term.

use super::Violation;
use std::collections::BTreeMap;
use wire::ids::{GroupId, ReplicaId, Term};

/// Who led when.
#[derive(Default)]
pub struct OneLeaderATerm {
    leaders: BTreeMap<(GroupId, Term), ReplicaId>,
}

impl OneLeaderATerm {
    pub fn leads(&mut self, group: GroupId, term: Term, replica: ReplicaId) -> Result<(), Violation> {
        let first = *self.leaders.entry((group, term)).or_insert(replica);
        if first == replica {
            return Ok(());
        }
        Err(format!("election safety: {group} in {term} is led by {first} and by {replica}"))
    }

    /// How many elections were won.
    pub fn elections(&self) -> usize {
        self.leaders.len()
    }
}
