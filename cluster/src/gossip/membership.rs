//! What the rest of a node asks of gossip; and a stand-in that says what a script tells it to.

use super::member::{Health, Member, Seen};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::sync::watch;
use wire::ids::NodeId;

/// Who seems alive. Hints: they may cause a proposal and never change an owner (LESSONS §2).
pub trait Membership: Send + Sync {
    /// This node, and everybody it has heard from in this life, by node id.
    fn seen(&self) -> Vec<Seen>;
    /// The same, whenever somebody comes, goes or changes. `since` is of that moment.
    fn watch(&self) -> watch::Receiver<Vec<Seen>>;
    /// Tells the others which topology this node knows.
    fn set_topology_version(&self, version: u64);
}

/// Nodes as a simulation wants them seen. Clones are the same.
#[derive(Clone, Debug)]
pub struct Scripted(Arc<Mutex<Script>>);

#[derive(Debug)]
struct Script {
    me: NodeId,
    seen: BTreeMap<NodeId, Seen>,
    told: watch::Sender<Vec<Seen>>,
}

impl Scripted {
    /// Sees nobody but itself.
    pub fn new(me: Member) -> Scripted {
        let script = Script { me: me.node, seen: BTreeMap::new(), told: watch::Sender::new(Vec::new()) };
        let scripted = Scripted(Arc::new(Mutex::new(script)));
        scripted.alive(me);
        scripted
    }

    /// That member is seen alive from now on, unless a later life of the node was seen.
    pub fn alive(&self, member: Member) {
        self.change(|seen| {
            let before = seen.get(&member.node);
            if before.is_some_and(|before| before.member.incarnation > member.incarnation) {
                return;
            }
            let lives_on = before.filter(|before| before.health == Health::Alive && before.member == member);
            let (since, topology_version) =
                lives_on.map_or((Duration::ZERO, 0), |before| (before.since, before.topology_version));
            seen.insert(member.node, Seen { member, health: Health::Alive, since, topology_version });
        });
    }

    /// The node is seen dead from now on, if it was seen at all.
    pub fn dead(&self, node: NodeId) {
        self.change(|seen| {
            if let Some(seen) = seen.get_mut(&node).filter(|seen| seen.health == Health::Alive) {
                (seen.health, seen.since) = (Health::Dead, Duration::ZERO);
            }
        });
    }

    /// The node is not seen any more.
    pub fn forget(&self, node: NodeId) {
        self.change(|seen| {
            seen.remove(&node);
        });
    }

    /// The node was heard with that topology.
    pub fn topology(&self, node: NodeId, version: u64) {
        self.change(|seen| {
            if let Some(seen) = seen.get_mut(&node) {
                seen.topology_version = version;
            }
        });
    }

    /// Time goes by.
    pub fn pass(&self, time: Duration) {
        self.script().seen.values_mut().for_each(|seen| seen.since += time);
    }

    fn change(&self, change: impl FnOnce(&mut BTreeMap<NodeId, Seen>)) {
        let mut script = self.script();
        change(&mut script.seen);
        let seen: Vec<Seen> = script.seen.values().cloned().collect();
        script.told.send_if_modified(|told| {
            let changed = told.len() != seen.len() || !told.iter().zip(&seen).all(|(told, seen)| told.same(seen));
            if changed {
                *told = seen;
            }
            changed
        });
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        self.0.lock().expect("no script panics half-way")
    }
}

impl Membership for Scripted {
    fn seen(&self) -> Vec<Seen> {
        self.script().seen.values().cloned().collect()
    }

    fn watch(&self) -> watch::Receiver<Vec<Seen>> {
        self.script().told.subscribe()
    }

    fn set_topology_version(&self, version: u64) {
        let me = self.script().me;
        self.topology(me, version);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::ids::Incarnation;

    fn member(node: u64, incarnation: u64) -> Member {
        Member {
            node: NodeId(node),
            incarnation: Incarnation(incarnation),
            listen: format!("host{node}:7070"),
            http: String::new(),
            version: String::new(),
            zone: String::new(),
        }
    }

    #[test]
    fn a_script_is_seen() {
        let scripted = Scripted::new(member(1, 1));
        let mut watch = scripted.watch();
        watch.mark_unchanged();
        scripted.alive(member(2, 3));
        scripted.pass(Duration::from_secs(4));
        assert!(watch.has_changed().unwrap());
        assert_eq!(watch.borrow_and_update().len(), 2);
        assert_eq!(scripted.seen()[1].since, Duration::from_secs(4));

        scripted.dead(NodeId(2));
        assert_eq!((scripted.seen()[1].health, scripted.seen()[1].since), (Health::Dead, Duration::ZERO));
        scripted.alive(member(2, 2));
        assert_eq!(scripted.seen()[1].health, Health::Dead, "an older life came back");
        scripted.alive(member(2, 4));
        assert_eq!(scripted.seen()[1].health, Health::Alive);
        scripted.forget(NodeId(2));
        assert_eq!(scripted.seen().len(), 1);
    }

    #[test]
    fn what_changes_nothing_wakes_nobody() {
        let scripted = Scripted::new(member(1, 1));
        scripted.alive(member(2, 1));
        let mut watch = scripted.watch();
        watch.mark_unchanged();
        scripted.alive(member(2, 1));
        scripted.dead(NodeId(9));
        scripted.topology(NodeId(2), 0);
        scripted.pass(Duration::from_secs(1));
        assert!(!watch.has_changed().unwrap());
        scripted.set_topology_version(5);
        assert!(watch.has_changed().unwrap());
        assert_eq!(scripted.seen()[0].topology_version, 5);
    }
}
