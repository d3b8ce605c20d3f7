//! Which node leads what, and connections straight there: a typed call to an entity takes no hop.
//!
//! What is known here only saves time. Any node answers any call, so whatever is old, wrong or out of reach costs a hop
//! more and nothing else.

use crate::link::Link;
use crate::pool::Pool;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;
use wire::slot::owner;

/// What is known is asked for again after this long, if calls are made.
const FRESH: Duration = Duration::from_secs(5);
/// And after this long when it seems to be wrong.
const DOUBTED: Duration = Duration::from_millis(200);
/// A node that cannot be reached directly is left alone for this long.
const DOWN: Duration = Duration::from_secs(5);

/// The entity of a call.
pub struct Place {
    pub service: &'static str,
    pub key: String,
}

/// Who leads which group, and where the nodes are.
#[derive(Debug, PartialEq, Eq)]
pub struct Topology {
    /// The node that said so.
    node: u64,
    groups: u16,
    account: String,
    leaders: BTreeMap<u64, u64>,
    listen: BTreeMap<u64, String>,
}

enum Way {
    Up(Arc<Link>),
    /// Somebody is connecting.
    Making,
    Down(Instant),
}

struct State {
    known: Option<Topology>,
    ways: BTreeMap<u64, Way>,
    /// When it is asked for next.
    due: Instant,
    asking: bool,
}

pub struct Direct {
    /// There is one node, as far as anybody knows: nothing to choose.
    single: AtomicBool,
    state: Mutex<State>,
}

impl Topology {
    /// What `_.Topology` says.
    pub fn of(told: &Value) -> Option<Topology> {
        let pairs = |list: &str, from: &str| told[list].as_array().map(|all| (all.clone(), from.to_string()));
        let (leaders, group) = pairs("leaders", "group")?;
        let (nodes, id) = pairs("nodes", "id")?;
        let leaders = leaders.iter().filter_map(|one| Some((one[&group].as_u64()?, one["node"].as_u64()?)));
        let listen = nodes.iter().filter_map(|one| Some((one[&id].as_u64()?, one["listen"].as_str()?.to_string())));
        Some(Topology {
            node: told["node"].as_u64()?,
            groups: u16::try_from(told["groups"].as_u64()?).ok().filter(|groups| *groups > 0)?,
            account: told["account"].as_str()?.to_string(),
            leaders: leaders.collect(),
            listen: listen.filter(|(_, address)| !address.is_empty()).collect(),
        })
    }

    fn leader(&self, place: &Place) -> Option<u64> {
        self.leaders.get(&owner(self.groups, &self.account, place.service, &place.key).0).copied()
    }

    pub fn addresses(&self) -> Vec<String> {
        self.listen.values().cloned().collect()
    }
}

impl Direct {
    pub fn new() -> Direct {
        let state = State { known: None, ways: BTreeMap::new(), due: Instant::now(), asking: false };
        Direct { single: AtomicBool::new(false), state: Mutex::new(state) }
    }

    /// Is it of use to know a call's key?
    pub fn wants_keys(&self) -> bool {
        !self.single.load(Ordering::Relaxed) || self.lock().due <= Instant::now()
    }

    /// Shall the caller ask a node for the topology? Then it must end with [`Direct::learn`].
    pub fn is_due(&self) -> bool {
        let mut state = self.lock();
        let due = !state.asking && state.due <= Instant::now();
        state.asking |= due;
        due
    }

    /// What the node at the other end of `link` said; `None` = nothing of use.
    pub fn learn(&self, told: Option<Topology>, link: Option<Arc<Link>>) {
        let mut state = self.lock();
        (state.asking, state.due) = (false, Instant::now() + FRESH);
        let Some(topology) = told else { return };
        state.ways.retain(|node, _| topology.listen.contains_key(node));
        if let Some(link) = link {
            let way = state.ways.entry(topology.node).or_insert(Way::Making);
            if !matches!(way, Way::Up(link) if link.is_alive()) {
                *way = Way::Up(link);
            }
        }
        self.single.store(topology.listen.len() < 2, Ordering::Relaxed);
        state.known = Some(topology);
    }

    /// It may be wrong: ask soon.
    pub fn doubt(&self) {
        let soon = Instant::now() + DOUBTED;
        let mut state = self.lock();
        state.due = state.due.min(soon);
    }

    /// The connection to the node that leads the place's group, if there is one; else it is made meanwhile.
    pub fn to(self: &Arc<Direct>, place: &Place, pool: &Arc<Pool>) -> Option<Arc<Link>> {
        if self.single.load(Ordering::Relaxed) {
            return None;
        }
        let mut state = self.lock();
        let known = state.known.as_ref()?;
        let node = known.leader(place)?;
        let address = known.listen.get(&node)?.clone();
        match state.ways.get(&node) {
            Some(Way::Up(link)) if link.is_alive() => return Some(link.clone()),
            Some(Way::Making) => return None,
            Some(Way::Down(until)) if Instant::now() < *until => return None,
            Some(Way::Up(_) | Way::Down(_)) | None => {}
        }
        state.ways.insert(node, Way::Making);
        drop(state);
        let (direct, pool) = (self.clone(), pool.clone());
        tokio::spawn(async move {
            let made = pool.connect_to(&address).await;
            let way = made.map_or_else(|_| Way::Down(Instant::now() + DOWN), Way::Up);
            direct.lock().ways.insert(node, way);
        });
        None
    }

    /// Any connection that works.
    pub fn any(&self) -> Option<Arc<Link>> {
        let state = self.lock();
        state.ways.values().find_map(|way| match way {
            Way::Up(link) if link.is_alive() => Some(link.clone()),
            _ => None,
        })
    }

    /// The node at the other end of `link` wants no calls just now.
    pub fn avoid(&self, link: &Arc<Link>) {
        let mut state = self.lock();
        for way in state.ways.values_mut() {
            if matches!(way, Way::Up(there) if Arc::ptr_eq(there, link)) {
                *way = Way::Down(Instant::now() + DOWN);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_topology_is_read_as_far_as_it_goes() {
        let told = json!({
            "version": 4, "groups": 2, "node": 1, "account": "local",
            "leaders": [{"group": 1, "node": 2}, {"group": 2, "node": null}],
            "nodes": [{"id": 1, "listen": "a:1"}, {"id": 2, "listen": "b:2"}, {"id": 3, "listen": ""}],
        });
        let topology = Topology::of(&told).unwrap();
        assert_eq!(topology.addresses(), ["a:1", "b:2"]);
        let place = |key: &str| Place { service: "cache", key: key.into() };
        // Slot 578 of 16,384 is the first group's, and nobody is known to lead the second.
        assert_eq!(topology.leader(&place("k")), Some(2));
        let second = (0..).map(|n| n.to_string()).find(|key| owner(2, "local", "cache", key).0 == 2).unwrap();
        assert_eq!(topology.leader(&place(&second)), None);
        for broken in [json!({}), json!({"groups": 0, "node": 1, "account": "", "leaders": [], "nodes": []}), json!(5)]
        {
            assert_eq!(Topology::of(&broken), None, "{broken}");
        }
    }
}
