//! Where to try a call next: here, on the node that leads as far as anybody knows, or on the others in turn.

use super::Inner;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use wire::ids::{GroupId, NodeId};

/// What calls learned about who leads, for groups whose leader no replica here knows.
pub(super) struct Hints(BTreeMap<GroupId, AtomicU64>);

/// What a node must have to be tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Needs {
    /// The group's lead.
    Leader,
    /// A replica that can ask the leader how far to read.
    Replica,
}

/// One group's tries within one call.
pub(super) struct Aim {
    pub(super) group: GroupId,
    needs: Needs,
    /// Nodes that could not do it in this round.
    tried: Vec<NodeId>,
    /// What the last of them said.
    hint: Option<NodeId>,
}

/// Where to try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spot {
    Here,
    There(NodeId),
    /// Everybody was tried: wait, then begin another round.
    Nowhere,
}

impl Hints {
    pub(super) fn new(groups: impl Iterator<Item = GroupId>) -> Hints {
        Hints(groups.map(|group| (group, AtomicU64::new(0))).collect())
    }

    fn get(&self, group: GroupId) -> Option<NodeId> {
        let node = self.0.get(&group)?.load(Ordering::Relaxed);
        Some(NodeId(node)).filter(|node| node.0 != 0)
    }

    pub(super) fn set(&self, group: GroupId, node: NodeId) {
        if let Some(cell) = self.0.get(&group) {
            cell.store(node.0, Ordering::Relaxed);
        }
    }

    /// `node` does not lead after all.
    pub(super) fn unset(&self, group: GroupId, node: NodeId) {
        if let Some(cell) = self.0.get(&group) {
            // Another hint is a newer one.
            let _ = cell.compare_exchange(node.0, 0, Ordering::Relaxed, Ordering::Relaxed);
        }
    }
}

impl Inner {
    /// The node that leads `group`, as far as this one knows.
    pub(super) fn leader_of(&self, group: GroupId) -> Option<NodeId> {
        let handle = &self.groups.get(&group)?.handle;
        if handle.leading().is_some() {
            return Some(self.me);
        }
        let placed = handle.leader().and_then(|replica| self.meta.borrow().topology.node_of(group, replica));
        placed.or_else(|| self.hints.get(group))
    }

    pub(super) fn has_rows(&self, group: GroupId) -> bool {
        self.groups.get(&group).is_some_and(|seat| seat.rows.get().is_some())
    }

    pub(super) fn leads(&self, group: GroupId) -> bool {
        self.groups.get(&group).is_some_and(|seat| seat.handle.leading().is_some())
    }
}

impl Aim {
    pub(super) fn at(group: GroupId, needs: Needs) -> Aim {
        Aim { group, needs, tried: Vec::new(), hint: None }
    }

    pub(super) fn next(&self, inner: &Inner) -> Spot {
        let fresh = |node: &NodeId| !self.tried.contains(node);
        let able = match self.needs {
            Needs::Leader => inner.leads(self.group),
            Needs::Replica => inner.has_rows(self.group),
        };
        if able && fresh(&inner.me) {
            return Spot::Here;
        }
        let leader = inner.leader_of(self.group);
        if self.needs == Needs::Leader && leader == Some(inner.me) {
            // Elected, and still applying what came before: nobody else can lead.
            return Spot::Nowhere;
        }
        let away = |node: &NodeId| *node != inner.me && fresh(node);
        let likely = [self.hint, leader].into_iter().flatten();
        likely.filter(away).map(Spot::There).next().unwrap_or_else(|| {
            let meta = inner.meta.borrow();
            let held = meta.topology.of(self.group);
            held.map(|placed| placed.node).find(away).map_or(Spot::Nowhere, Spot::There)
        })
    }

    /// `node` could not; it believes that `hint` leads.
    pub(super) fn missed(&mut self, node: NodeId, hint: Option<NodeId>) {
        self.tried.push(node);
        self.hint = hint;
    }

    /// Another round.
    pub(super) fn again(&mut self) {
        self.tried.clear();
    }
}
