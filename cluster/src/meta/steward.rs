//! What the leader of meta decides: who joins, what is placed where, what has left for good, who should lead.
//!
//! Changes of meta are plain functions over it, run by [`super::amend`]; what nodes report is kept in memory alone, for the
//! next leader hears it all again within a second.

use super::request::{GroupReport, Orders, Report};
use super::{Meta, NodeRow};
use crate::consensus::Conf;
use crate::placement::{Plan, Site, leaders, place};
use crate::topology::{Placed, Stage};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use wire::ids::{GroupId, Index, NodeId, ReplicaId};

/// A report older than this says nothing about now.
const FRESH: Duration = Duration::from_secs(2);
/// Leaders are handed around only once nothing has changed for so long: a node that just came back has not caught up.
const CALM: Duration = Duration::from_secs(3);

/// A new node's number, used once.
pub fn join(meta: &mut Meta) -> Result<NodeId, String> {
    let node = meta.topology.next_node;
    meta.topology.next_node = NodeId(node.0 + 1);
    Ok(node)
}

/// A node in a new life. An older life is refused: its folder is a copy, or was put back from a backup.
pub fn register(meta: &mut Meta, row: NodeRow) -> Result<(), String> {
    if row.node >= meta.topology.next_node {
        return Err(format!("{} was never let into this cluster", row.node));
    }
    match meta.nodes.iter_mut().find(|known| known.node == row.node) {
        Some(known) if *known == row => {}
        Some(known) if known.incarnation >= row.incarnation => {
            return Err(format!(
                "{} was started {} times and this folder knows of {}: it is a copy or an old backup of that node's folder. \
                 Start the newer one, or join with an empty folder as a new node",
                row.node, known.incarnation.0, row.incarnation.0
            ));
        }
        Some(known) => *known = row,
        None => {
            meta.nodes.push(row);
            meta.nodes.sort_unstable_by_key(|row| row.node);
        }
    }
    Ok(())
}

/// Everything that node had is gone: its replicas leave, and others come in their place.
pub fn lost(meta: &mut Meta, node: NodeId) -> Result<(), String> {
    for placed in meta.topology.placed.iter_mut().filter(|placed| placed.node == node) {
        placed.stage = Stage::Leaving;
    }
    lay_out(meta, Some(node))
}

/// Places what is missing; what is too much leaves.
pub fn plan(meta: &mut Meta) -> Result<(), String> {
    lay_out(meta, None)
}

/// `empty`: a node that has nothing any more, whatever is still leaving there.
fn lay_out(meta: &mut Meta, empty: Option<NodeId>) -> Result<(), String> {
    let site = |row: &NodeRow| Site { node: row.node, zone: row.zone.clone(), weight: 1, takes: true };
    let sites: Vec<Site> = meta.nodes.iter().map(site).collect();
    let groups: Vec<GroupId> = meta.topology.all().collect();
    let wanted = place(&sites, &groups, meta.topology.replication.into(), &placed_here(meta));
    for (group, nodes) in wanted {
        let here: Vec<Placed> = meta.topology.of(group).filter(|p| p.stage == Stage::Here).copied().collect();
        let leaving: BTreeSet<NodeId> =
            meta.topology.of(group).filter(|p| p.stage == Stage::Leaving).map(|p| p.node).collect();
        let comes = |node: &&NodeId| !here.iter().any(|p| p.node == **node);
        // A node has one replica of a group. A new one waits for the old one's end, the old one for somebody to take its
        // vote: placed there now, they would wait for each other.
        let (waits, free): (Vec<&NodeId>, Vec<&NodeId>) =
            nodes.iter().filter(comes).partition(|node| leaving.contains(node) && Some(**node) != empty);
        free.into_iter().for_each(|node| _ = meta.topology.place(group, *node));
        if !waits.is_empty() {
            continue;
        }
        for placed in meta.topology.placed.iter_mut().filter(|p| p.group == group && !nodes.contains(&p.node)) {
            placed.stage = Stage::Leaving;
        }
    }
    Ok(())
}

fn placed_here(meta: &Meta) -> Plan {
    let mut plan = Plan::new();
    for placed in meta.topology.placed.iter().filter(|placed| placed.stage == Stage::Here) {
        plan.entry(placed.group).or_default().push(placed.node);
    }
    plan.values_mut().for_each(|nodes| nodes.sort_unstable());
    plan
}

/// Drops replicas that have left their groups: their nodes may delete them.
pub fn forget(meta: &mut Meta, gone: &BTreeSet<ReplicaId>) -> Result<(), String> {
    meta.topology.placed.retain(|placed| placed.stage == Stage::Here || !gone.contains(&placed.replica));
    Ok(())
}

/// What the nodes last said.
#[derive(Default)]
pub struct Steward {
    heard: BTreeMap<NodeId, (Duration, Report)>,
    /// Replicas that are out of their group's membership, and where its log was when that was first seen.
    out: BTreeMap<ReplicaId, Index>,
    /// Who leads, and since when nothing of that changed.
    calm: (BTreeMap<GroupId, NodeId>, Duration),
}

impl Steward {
    /// A node's report, at a moment of any steady clock; the answer is for it.
    pub fn hear(&mut self, report: Report, meta: &Meta, now: Duration) -> Orders {
        let (node, leads) = (report.node, led(&report));
        self.heard.insert(node, (now, report));
        let current = self.leaders(now);
        if current != self.calm.0 {
            self.calm = (current.clone(), now);
        }
        let mut orders = Orders { version: meta.version(), hand_over: Vec::new() };
        if now < self.calm.1 + CALM {
            return orders;
        }
        let plan = placed_here(meta);
        let muted = plan.values().flatten().filter(|node| !self.may_lead(**node, now)).copied().collect();
        let wanted = leaders(&plan, &current, &muted);
        orders.hand_over.extend(leads.into_iter().filter_map(|group| {
            let to = wanted.get(&group).filter(|to| **to != node && self.may_lead(**to, now))?;
            let replica = meta.topology.of(group).find(|placed| placed.node == *to && placed.stage == Stage::Here)?;
            Some((group, replica.replica))
        }));
        orders
    }

    /// Replicas that have left for good: a quorum of what their group is now has that on disk (RAFT §4).
    pub fn gone(&mut self, meta: &Meta) -> BTreeSet<ReplicaId> {
        let leaving = meta.topology.placed.iter().filter(|placed| placed.stage == Stage::Leaving);
        let mut gone = BTreeSet::new();
        for placed in leaving {
            let Some((leader, conf)) = self.leader_of(placed.group) else { continue };
            if conf.contains(placed.replica) || !conf.voters_outgoing.is_empty() {
                self.out.remove(&placed.replica);
                continue;
            }
            let since = *self.out.entry(placed.replica).or_insert(leader.applied);
            let has = |voter: &&ReplicaId| self.flushed(placed.group, **voter).is_some_and(|index| index >= since);
            if conf.voters.iter().filter(has).count() > conf.voters.len() / 2 {
                gone.insert(placed.replica);
            }
        }
        gone
    }

    /// It said something just now, and keeps up.
    fn may_lead(&self, node: NodeId, now: Duration) -> bool {
        self.heard.get(&node).is_some_and(|(at, report)| now.saturating_sub(*at) <= FRESH && !report.slow)
    }

    fn leaders(&self, now: Duration) -> BTreeMap<GroupId, NodeId> {
        let fresh = self.heard.values().filter(|(at, _)| now.saturating_sub(*at) <= FRESH);
        fresh.flat_map(|(_, report)| led(report).into_iter().map(|group| (group, report.node))).collect()
    }

    fn leader_of(&self, group: GroupId) -> Option<(GroupReport, Conf)> {
        let reports = self.heard.values().flat_map(|(_, report)| &report.groups).filter(|r| r.group == group);
        let leader = reports.filter(|report| report.leads.is_some()).max_by_key(|report| report.term)?;
        Some((leader.clone(), leader.leads.clone()?))
    }

    fn flushed(&self, group: GroupId, replica: ReplicaId) -> Option<Index> {
        let mut all = self.heard.values().flat_map(|(_, report)| &report.groups);
        all.find(|report| report.group == group && report.replica == replica).map(|report| report.flushed)
    }
}

fn led(report: &Report) -> Vec<GroupId> {
    report.groups.iter().filter(|group| group.leads.is_some()).map(|group| group.group).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topology::Topology;
    use wire::ids::{Incarnation, Term};

    fn row(node: u64, incarnation: u64) -> NodeRow {
        let (node, incarnation) = (NodeId(node), Incarnation(incarnation));
        let text = String::new;
        NodeRow { node, incarnation, listen: text(), http: text(), version: text(), zone: text() }
    }

    fn meta(nodes: u64) -> Meta {
        let topology = Topology::founded(NodeId(1), 4);
        let mut meta = Meta { topology, nodes: vec![row(1, 1)], data_key: [0; 32], rotation: None };
        for _ in 1..nodes {
            let node = join(&mut meta).unwrap();
            register(&mut meta, row(node.0, 1)).unwrap();
        }
        plan(&mut meta).unwrap();
        meta
    }

    #[test]
    fn replication_follows_the_cluster_up_and_ids_are_used_once() {
        for (nodes, replicas) in [(1, 1), (2, 2), (3, 3), (5, 3)] {
            let meta = meta(nodes);
            for group in meta.topology.all() {
                let here: Vec<_> = meta.topology.of(group).filter(|p| p.stage == Stage::Here).collect();
                let on: BTreeSet<NodeId> = here.iter().map(|placed| placed.node).collect();
                assert_eq!((here.len(), on.len()), (replicas, replicas), "{group} on {nodes} nodes");
            }
            let ids: BTreeSet<ReplicaId> = meta.topology.placed.iter().map(|placed| placed.replica).collect();
            assert_eq!(ids.len(), meta.topology.placed.len());
            assert!(ids.iter().all(|id| *id < meta.topology.next_replica));
        }
    }

    #[test]
    fn an_older_life_is_refused_and_the_same_one_may_say_it_twice() {
        let mut meta = meta(2);
        register(&mut meta, row(2, 5)).unwrap();
        register(&mut meta, row(2, 5)).unwrap();
        let moved = NodeRow { listen: "elsewhere".into(), ..row(2, 5) };
        assert!(register(&mut meta, moved).unwrap_err().contains("a copy"));
        assert!(register(&mut meta, row(2, 4)).is_err());
        assert!(register(&mut meta, row(9, 1)).unwrap_err().contains("never let in"));
    }

    #[test]
    fn a_node_that_lost_everything_gets_new_replicas_and_the_old_ones_leave() {
        let mut meta = meta(3);
        let old: Vec<ReplicaId> =
            meta.topology.placed.iter().filter(|p| p.node == NodeId(2)).map(|p| p.replica).collect();
        lost(&mut meta, NodeId(2)).unwrap();
        for placed in meta.topology.placed.iter().filter(|placed| placed.node == NodeId(2)) {
            assert_eq!(placed.stage == Stage::Leaving, old.contains(&placed.replica), "{placed:?}");
        }
        assert_eq!(meta.topology.placed.iter().filter(|p| p.node == NodeId(2) && p.stage == Stage::Here).count(), 5);
    }

    #[test]
    fn no_replica_is_placed_where_another_of_its_group_is_still_leaving() {
        let mut meta = meta(2);
        let stage = |meta: &Meta, node: u64| -> Vec<Stage> {
            let on = |placed: &&Placed| placed.group == GroupId(1) && placed.node == NodeId(node);
            meta.topology.placed.iter().filter(on).map(|placed| placed.stage).collect()
        };
        meta.topology.replication = 1;
        plan(&mut meta).unwrap();
        let leaver = (1..=2).find(|node| stage(&meta, *node) == [Stage::Leaving]).unwrap();
        let old = meta.topology.of(GroupId(1)).find(|p| p.stage == Stage::Leaving).unwrap().replica;
        meta.topology.replication = 2;
        plan(&mut meta).unwrap();
        assert_eq!(stage(&meta, leaver), [Stage::Leaving], "it waits for the old one");
        assert_eq!(stage(&meta, 3 - leaver), [Stage::Here]);
        forget(&mut meta, &BTreeSet::from([old])).unwrap();
        plan(&mut meta).unwrap();
        assert_eq!(stage(&meta, leaver), [Stage::Here]);
    }

    #[test]
    fn what_left_is_forgotten_only_once_a_quorum_has_flushed_that() {
        let mut meta = meta(3);
        lost(&mut meta, NodeId(3)).unwrap();
        let of = |node: u64, stage| {
            let mut placed = meta.topology.placed.iter();
            placed.find(|p| p.group == GroupId(1) && p.node == NodeId(node) && p.stage == stage).unwrap().replica
        };
        let (a, b, c, old) = (of(1, Stage::Here), of(2, Stage::Here), of(3, Stage::Here), of(3, Stage::Leaving));
        let mut steward = Steward::default();
        let mut say = |node: u64, replica, flushed, leads: Option<Vec<ReplicaId>>| {
            let leads = leads.map(Conf::of_voters);
            let one = GroupReport {
                group: GroupId(1),
                replica,
                term: Term(3),
                applied: Index(9),
                flushed: Index(flushed),
                leads,
            };
            let node = NodeId(node);
            steward.hear(Report { node, slow: false, groups: vec![one] }, &meta, Duration::ZERO);
            steward.gone(&meta)
        };
        assert!(say(1, a, 9, Some(vec![a, b, old])).is_empty(), "it still votes");
        assert!(say(1, a, 9, Some(vec![a, b, c])).is_empty(), "only the leader has it on disk");
        assert!(say(2, b, 8, None).is_empty());
        assert_eq!(say(2, b, 9, None), BTreeSet::from([old]));
        let before = meta.topology.placed.len();
        forget(&mut meta, &BTreeSet::from([old, a])).unwrap();
        assert_eq!(meta.topology.placed.len(), before - 1, "only what is leaving is ever forgotten");
    }
}
