//! One life of the node, from open to crash: production's parts, and the queues between them.

use super::mutants::{Hasty, Mutant, Unfence};
use super::plan::Plan;
use super::probe;
use actors::clock::Hand;
use actors::host::{Ended, Host, Inbox, Place, Post};
use actors::shard::Command;
use cluster::consensus::Settings;
use cluster::group::Group;
use cluster::node::{Applier, ApplyJob, Ask, LogJob, Loop, Parts, SendAsk, Writer};
use rand::SeedableRng;
use rand::rngs::StdRng;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use storage::log::{Log, Options};
use storage::replica::ReplicaStore;
use storage::state::Memory;
use wire::ids::{ClusterId, GroupId, NodeId};

/// A shard's name.
pub type ShardId = (&'static str, GroupId);

pub const SERVICES: [&str; 3] = ["cache", "probe", "wallet"];

/// What callbacks leave behind for the executor to pick up: production sends these over channels.
pub struct Bag<T>(Mutex<VecDeque<T>>);

impl<T> Default for Bag<T> {
    fn default() -> Bag<T> {
        Bag(Mutex::default())
    }
}

impl<T> Bag<T> {
    pub fn put(&self, what: T) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push_back(what);
    }

    pub fn take(&self) -> Option<T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }

    pub fn take_all(&self) -> VecDeque<T> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub fn is_empty(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }
}

impl Inbox for Bag<Command> {
    fn is_empty(&self) -> bool {
        Bag::is_empty(self)
    }

    fn drain(&self) -> VecDeque<Command> {
        self.take_all()
    }
}

/// Which read asked, and whether the round held.
pub type ReadEnded = (u64, bool);

pub struct Life {
    pub turning: Loop,
    pub writer: Writer,
    pub applier: Applier,
    pub stores: BTreeMap<GroupId, ReplicaStore>,
    pub groups: BTreeMap<GroupId, Arc<dyn Group>>,
    pub asks: Arc<Bag<Ask>>,
    pub ended: Arc<Bag<(ShardId, Ended)>>,
    pub reads: Arc<Bag<ReadEnded>>,
    pub log_queue: Vec<LogJob>,
    pub writing: Option<Vec<LogJob>>,
    pub apply_queue: Vec<ApplyJob>,
    pub applying: Option<Vec<ApplyJob>>,
    pub hand: Hand,
    pub inboxes: BTreeMap<ShardId, Arc<Bag<Command>>>,
    pub hosts: BTreeMap<ShardId, Host>,
    /// When the last word to each shard arrives: they keep their order.
    pub settled_at: BTreeMap<ShardId, u64>,
    pub turn_planned: bool,
    pub flushing: bool,
    /// Asks turned away at the loop's door, for as many more as this counts.
    pub turned_away: Arc<Mutex<u32>>,
    pub unfence: Unfence,
    shards_made: u64,
    number: u64,
}

/// Why the node did not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("log: {0}")]
    Log(#[from] storage::log::OpenError),
    #[error("parts: {0}")]
    Parts(#[from] cluster::node::OpenError),
    #[error("marks: {0}")]
    Marks(#[from] storage::replica::Error),
}

pub fn options(plan: &Plan) -> Options {
    Options::new(ClusterId([7; 16]), NodeId(1)).create(0xC0FFEE).segment_bytes(plan.segment_bytes).segments_max(3)
}

impl Life {
    /// The real way to open: log, state, checks between them, clock.
    pub fn open(
        plan: &Plan,
        number: u64,
        disk: &storage::disk::MemoryDisk,
        engine: &Arc<Memory>,
        now: Duration,
        wall_ns: i64,
    ) -> Result<Life, OpenError> {
        let (log, recovered) = Log::open(Arc::new(disk.clone()), &options(plan))?;
        let settings = Settings {
            boot: number,
            seed: plan.seed,
            tick: Duration::from_millis(plan.tick_ms),
            window_bytes_max: plan.window_bytes_max,
            uncommitted_bytes_max: plan.uncommitted_bytes_max,
            apply_bytes_max: plan.apply_bytes_max,
            // The library wants it below the other; a node alone sends nothing.
            message_bytes_max: plan.uncommitted_bytes_max.min(1 << 20) / 2,
            mutants: Mutant::of_core(plan.mutant),
            ..Settings::default()
        };
        let parts = Parts::open(engine.clone(), log, recovered, plan.groups, settings, now)?;
        let asks: Arc<Bag<Ask>> = Arc::default();
        let turned_away: Arc<Mutex<u32>> = Arc::default();
        let send = sender(asks.clone(), turned_away.clone());
        let groups = parts.handles(send).into_iter().map(|(id, handle)| {
            let handle: Arc<dyn Group> = Arc::new(handle);
            let hasty = plan.has(Mutant::ReplyBeforeApplied);
            (id, if hasty { Arc::new(Hasty(handle)) as Arc<dyn Group> } else { handle })
        });
        let groups = groups.collect();
        let mut hand = Hand::new(wall_ns, now);
        for (group, store) in &parts.stores {
            for service in SERVICES.iter().filter(|_| *group != GroupId::META) {
                if let Some(mark) = cluster::node::mark(store, service)? {
                    hand.not_before(wire::Rfc3339(mark.now_ns));
                }
            }
        }
        let Parts { turning, writer, applier, stores, .. } = parts;
        Ok(Life {
            turning,
            writer,
            applier,
            stores,
            groups,
            asks,
            ended: Arc::default(),
            reads: Arc::default(),
            log_queue: Vec::new(),
            writing: None,
            apply_queue: Vec::new(),
            applying: None,
            hand,
            inboxes: BTreeMap::new(),
            hosts: BTreeMap::new(),
            settled_at: BTreeMap::new(),
            turn_planned: false,
            flushing: false,
            turned_away,
            unfence: Unfence::default(),
            shards_made: 0,
            number,
        })
    }

    /// Where a shard's commands wait, whether or not it runs.
    pub fn inbox(&mut self, shard: ShardId) -> Arc<Bag<Command>> {
        self.inboxes.entry(shard).or_default().clone()
    }

    /// The shard's host, started if need be.
    pub fn host(&mut self, plan: &Plan, shard: ShardId) -> &mut Host {
        if !self.hosts.contains_key(&shard) {
            self.shards_made += 1;
            let place = Place {
                service: Arc::new(service(shard.0)),
                group: self.groups[&shard.1].clone(),
                rows: cluster::node::Slot::of(self.stores[&shard.1].clone()),
                inbox: self.inbox(shard),
                key: [3; 32],
            };
            let ended = self.ended.clone();
            let post: Post = Arc::new(move |how| ended.put((shard, how)));
            let random = StdRng::seed_from_u64(plan.seed ^ (self.number << 40) ^ (self.shards_made << 20));
            self.hosts.insert(shard, Host::new(place, post, random).with_mutants(Mutant::of_shards(plan.mutant)));
        }
        self.hosts.get_mut(&shard).expect("just made")
    }
}

/// As production's, and now and then, when told to, as that of a node that is stopping.
fn sender(asks: Arc<Bag<Ask>>, turned_away: Arc<Mutex<u32>>) -> SendAsk {
    Arc::new(move |ask| {
        let mut left = turned_away.lock().unwrap_or_else(PoisonError::into_inner);
        if *left > 0 && matches!(ask, Ask::Propose { .. }) {
            *left -= 1;
            return Some(ask);
        }
        asks.put(ask);
        None
    })
}

pub fn service(name: &str) -> sdk::Service {
    match name {
        "cache" => services::cache::service(),
        "wallet" => services::wallet::service(),
        _ => probe::service(),
    }
}

impl Life {
    /// Nothing is due any more, nothing is under way.
    pub fn swept(&self, plan: &Plan) -> bool {
        let clean = |store: &ReplicaStore| super::checkers::leftovers(store).is_ok_and(|left| left.is_empty());
        let groups = 1..=u64::from(plan.groups);
        groups.map(GroupId).all(|group| self.stores.get(&group).is_some_and(clean))
    }
}
