//! From two engines to a node that can turn: bootstrap, recovery, and the checks between the two (P17, P18).

use super::applier::{Applier, encode_members, members};
use super::handle::{Handle, SendAsk};
use super::leading::{Cells, Leading};
use super::looper::Loop;
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
    pub stores: BTreeMap<GroupId, ReplicaStore>,
    cells: Cells,
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
        let stores = open_stores(&engine, &recovered, groups)?;
        let mut seeds = Vec::new();
        for (group, (store, conf)) in &stores {
            seeds.push(seed(*group, store, conf.clone(), &recovered)?);
        }
        let cells: Cells = Arc::new(stores.keys().map(|group| (*group, Arc::new(Leading::default()))).collect());
        let core = Core::open(settings, seeds, now)?;
        let stores: BTreeMap<_, _> = stores.into_iter().map(|(group, (store, _))| (group, store)).collect();
        let applier = Applier::new(stores.clone());
        Ok(Parts { turning: Loop::new(core, cells.clone()), writer: Writer::new(log), applier, stores, cells })
    }

    /// Every group as writers and readers hold it.
    pub fn handles(&self, send: SendAsk) -> BTreeMap<GroupId, Handle> {
        let handle =
            |(group, cell): (&GroupId, &Arc<Leading>)| (*group, Handle::new(*group, cell.clone(), send.clone()));
        self.cells.iter().map(handle).collect()
    }
}

type Stores = BTreeMap<GroupId, (ReplicaStore, Conf)>;

fn open_stores(engine: &Arc<dyn Engine>, recovered: &Recovered, groups: u16) -> Result<Stores, OpenError> {
    let mut stores = Stores::new();
    for (id, state) in replica::replicas(&**engine)? {
        let (group, conf) = members(&state).map_err(|e| OpenError::Members(id, e))?;
        if let Some(store) = ReplicaStore::open(engine.clone(), id)? {
            stores.insert(group, (store, conf));
        }
    }
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
        // Founded, and stopped before its log was begun.
        None if state.applied == FOUNDED.index => LogSeed::default(),
        None => return Err(OpenError::LogLost(replica)),
    };
    let state = StateSeed { applied: state.applied, applied_term: state.applied_term, conf };
    Ok(ReplicaSeed { group, replica, log, state, health: Health::Whole })
}
