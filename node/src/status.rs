//! What a node tells of the cluster: `GET /status`, `/readyz`.

use crate::door::{Status, VERSION};
use cluster::gossip::{Gossip, Health};
use cluster::group::Group;
use cluster::member::{Member, Waits};
use cluster::meta::Meta;
use cluster::node::{Handle, Slot};
use cluster::topology::Stage;
use cluster::transport::Network;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;
use storage::log::Counters;
use storage::state::Engine;
use wire::ids::{ClusterId, GroupId, NodeId, ReplicaId};

/// A node nothing was heard of for so long counts as dead.
const DEAD_AFTER: Duration = Duration::from_secs(2);
/// Without a quorum for so long, calls are refused at once.
const CUT_OFF: Duration = Duration::from_secs(1);

pub struct NodeStatus {
    pub cluster: ClusterId,
    pub node: NodeId,
    pub engine: Arc<dyn Engine>,
    pub handles: BTreeMap<GroupId, Handle>,
    pub slots: Arc<BTreeMap<GroupId, Arc<Slot>>>,
    pub log: Arc<Mutex<Counters>>,
    pub member: Member,
    pub network: Network,
    pub gossip: Arc<OnceLock<Gossip>>,
}

impl Status for NodeStatus {
    fn status(&self) -> Value {
        let meta = self.member.meta().borrow().clone();
        let alive = self.alive(&meta);
        let leaders: BTreeMap<GroupId, NodeId> =
            self.handles.keys().filter_map(|group| Some((*group, self.leader(&meta, *group)?))).collect();
        let nodes = meta.nodes.iter().map(|row| {
            let replicas = meta.topology.placed.iter().filter(|placed| placed.node == row.node).count();
            json!({
                "id": row.node.0, "listen": row.listen, "http": row.http,
                "state": if alive.contains(&row.node) { "alive" } else { "dead" },
                "incarnation": row.incarnation.0, "version": row.version, "zone": row.zone,
                "groups_led": leaders.values().filter(|node| **node == row.node).count(), "replicas": replicas,
            })
        });
        let nodes: Vec<_> = nodes.collect();
        let engine = self.engine.stats();
        let log = *self.log.lock().unwrap_or_else(PoisonError::into_inner);
        json!({
            "cluster_id": self.cluster.to_string(),
            "version": VERSION,
            "node": self.node.0,
            "topology_version": meta.topology.version,
            "nodes": nodes,
            "groups": meta.topology.all().map(|group| self.group(&meta, group, &leaders)).collect::<Vec<_>>(),
            "tolerates_failures": self.tolerates(&meta, &alive),
            "advice": self.advice(&meta, &alive),
            "cut_off": self.member.cut_off(CUT_OFF),
            "rows": engine.rows,
            "log": json!({ "syncs": log.syncs, "entries": log.entries, "bytes": log.bytes }),
        })
    }

    fn ready(&self) -> Result<(), String> {
        match &*self.member.registered().borrow() {
            Ok(()) => {}
            Err(Waits::For(why)) => return Err(format!("this node is not registered yet: {why}")),
            Err(Waits::Refused(why)) => return Err(format!("this node was refused: {why}")),
        }
        if self.member.cut_off(CUT_OFF) {
            let meta = self.member.meta().borrow().clone();
            let alive = self.alive(&meta);
            let missing = meta.nodes.iter().filter(|row| !alive.contains(&row.node));
            let missing: Vec<_> = missing.map(|row| format!("{} at {}", row.node, row.listen)).collect();
            return Err(format!("no quorum: nothing is heard of {}; start them", missing.join(", ")));
        }
        let here = |group: &&GroupId| self.slots.get(group).is_some_and(|slot| slot.get().is_some());
        match self.handles.keys().filter(here).find(|group| self.handles[group].leader().is_none()) {
            Some(group) => Err(format!("{group} has no leader yet")),
            None => Ok(()),
        }
    }
}

impl NodeStatus {
    /// Nodes that were heard of just now, by gossip or by a link.
    fn alive(&self, meta: &Meta) -> Vec<NodeId> {
        let seen = self.gossip.get().map(Gossip::seen).unwrap_or_default();
        let gossips = |node| seen.iter().any(|s| s.member.node == node && s.health == Health::Alive);
        let linked = |node| self.network.heard(node).is_some_and(|silent| silent < DEAD_AFTER);
        // Links know best; gossip knows of nodes that no link has reached yet.
        let unlinked = |node| self.network.heard(node).is_none();
        let alive = |node: &NodeId| *node == self.node || linked(*node) || (unlinked(*node) && gossips(*node));
        meta.nodes.iter().map(|row| row.node).filter(alive).collect()
    }

    fn leader(&self, meta: &Meta, group: GroupId) -> Option<NodeId> {
        let handle = self.handles.get(&group)?;
        match handle.leading() {
            Some(_) => Some(self.node),
            None => meta.topology.node_of(group, handle.leader()?),
        }
    }

    fn group(&self, meta: &Meta, group: GroupId, leaders: &BTreeMap<GroupId, NodeId>) -> Value {
        let state = self.slots.get(&group).and_then(|slot| slot.get()).map(|store| store.state());
        let conf = state.as_ref().and_then(|state| cluster::node::members(state).ok()).map(|(_, conf)| conf);
        let ids = |replicas: &[ReplicaId]| replicas.iter().map(|replica| replica.0).collect::<Vec<_>>();
        let placed = meta.topology.of(group).filter(|placed| placed.stage == Stage::Here);
        json!({
            "id": group.0,
            "leader": leaders.get(&group).map(|node| node.0),
            // Only of those it leads itself: nobody else may say so of the same term.
            "leads_in_term": self.handles.get(&group).and_then(|handle| handle.leading()).map(|term| term.0),
            "nodes": placed.map(|placed| placed.node.0).collect::<Vec<_>>(),
            "voters": conf.as_ref().map(|conf| ids(&conf.voters)),
            "learners": conf.as_ref().map(|conf| ids(&conf.learners)),
            "applied": state.map(|state| state.applied.0),
        })
    }

    /// How many more nodes may fail: the group with the least to spare decides.
    fn tolerates(&self, meta: &Meta, alive: &[NodeId]) -> usize {
        let spare = |group| {
            let voters = self.voters(meta, group);
            let up = voters.iter().filter(|node| alive.contains(node)).count();
            up.saturating_sub(voters.len() / 2 + 1)
        };
        meta.topology.all().map(spare).min().unwrap_or(0)
    }

    /// Nodes that vote in the group: by the replica here, else by what is placed.
    fn voters(&self, meta: &Meta, group: GroupId) -> Vec<NodeId> {
        let state = self.slots.get(&group).and_then(|slot| slot.get()).map(|store| store.state());
        let conf = state.and_then(|state| cluster::node::members(&state).ok()).map(|(_, conf)| conf);
        match conf.filter(|conf| !conf.voters.is_empty()) {
            // One that meta does not know any more is no node that could fail: it counts as down.
            Some(conf) => conf.voters.iter().map(|v| meta.topology.node_of(group, *v).unwrap_or_default()).collect(),
            None => meta.topology.of(group).filter(|p| p.stage == Stage::Here).map(|p| p.node).collect(),
        }
    }

    fn advice(&self, meta: &Meta, alive: &[NodeId]) -> Option<String> {
        let dead: Vec<_> =
            meta.nodes.iter().filter(|row| !alive.contains(&row.node)).map(|row| row.node.to_string()).collect();
        match (meta.nodes.len(), dead.is_empty(), self.tolerates(meta, alive)) {
            (1 | 2, true, _) => Some("tolerates 0 failures; add one node with --join".into()),
            (_, false, 0) => Some(format!("tolerates 0 failures: {} is down; start it", dead.join(", "))),
            (_, false, _) => Some(format!("{} is down", dead.join(", "))),
            _ => None,
        }
    }
}
