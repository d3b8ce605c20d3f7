//! Which replica leads each group.

use super::{Plan, rank};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use wire::ids::{GroupId, NodeId};

/// A leader for each group, among the nodes that hold it: as even as the places of replicas allow, least away from `current`.
///
/// Whoever is in `muted` (dead, slow, leaving) leads only groups that nobody else holds. Optimal: no chain of changes leaves two
/// nodes closer to each other (an optimal semi-matching of groups and nodes).
pub fn leaders(
    placed: &Plan,
    current: &BTreeMap<GroupId, NodeId>,
    muted: &BTreeSet<NodeId>,
) -> BTreeMap<GroupId, NodeId> {
    let nodes: BTreeSet<NodeId> = placed.values().flatten().copied().collect();
    let nodes: Vec<NodeId> = nodes.into_iter().collect();
    // A group without a replica has no leader.
    let groups: Vec<GroupId> = placed.iter().filter(|(_, on)| !on.is_empty()).map(|(group, _)| *group).collect();
    let able = |group: &GroupId| {
        let (loud, silent): (Vec<_>, _) = placed[group].iter().copied().partition(|node| !muted.contains(node));
        let able = if loud.is_empty() { silent } else { loud };
        able.iter().filter_map(|node| nodes.binary_search(node).ok()).collect()
    };
    let able: Vec<Vec<usize>> = groups.iter().map(able).collect();
    let mut chosen = Chosen { able, leads: vec![BTreeSet::new(); nodes.len()] };
    let mut free = vec![];
    for (group, id) in groups.iter().enumerate() {
        let leader = current.get(id).and_then(|leader| nodes.binary_search(leader).ok());
        match leader.filter(|leader| chosen.able[group].contains(leader)) {
            Some(leader) => _ = chosen.leads[leader].insert(group),
            None => free.push(group),
        }
    }
    for group in free {
        let order = |node: &usize| (chosen.leads[*node].len(), Reverse(rank(groups[group], nodes[*node])));
        if let Some(node) = chosen.able[group].iter().copied().min_by_key(order) {
            chosen.leads[node].insert(group);
        }
    }
    while chosen.even() {}
    let leads = chosen.leads.iter().zip(&nodes);
    leads.flat_map(|(led, node)| led.iter().map(|group| (groups[*group], *node))).collect()
}

/// Groups and nodes by their places in lists.
struct Chosen {
    /// Who may lead each group.
    able: Vec<Vec<usize>>,
    leads: Vec<BTreeSet<usize>>,
}

/// A chain's step to a node: the group that it gets, and from whom.
type Step = Option<(usize, usize)>;

impl Chosen {
    /// Takes one group from each node that has a way to one that leads two less, those that lead the most first. Was there any?
    fn even(&mut self) -> bool {
        let mut nodes: Vec<usize> = (0..self.leads.len()).collect();
        nodes.sort_by_key(|node| Reverse(self.leads[*node].len()));
        // Wherever a search without success has been is of no use to those who lead no more than the one that searched.
        let mut closed = vec![false; self.leads.len()];
        nodes.retain(|node| self.lighten(*node, &mut closed));
        !nodes.is_empty()
    }

    /// Takes one group from a node, along the shortest chain to one that leads at least two less; of those the least.
    fn lighten(&mut self, node: usize, closed: &mut [bool]) -> bool {
        let Some(enough) = self.leads[node].len().checked_sub(2).filter(|_| !closed[node]) else { return false };
        let mut steps: Vec<Step> = vec![None; self.leads.len()];
        let (mut seen, mut edge) = (vec![node], vec![node]);
        while !edge.is_empty() {
            let mut next = vec![];
            for from in edge {
                for &group in &self.leads[from] {
                    for &to in &self.able[group] {
                        if to != node && steps[to].is_none() && !closed[to] {
                            steps[to] = Some((group, from));
                            next.push(to);
                        }
                    }
                }
            }
            let least = next.iter().copied().min_by_key(|to| self.leads[*to].len());
            if let Some(end) = least.filter(|to| self.leads[*to].len() <= enough) {
                self.hand_over(&steps, end);
                return true;
            }
            seen.extend(&next);
            edge = next;
        }
        seen.into_iter().for_each(|node| closed[node] = true);
        false
    }

    fn hand_over(&mut self, steps: &[Step], end: usize) {
        let mut to = end;
        while let Some((group, from)) = steps[to] {
            self.leads[from].remove(&group);
            self.leads[to].insert(group);
            to = from;
        }
    }
}
