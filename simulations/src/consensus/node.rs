//! One simulated node: a core, its two disks, and the queues between them.

use super::disk::{LogDisk, Place, State};
use super::plan::{Plan, Sabotage};
use cluster::consensus::{
    Committed, Conf, Core, Damage, Effect, Generation, Health, Input, ReplicaSeed, Settings, SnapshotId, StateSeed,
};
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;
use storage::log::Start;
use wire::ids::{GroupId, Index, ReplicaId};

/// What waits in a node's inbox.
#[derive(Clone, Debug)]
pub enum Item {
    Input(Input),
    /// A read that hopes for a lease; began when `floor` was the newest index shown.
    LeaseRead {
        group: GroupId,
        floor: Index,
    },
}

/// What waits for a group's rows, in order.
pub enum Job {
    Apply(Vec<Committed>),
    Flip { generation: Generation, applied: Start, conf: Conf },
}

/// A simulated node. Down while `core` is `None`.
pub struct Node {
    pub core: Option<Core>,
    pub life: u64,
    pub inbox: Vec<Item>,
    pub turn_due: bool,
    /// When the oldest item of the inbox came (for the mutant that reads the clock then).
    pub inbox_since: u64,
    pub paused_until: u64,
    pub log: LogDisk,
    /// No fsync ends before this.
    pub stalled_until: u64,
    pub places: BTreeMap<GroupId, Place>,
    pub jobs: BTreeMap<GroupId, VecDeque<Job>>,
    pub snapshots: BTreeMap<SnapshotId, State>,
    pub serial: u64,
    drift_ppm: i64,
}

impl Node {
    pub fn new(drift_ppm: i64, plan: &Plan) -> Node {
        Node {
            core: None,
            life: 0,
            inbox: Vec::new(),
            turn_due: false,
            inbox_since: 0,
            paused_until: 0,
            log: LogDisk::new(plan.sabotaged(Sabotage::StaleTail)),
            stalled_until: 0,
            places: BTreeMap::new(),
            jobs: BTreeMap::new(),
            snapshots: BTreeMap::new(),
            serial: 0,
            drift_ppm,
        }
    }

    /// This node's clock when the world's says `now`.
    pub fn clock(&self, now: u64) -> Duration {
        Duration::from_nanos(now.saturating_add_signed(now as i64 / 1_000_000 * self.drift_ppm))
    }

    /// The world's time when this node's clock will say `clock`, or a little later.
    pub fn world_time(&self, clock: Duration) -> u64 {
        let clock = clock.as_nanos() as u64;
        let off = clock as i64 / 1_000_000 * self.drift_ppm;
        // The inverse only to first order: a hundredth of the drift, squared, is what may be missing.
        clock.saturating_add_signed(-off) + clock / 10_000 + 20_000
    }

    /// What the node's disks say of its replicas.
    fn seeds(&self, plan: &Plan, newer: &BTreeMap<GroupId, Conf>) -> Vec<ReplicaSeed> {
        let seed = |(group, place): (&GroupId, &Place)| {
            let mut log = self.log.recover(place.replica);
            if plan.sabotaged(Sabotage::ForgetVote) {
                log.hard_state.vote = ReplicaId(0);
            }
            if plan.sabotaged(Sabotage::ForgetCommit) {
                log.hard_state.commit = Index(0);
            }
            let flushed = &place.flushed;
            let conf = newer.get(group).unwrap_or(&flushed.conf).clone();
            let state = StateSeed { applied: flushed.applied, applied_term: flushed.term, conf };
            ReplicaSeed { group: *group, replica: place.replica, log, state, health: Health::Whole }
        };
        self.places.iter().map(seed).collect()
    }

    pub fn start(&mut self, id: usize, now: u64, plan: &Plan) -> Result<(), Damage> {
        let newer = if plan.sabotaged(Sabotage::NewerConf) { self.confs_at_crash() } else { BTreeMap::new() };
        let settings = Settings {
            boot: (id as u64) << 32 | self.life,
            seed: plan.seed,
            read_max: Duration::from_secs(3),
            snapshot_max: Duration::from_millis(1_500),
            leader_may_leave: plan.leader_may_leave,
            promote_lag_max: plan.promote_lag_max,
            window_bytes_max: plan.window_bytes_max,
            message_bytes_max: 2_000,
            apply_bytes_max: 2_000,
            messages_in_flight_max: 16,
            uncommitted_bytes_max: 64_000,
            lease_drift: plan.leases.then(|| Duration::from_millis(15)),
            mutants: plan.mutants,
            ..Settings::default()
        };
        for place in self.places.values_mut() {
            place.crash();
        }
        let seeds = self.seeds(plan, &newer);
        self.core = Some(Core::open(settings, seeds, self.clock(now))?);
        Ok(())
    }

    fn confs_at_crash(&self) -> BTreeMap<GroupId, Conf> {
        self.places.iter().map(|(group, place)| (*group, place.live.conf.clone())).collect()
    }

    /// Everything in memory is gone. The disks keep what they had; the state rolls back when the node starts again.
    pub fn crash(&mut self) {
        self.core = None;
        self.life += 1;
        self.inbox.clear();
        self.turn_due = false;
        self.jobs.clear();
        self.snapshots.clear();
    }

    /// Puts a replica here: durable at once.
    pub fn place(&mut self, group: GroupId, replica: ReplicaId, state: State) {
        self.places.insert(group, Place { replica, live: state.clone(), flushed: state, staged: BTreeMap::new() });
    }

    pub fn next_serial(&mut self) -> u64 {
        self.serial += 1;
        self.serial
    }
}

/// One line for a trace.
pub fn brief(effect: &Effect) -> String {
    use super::trace::checksum;
    match effect {
        Effect::Send { group, to, bytes } => {
            format!("send {group} {to} {}:{:08x}", bytes.len(), checksum(bytes) as u32)
        }
        Effect::Append { id, batch, sync } => {
            let entries: usize = batch.appends.iter().map(|append| append.entries.len()).sum();
            let replicas: Vec<u64> = batch.appends.iter().map(|append| append.replica.0).collect();
            format!("append {} {replicas:?} {entries} {sync:?}", id.0)
        }
        Effect::Apply { group, entries } => {
            let (first, last) = (entries.first().map(|e| e.index), entries.last().map(|e| (e.index, e.term)));
            format!("apply {group} {first:?}..{last:?}")
        }
        Effect::Stream { group, to, snapshot, .. } => format!("stream {group} {to} {}", snapshot.0),
        Effect::Role { group, role, term, leader, conf } => {
            format!(
                "role {group} {role:?} {term} {leader:?} {:?}/{:?}/{:?}",
                ids(&conf.voters),
                ids(&conf.voters_outgoing),
                ids(&conf.learners)
            )
        }
        Effect::Flip { group, generation, applied, .. } => format!("flip {group} {} {}", generation.0, applied.index),
        other => format!("{other:?}"),
    }
}

fn ids(replicas: &[ReplicaId]) -> Vec<u64> {
    replicas.iter().map(|replica| replica.0).collect()
}
