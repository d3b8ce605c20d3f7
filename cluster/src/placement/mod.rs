//! Which nodes hold a group's replicas, and which of them leads it: consistent hashing with bounded loads (Mirrokni, Thorup
//! and Zadimoghaddam, 2016), zones first, least movement.
//!
//! Pure: a plan is a function of its arguments, in integers, the same on every node that makes it, and can be shown before it is
//! carried out. How it comes about:
//!
//! 1. [`share`]: every node's fair share of all replicas, by weight, as far as zones leave a choice; then whole numbers, each its
//!    share rounded down or up. Who already holds more gets the odd one.
//! 2. [`layout`]: what is there stays, as long as zones and those numbers allow it. What is missing goes to the node with room
//!    that ranks highest for the group (XXH3 of group and node: rendezvous order), the rest is taken from who has too much.
//! 3. Where that ends with a replica no node with room may take, replicas make way for each other along the shortest chain, those
//!    that are on the move anyway first. Such a chain always exists: the shares themselves are a plan in fractions.
//!
//! [`leaders`] moves leaders along the same kind of chains until no node leads two groups more than another that could take one.
//!
//! Cost, on one core of a two-core cloud machine with the checks of our release profile on: 1,000 nodes in 7 zones, 16,384 groups of
//! three replicas: 0.28 s from nothing, 8 ms for a node more or less, 0.18 s after all weights changed; leaders 8 ms
//! (`PLACEMENT_NODES=1000 PLACEMENT_GROUPS=16384 cargo test --release -p cluster cost -- --nocapture`).

mod layout;
mod leaders;
mod share;
#[cfg(test)]
mod tests;

pub use leaders::leaders;

use layout::{Layout, Rule};
use std::collections::{BTreeMap, BTreeSet};
use wire::ids::{GroupId, NodeId};
use xxhash_rust::xxh3::xxh3_64;

/// A node as placement sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    pub node: NodeId,
    /// Replicas of a group go to different zones while there are any. Empty is a zone like others.
    pub zone: String,
    /// Its share against others' shares; 0 counts as 1.
    pub weight: u32,
    /// May it get replicas? If not it is drained: it keeps none in the plan.
    pub takes: bool,
}

/// Nodes that hold a replica of each group, in ascending order.
pub type Plan = BTreeMap<GroupId, Vec<NodeId>>;

/// Where replicas of `groups` should be, least away from where they are.
///
/// - Each group has `replication` nodes, at least 1, or all that take replicas when those are fewer; no node twice.
/// - They are in as many different zones as can be.
/// - Each node holds its fair share, rounded down or up: by weight, as far as zones allow (whoever is alone in one of three zones
///   holds all groups, whatever it weighs).
/// - When no site takes replicas there is nowhere to go: the plan is `current`.
pub fn place(sites: &[Site], groups: &[GroupId], replication: usize, current: &Plan) -> Plan {
    let sites: BTreeMap<NodeId, &Site> = sites.iter().filter(|s| s.takes).map(|site| (site.node, site)).collect();
    let groups: BTreeSet<GroupId> = groups.iter().copied().collect();
    let nodes: Vec<NodeId> = sites.keys().copied().collect();
    if nodes.is_empty() {
        let stays = |group: &GroupId| Some((*group, current.get(group)?.clone()));
        return groups.iter().filter_map(stays).collect();
    }
    let named: BTreeSet<&str> = sites.values().map(|site| site.zone.as_str()).collect();
    let named: Vec<&str> = named.into_iter().collect();
    // Every zone is in `named`, which is sorted.
    let zone: Vec<usize> = sites.values().filter_map(|site| named.binary_search(&site.zone.as_str()).ok()).collect();
    let weight: Vec<u32> = sites.values().map(|site| site.weight.max(1)).collect();
    let rule = Rule { replication: replication.clamp(1, nodes.len()), zones: named.len() };
    // Group 0 is meta: the first to choose, by its number.
    let groups: Vec<GroupId> = groups.into_iter().collect();
    let held: Vec<Vec<usize>> = groups.iter().map(|group| held(current, *group, &nodes)).collect();
    let mut counts = vec![0; nodes.len()];
    held.iter().flatten().for_each(|node| counts[*node] += 1);
    let quota = share::quotas(&rule, groups.len(), &zone, &weight, &counts);
    let rank = |group: usize, node: usize| rank(groups[group], nodes[node]);
    let layout = Layout::of(rule, zone, quota, held).planned(&rank);
    let planned = groups.iter().zip(layout);
    planned.map(|(group, on)| (*group, on.into_iter().map(|node| nodes[node]).collect())).collect()
}

/// Where a group is now, among those that take replicas: places in `nodes`, ascending, none twice.
fn held(current: &Plan, group: GroupId, nodes: &[NodeId]) -> Vec<usize> {
    let on = current.get(&group).map(Vec::as_slice).unwrap_or_default();
    let on: BTreeSet<usize> = on.iter().filter_map(|node| nodes.binary_search(node).ok()).collect();
    on.into_iter().collect()
}

/// How much a node is a group's: the same for ever, whatever other nodes there are.
fn rank(group: GroupId, node: NodeId) -> u64 {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&group.0.to_le_bytes());
    bytes[8..].copy_from_slice(&node.0.to_le_bytes());
    xxh3_64(&bytes)
}
