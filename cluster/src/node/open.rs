//! From two engines to a node that can turn: bootstrap, recovery, and the checks between the two (P17, P18).

use super::Slot;
use super::applier::{Applier, encode_members, members};
use super::handle::{Handle, SendAsk};
use super::leading::{Cells, Leading};
use super::looper::Loop;
use super::receive::{Received, Receiver};
use super::writer::Writer;
use crate::consensus::{Conf, Core, Damage, Health, LogSeed, ReplicaSeed, Settings, StateSeed};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;
use std::time::Duration;
use storage::log::{Log, Recovered, Start};
use storage::replica::{self, Generation, ReplicaState, ReplicaStore};
use storage::state::Engine;
use wire::ids::{GroupId, Index, ReplicaId, Term};

/// Where a founded group's log begins.
const FOUNDED: Start = Start { index: Index(1), term: Term(1) };

/// A node's parts, ready to turn.
pub struct Parts {
    pub turning: Loop,
    pub writer: Writer,
    pub applier: Applier,
    /// The replicas that were here when the node opened.
    pub stores: BTreeMap<GroupId, ReplicaStore>,
    /// Where they are, and where others will be: one place for each group of the cluster.
    pub slots: Arc<BTreeMap<GroupId, Arc<Slot>>>,
    cells: Cells,
    received: Arc<Received>,
}

/// Whether a folder that holds nothing becomes a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A cluster of one is founded in it, with so many groups beside meta. What is there already stays.
    Founded(u16),
    /// It belongs to a cluster of so many groups: replicas come when meta places them here.
    Joined(u16),
}

/// Why a node does not start. Each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("reading the state: {0}")]
    State(#[from] replica::Error),
    #[error("the state's membership of {0} does not decode ({1}): start the version that wrote this folder")]
    Members(ReplicaId, wire::codec::CodecError),
    #[error(
        "{0}: this node's log and state contradict each other; restore the folder from where both are of one moment"
    )]
    Damage(#[from] Damage),
    #[error("the log has replicas and the state has none: the state folder was lost; put it back")]
    StateLost,
    #[error("{0} is in the state and not in the log: the log folder was lost or is another one; put it back")]
    LogLost(ReplicaId),
}

impl Parts {
    /// Opens what is there; on a folder that holds nothing, founds a cluster of one with `groups` groups beside meta.
    pub fn open(
        engine: Arc<dyn Engine>,
        log: Log,
        recovered: Recovered,
        groups: u16,
        settings: Settings,
        now: Duration,
    ) -> Result<Parts, OpenError> {
        Parts::open_as(Origin::Founded(groups), engine, log, recovered, settings, now)
    }

    /// Opens what is there.
    pub fn open_as(
        origin: Origin,
        engine: Arc<dyn Engine>,
        log: Log,
        recovered: Recovered,
        settings: Settings,
        now: Duration,
    ) -> Result<Parts, OpenError> {
        let stores = open_stores(&engine, &recovered, origin)?;
        let mut seeds = Vec::new();
        for (group, (store, conf)) in &stores {
            seeds.push(seed(*group, store, conf.clone(), &recovered)?);
        }
        let stores: BTreeMap<_, _> = stores.into_iter().map(|(group, (store, _))| (group, store)).collect();
        let groups = match origin {
            Origin::Founded(groups) | Origin::Joined(groups) => u64::from(groups),
        };
        let groups = (0..=groups).map(GroupId).chain(stores.keys().copied());
        let slots: BTreeMap<_, _> = groups.map(|group| (group, place(stores.get(&group)))).collect();
        let cells: Cells = Arc::new(slots.keys().map(|group| (*group, Arc::new(Leading::default()))).collect());
        let mut core = Core::open(settings, seeds, now)?;
        let here = |id: &ReplicaId| stores.values().any(|store| store.replica() == *id);
        for id in recovered.replicas.keys().filter(|id| !here(id)) {
            if !ReplicaStore::is_destroyed(&*engine, *id)? {
                return Err(OpenError::StateLost);
            }
            // The node stopped before its log heard of it.
            core.forget(*id);
        }
        let (slots, received) = (Arc::new(slots), Arc::<Received>::default());
        let applier = Applier::new(stores.clone(), slots.clone(), received.clone());
        let (turning, writer) = (Loop::new(core, cells.clone()), Writer::new(log));
        Ok(Parts { turning, writer, applier, stores, slots, cells, received })
    }

    /// What takes snapshots of other nodes in.
    pub fn receiver(&self, send: SendAsk) -> Receiver {
        Receiver { slots: self.slots.clone(), received: self.received.clone(), send }
    }

    /// Every group as writers and readers hold it.
    pub fn handles(&self, send: SendAsk) -> BTreeMap<GroupId, Handle> {
        let handle =
            |(group, cell): (&GroupId, &Arc<Leading>)| (*group, Handle::new(*group, cell.clone(), send.clone()));
        self.cells.iter().map(handle).collect()
    }
}

type Stores = BTreeMap<GroupId, (ReplicaStore, Conf)>;

fn place(store: Option<&ReplicaStore>) -> Arc<Slot> {
    store.cloned().map(Slot::of).unwrap_or_default()
}

fn open_stores(engine: &Arc<dyn Engine>, recovered: &Recovered, origin: Origin) -> Result<Stores, OpenError> {
    let mut stores = Stores::new();
    for (id, state) in replica::replicas(&**engine)? {
        let (group, conf) = members(&state).map_err(|e| OpenError::Members(id, e))?;
        if let Some(store) = ReplicaStore::open(engine.clone(), id)? {
            stores.insert(group, (store, conf));
        }
    }
    let Origin::Founded(groups) = origin else { return Ok(stores) };
    if stores.contains_key(&GroupId::META) {
        return Ok(stores);
    }
    if !recovered.replicas.is_empty() {
        return Err(OpenError::StateLost);
    }
    // Meta last: while it is missing the founding has not ended, nothing was answered, and it is gone through again.
    for n in (0..=u64::from(groups)).rev() {
        let (group, id) = (GroupId(n), ReplicaId(n + 1));
        if let Entry::Vacant(place) = stores.entry(group) {
            let conf = Conf::of_voters([id]);
            let state = ReplicaState {
                generation: Generation(0),
                applied: FOUNDED.index,
                applied_term: FOUNDED.term,
                conf_state: encode_members(group, &conf),
            };
            place.insert((ReplicaStore::bootstrap(engine.clone(), id, state)?, conf));
        }
    }
    Ok(stores)
}

fn seed(group: GroupId, store: &ReplicaStore, conf: Conf, recovered: &Recovered) -> Result<ReplicaSeed, OpenError> {
    let (replica, state) = (store.replica(), store.state());
    let log = match recovered.replicas.get(&replica) {
        Some(found) => LogSeed { start: found.start, entries: found.entries.clone(), hard_state: found.hard_state },
        // Founded or placed here, and stopped before its log was begun.
        None if state.applied <= FOUNDED.index => LogSeed::default(),
        None => return Err(OpenError::LogLost(replica)),
    };
    let state = StateSeed { applied: state.applied, applied_term: state.applied_term, conf };
    Ok(ReplicaSeed { group, replica, log, state, health: Health::Whole })
}

/// A replica that meta has placed here: without rows, and on disk. Said again after a crash, it is the one that was made.
pub fn join(
    engine: &Arc<dyn Engine>,
    group: GroupId,
    replica: ReplicaId,
) -> Result<(ReplicaSeed, ReplicaStore), replica::Error> {
    let state = ReplicaState { conf_state: encode_members(group, &Conf::default()), ..ReplicaState::default() };
    let store = ReplicaStore::bootstrap(engine.clone(), replica, state)?;
    Ok((ReplicaSeed::joiner(group, replica), store))
}
