//! Linearizable reads: never behind what was acknowledged, or read before, when the read began.

use super::Violation;
use std::collections::BTreeMap;
use wire::ids::{GroupId, Index};

/// The lowest index each group's next read may show.
#[derive(Default)]
pub struct ReadsNeverGoBack {
    floor: BTreeMap<GroupId, Index>,
    pub served: u64,
    pub lease_served: u64,
}

impl ReadsNeverGoBack {
    /// A write was acknowledged, or a read served, at this index.
    pub fn shown(&mut self, group: GroupId, index: Index) {
        let floor = self.floor.entry(group).or_default();
        *floor = (*floor).max(index);
    }

    /// What a read that begins now must show at least.
    pub fn floor(&self, group: GroupId) -> Index {
        self.floor.get(&group).copied().unwrap_or_default()
    }

    /// A read that began at `floor` is served from `state`.
    pub fn read(&mut self, group: GroupId, floor: Index, state: Index, how: &str) -> Result<(), Violation> {
        self.served += 1;
        if state < floor {
            return Err(format!("stale read: {group} shows {state} by {how}, {floor} was shown before it began"));
        }
        self.shown(group, state);
        Ok(())
    }
}
