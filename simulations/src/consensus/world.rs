//! The world: a virtual clock, nodes, a network, and one queue of what happens when.

use super::checkers::{Checkers, Violation};
use super::clients::Clients;
use super::disk::{Place, State};
use super::network::Network;
use super::node::{Item, Node, brief};
use super::plan::{Plan, Sabotage};
use super::rng::Rng;
use super::trace::Trace;
use cluster::consensus::{Conf, Effect, Generation, Input, Role, SnapshotId, StagedSnapshot};
use std::collections::BTreeMap;
use wire::ids::{GroupId, Index, ReplicaId};

/// A millisecond of virtual time.
pub const MS: u64 = 1_000_000;

/// Something that happens at a moment. `life` is the node's then: a node that died in between does not hear of it.
pub enum Event {
    Turn {
        node: usize,
        life: u64,
    },
    Wake {
        node: usize,
        life: u64,
    },
    Arrive {
        node: usize,
        item: Item,
    },
    LogWritten {
        node: usize,
        life: u64,
    },
    JobDone {
        node: usize,
        life: u64,
        group: GroupId,
    },
    Flush {
        node: usize,
        life: u64,
        group: GroupId,
        again: bool,
    },
    Flushed {
        node: usize,
        life: u64,
        group: GroupId,
        replica: ReplicaId,
        state: State,
    },
    Built {
        node: usize,
        life: u64,
        group: GroupId,
    },
    Streamed {
        from: usize,
        life: u64,
        to: usize,
        group: GroupId,
        target: ReplicaId,
        state: State,
        message: bytes::Bytes,
    },
    Restart {
        node: usize,
    },
    Fault(super::faults::Fault),
    Client(super::clients::Act),
}

/// Everything there is.
pub struct World {
    pub plan: Plan,
    pub now: u64,
    pub rng: Rng,
    pub nodes: Vec<Node>,
    pub network: Network,
    pub checkers: Checkers,
    pub clients: Clients,
    pub trace: Trace,
    /// Where each replica lives.
    pub homes: BTreeMap<ReplicaId, usize>,
    pub next_replica: u64,
    queue: BTreeMap<(u64, u64), Event>,
    serial: u64,
    pub crashes: u64,
    pub installs: u64,
    pub changes: u64,
    pub turns: u64,
    /// Lost streams are never noticed by the sender.
    pub silent_losses: bool,
}

impl World {
    /// Nodes with founded groups, all up, no client and no fault yet.
    pub fn new(plan: Plan, trace: Trace) -> World {
        let mut rng = Rng::new(plan.seed.wrapping_mul(31).wrapping_add(17));
        let drift = |rng: &mut Rng| rng.between(0, 2 * plan.drift_ppm_max) as i64 - plan.drift_ppm_max as i64;
        let nodes = (0..plan.nodes).map(|_| Node::new(drift(&mut rng), &plan)).collect();
        let mut world = World {
            now: MS,
            rng,
            nodes,
            network: Network::default(),
            checkers: Checkers::default(),
            clients: Clients::default(),
            trace,
            homes: BTreeMap::new(),
            next_replica: 1,
            queue: BTreeMap::new(),
            serial: 0,
            crashes: 0,
            installs: 0,
            changes: 0,
            turns: 0,
            silent_losses: false,
            plan,
        };
        world.found_groups();
        for node in 0..world.nodes.len() {
            world.restart(node).expect("a founded node opens");
        }
        world
    }

    fn found_groups(&mut self) {
        for group in 0..self.plan.groups {
            let first = match self.plan.kind {
                super::plan::Kind::Growth => 1,
                super::plan::Kind::Membership => self.rng.between(1, 3) as usize,
                _ => self.nodes.len(),
            };
            let members: Vec<_> = (0..first).map(|node| (node, self.new_replica(node))).collect();
            let conf = Conf::of_voters(members.iter().map(|(_, replica)| *replica));
            for (node, replica) in members {
                self.nodes[node].place(GroupId(group), replica, State::founded(conf.clone()));
            }
        }
    }

    /// A replica id never used before, living on `node`.
    pub fn new_replica(&mut self, node: usize) -> ReplicaId {
        let replica = ReplicaId(self.next_replica);
        self.next_replica += 1;
        self.homes.insert(replica, node);
        replica
    }

    pub fn at(&mut self, when: u64, event: Event) {
        self.serial += 1;
        self.queue.insert((when.max(self.now), self.serial), event);
    }

    /// Runs everything that happens until `until`.
    pub fn run_until(&mut self, until: u64) -> Result<(), Violation> {
        while let Some(first) = self.queue.first_entry().filter(|first| first.key().0 <= until) {
            let ((when, _), event) = first.remove_entry();
            self.now = when;
            self.happen(event)?;
        }
        self.now = until;
        Ok(())
    }

    pub fn run_for_ms(&mut self, ms: u64) -> Result<(), Violation> {
        self.run_until(self.now + ms * MS)
    }

    fn happen(&mut self, event: Event) -> Result<(), Violation> {
        match event {
            Event::Turn { node, life } if self.nodes[node].life == life => self.turn(node)?,
            Event::Wake { node, life } if self.nodes[node].life == life => self.wake(node),
            Event::Arrive { node, item } => self.arrive(node, item),
            Event::LogWritten { node, life } if self.nodes[node].life == life => {
                if let Some(id) = self.nodes[node].log.finish() {
                    self.input(node, Input::Synced(id));
                }
                self.write_log(node);
            }
            Event::JobDone { node, life, group } if self.nodes[node].life == life => self.job_done(node, group)?,
            Event::Flush { node, life, group, again } if self.nodes[node].life == life => {
                self.flush(node, group, again)
            }
            Event::Flushed { node, life, group, replica, state } if self.nodes[node].life == life => {
                self.flushed(node, group, replica, state);
            }
            Event::Built { node, life, group } if self.nodes[node].life == life => self.built(node, group),
            Event::Streamed { from, life, to, group, target, state, message } => {
                self.streamed((from, life), to, group, target, state, message);
            }
            Event::Restart { node } => self.restart(node)?,
            Event::Fault(fault) => self.fault(fault),
            Event::Client(act) => self.act(act)?,
            _ => {}
        }
        Ok(())
    }

    /// Something for the node's inbox. A node that is down hears nothing.
    pub fn arrive(&mut self, node: usize, item: Item) {
        if self.nodes[node].core.is_none() {
            return;
        }
        if self.nodes[node].inbox.is_empty() {
            self.nodes[node].inbox_since = self.now;
        }
        self.nodes[node].inbox.push(item);
        self.want_turn(node);
    }

    pub fn input(&mut self, node: usize, input: Input) {
        self.arrive(node, Item::Input(input));
    }

    fn want_turn(&mut self, node: usize) {
        if !std::mem::replace(&mut self.nodes[node].turn_due, true) {
            let cost = self.rng.between(1, self.plan.turn_us_max) * 1000;
            let when = (self.now + cost).max(self.nodes[node].paused_until);
            self.at(when, Event::Turn { node, life: self.nodes[node].life });
        }
    }

    fn wake(&mut self, node: usize) {
        self.input(node, Input::Tick);
    }

    fn turn(&mut self, node: usize) -> Result<(), Violation> {
        // Paused while the turn was due: nothing runs.
        if self.now < self.nodes[node].paused_until {
            let (when, life) = (self.nodes[node].paused_until, self.nodes[node].life);
            self.at(when, Event::Turn { node, life });
            return Ok(());
        }
        self.turns += 1;
        self.nodes[node].turn_due = false;
        let mut inputs = Vec::new();
        let mut lease_reads = Vec::new();
        let mut ticks = false;
        for item in std::mem::take(&mut self.nodes[node].inbox) {
            match item {
                Item::Input(input) => {
                    ticks |= matches!(input, Input::Tick);
                    if let Input::Destroy { group, replica } = input {
                        self.clear_place(node, group, replica);
                    }
                    inputs.push(input);
                }
                Item::LeaseRead { group, floor } => lease_reads.push((group, floor)),
            }
        }
        let old = self.plan.sabotaged(Sabotage::OldNow);
        let clock = self.nodes[node].clock(if old { self.nodes[node].inbox_since } else { self.now });
        self.trace.line(self.now, format_args!("n{node} turn {}", inputs.len()));
        let mut effects = Vec::new();
        let core = self.nodes[node].core.as_mut().expect("only a running node has turns");
        core.turn(inputs, clock, &mut effects);
        let next = core.next_tick();
        for effect in effects {
            self.carry_out(node, effect)?;
        }
        if ticks {
            let when = self.nodes[node].world_time(next);
            self.at(when, Event::Wake { node, life: self.nodes[node].life });
        }
        for (group, floor) in lease_reads {
            self.lease_read(node, group, floor, clock)?;
        }
        Ok(())
    }

    fn lease_read(
        &mut self,
        node: usize,
        group: GroupId,
        floor: Index,
        clock: std::time::Duration,
    ) -> Result<(), Violation> {
        let core = self.nodes[node].core.as_ref().expect("only a running node serves reads");
        let Some(index) = core.lease(group, clock) else { return Ok(()) };
        let Some(applied) = self.nodes[node].places.get(&group).map(|place| place.live.applied) else { return Ok(()) };
        // A real reader waits until `index` is applied; this one is content with those that need not.
        if applied >= index {
            self.checkers.reads.lease_served += 1;
            self.checkers.reads.read(group, floor, applied, "lease")?;
        }
        Ok(())
    }

    fn carry_out(&mut self, node: usize, effect: Effect) -> Result<(), Violation> {
        self.trace.line(self.now, format_args!("n{node}   {}", brief(&effect)));
        match effect {
            Effect::Send { group, to, bytes } => {
                let Some(home) = self.homes.get(&to).copied() else { return Ok(()) };
                for when in self.network.deliveries(node, home, self.now, &self.plan, &mut self.rng) {
                    let item = Item::Input(Input::Message { group, to, bytes: bytes.clone() });
                    self.at(when, Event::Arrive { node: home, item });
                }
            }
            Effect::Append { id, batch, sync } => {
                self.nodes[node].log.queue(id, batch, sync);
                self.write_log(node);
            }
            Effect::Apply { group, entries } => self.add_job(node, group, super::node::Job::Apply(entries)),
            Effect::Flip { group, generation, applied, conf, .. } => {
                self.add_job(node, group, super::node::Job::Flip { generation, applied, conf });
            }
            Effect::Discard { group, generation } => {
                if let Some(place) = self.nodes[node].places.get_mut(&group) {
                    place.staged.remove(&generation);
                }
            }
            Effect::Build { group } => {
                let when = self.now + self.rng.below(20) * MS;
                self.at(when, Event::Built { node, life: self.nodes[node].life, group });
            }
            Effect::Stream { group, to, snapshot, message } => self.stream(node, group, to, snapshot, message),
            Effect::Release { snapshot, .. } => {
                self.nodes[node].snapshots.remove(&snapshot);
            }
            Effect::Flush { group } => {
                let when = self.now + self.rng.below(50) * MS;
                self.at(when, Event::Flush { node, life: self.nodes[node].life, group, again: false });
            }
            Effect::Answer { ticket, outcome } => self.client_answered(node, ticket, &outcome)?,
            Effect::Role { group, role, term, .. } => {
                let replica = self.nodes[node].places.get(&group).map(|place| place.replica);
                if let (Role::Leader, Some(replica)) = (role, replica) {
                    self.checkers.leaders.leads(group, term, replica)?;
                }
            }
        }
        Ok(())
    }

    pub fn write_log(&mut self, node: usize) {
        if self.nodes[node].log.writing > 0 || !self.nodes[node].log.begin() {
            return;
        }
        let slow = !self.network.perfect && self.rng.chance(self.plan.slow_sync_pm);
        let usual = self.rng.between(self.plan.sync_us.0, self.plan.sync_us.1);
        let took = if slow { self.rng.below(self.plan.slow_sync_us_max) } else { usual };
        let when = (self.now + took * 1000).max(self.nodes[node].stalled_until);
        self.at(when, Event::LogWritten { node, life: self.nodes[node].life });
    }

    fn stream(&mut self, node: usize, group: GroupId, to: ReplicaId, snapshot: SnapshotId, message: bytes::Bytes) {
        let Some(home) = self.homes.get(&to).copied() else { return };
        let Some(state) = self.nodes[node].snapshots.get(&snapshot).cloned() else { return };
        if !self.network.perfect
            && (self.rng.chance(self.plan.stream_lost_pm) || self.network.is_cut(node, home, self.now))
        {
            // Half of the lost ones are noticed, the others only by the deadline.
            if !self.silent_losses && self.rng.chance(500) {
                self.input(node, Input::SnapshotSent { group, to, ok: false });
            }
            return;
        }
        let when = self.now + self.rng.between(1_000, self.plan.stream_us_max) * 1000;
        let life = self.nodes[node].life;
        self.at(when, Event::Streamed { from: node, life, to: home, group, target: to, state, message });
    }

    fn streamed(
        &mut self,
        (from, life): (usize, u64),
        to: usize,
        group: GroupId,
        target: ReplicaId,
        state: State,
        message: bytes::Bytes,
    ) {
        let generation = Generation(self.nodes[to].next_serial());
        let up = self.nodes[to].core.is_some();
        let place = self.nodes[to].places.get_mut(&group).filter(|place| up && place.replica == target);
        let ok = place.is_some();
        if let Some(place) = place {
            place.staged.insert(generation, state);
            self.input(to, Input::Staged(StagedSnapshot { group, replica: target, generation, message }));
        }
        let lost = !self.network.perfect && self.rng.chance(self.plan.stream_lost_pm);
        if self.nodes[from].life == life && !lost {
            self.input(from, Input::SnapshotSent { group, to: target, ok });
        }
    }

    pub fn place(&self, node: usize, group: GroupId) -> Option<&Place> {
        self.nodes[node].places.get(&group)
    }

    /// Kills the node; a random part of what it had not synced survives.
    pub fn crash(&mut self, node: usize) {
        if self.nodes[node].core.is_none() {
            return;
        }
        self.crashes += 1;
        self.trace.line(self.now, format_args!("n{node} crash"));
        let World { nodes, rng, .. } = self;
        nodes[node].log.crash(rng);
        self.nodes[node].crash();
        self.client_node_lost(node);
    }

    /// Kills the node; nothing unsynced survives.
    pub fn crash_losing_all(&mut self, node: usize) {
        self.nodes[node].log.crash_losing_all();
        self.crash(node);
    }

    pub fn restart(&mut self, node: usize) -> Result<(), Violation> {
        if self.nodes[node].core.is_some() {
            return Ok(());
        }
        self.trace.line(self.now, format_args!("n{node} start"));
        let World { nodes, plan, now, .. } = self;
        nodes[node].start(node, *now, plan).map_err(|damage| format!("n{node} does not start: {damage}"))?;
        let life = self.nodes[node].life;
        let when = self.nodes[node].world_time(self.nodes[node].core.as_ref().expect("just started").next_tick());
        self.at(when, Event::Wake { node, life });
        for group in self.nodes[node].places.keys().copied().collect::<Vec<_>>() {
            self.schedule_flush(node, group);
        }
        Ok(())
    }

    /// Batches a node waits for have this as their newest id; only for tests that watch the disk.
    pub fn log_is_idle(&self, node: usize) -> bool {
        self.nodes[node].log.is_idle()
    }
}
