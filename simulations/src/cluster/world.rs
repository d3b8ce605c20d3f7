//! The world: one queue of events in virtual time, one source of chance, machines, a network, clients and checkers.

use super::checkers::Checkers;
use super::clients::Client;
use super::faults::Fault;
use super::machine::Machine;
use super::network::{Arrival, Wires};
use super::plan::Plan;
use super::snapshots::Stream;
use crate::consensus::{Rng, Trace};
use std::collections::BTreeMap;
use std::time::Duration;
use wire::ids::{GroupId, Index, NodeId, ReplicaId};

pub const MS: u64 = 1000;

/// What happens at a moment.
#[expect(clippy::large_enum_variant, reason = "most events are arrivals, and a box for each would cost more")]
pub enum Event {
    /// A machine's process starts.
    Start(usize),
    /// A machine without a node asks to join.
    Join(usize),
    /// A paused process goes on.
    Wake(usize),
    /// Something of one life of a machine; it dies with it.
    Of(usize, u64, Step),
    Arrive(usize, Arrival),
    /// The next chunk of a snapshot.
    Chunk(u64),
    Client(usize),
    Fault(Fault),
}

/// What a process does.
pub enum Step {
    Turn,
    Tick,
    Written,
    Applied,
    Flush,
    Flushed(BTreeMap<GroupId, (ReplicaId, Index)>),
    Seal,
    Beat,
    Report,
    Register,
    Steward,
}

/// What a run met.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub lives: u64,
    pub crashes: u64,
    pub powers: u64,
    pub pauses: u64,
    pub cuts: u64,
    pub wipes: u64,
    pub moves: u64,
    pub resizes: u64,
    pub joins: u64,
    pub changes: u64,
    pub transfers: u64,
    pub snapshots: u64,
    pub broken_snapshots: u64,
    pub flips: u64,
    pub destroyed: u64,
    pub acknowledged: u64,
    pub not_run: u64,
    pub unknown: u64,
    pub reads: u64,
    pub purges: u64,
}

pub struct World {
    pub plan: Plan,
    pub rng: Rng,
    pub trace: Trace,
    /// Microseconds since the beginning.
    pub now: u64,
    queue: BTreeMap<(u64, u64), Event>,
    events: u64,
    pub machines: Vec<Machine>,
    /// Where each node is.
    pub book: BTreeMap<NodeId, usize>,
    pub wires: Wires,
    pub streams: BTreeMap<u64, Stream>,
    pub streams_made: u64,
    pub epochs: u64,
    pub clients: Vec<Client>,
    pub checkers: Checkers,
    pub counts: Counts,
    /// Faults go on.
    pub faulty: bool,
    /// Clients do not.
    resting: bool,
}

impl World {
    pub fn new(plan: Plan, trace: Trace) -> World {
        World {
            rng: Rng::new(plan.seed),
            trace,
            now: 0,
            queue: BTreeMap::new(),
            events: 0,
            machines: (0..plan.nodes).map(|at| Machine::new(at, plan.seed)).collect(),
            book: BTreeMap::new(),
            wires: Wires::default(),
            streams: BTreeMap::new(),
            streams_made: 0,
            epochs: 0,
            clients: Vec::new(),
            checkers: Checkers::default(),
            counts: Counts::default(),
            faulty: plan.faulty_ms > 0,
            resting: false,
            plan,
        }
    }

    pub(super) fn stop_clients(&mut self) {
        self.resting = true;
    }

    /// The founder starts, the others join one by one, clients and faults begin.
    pub fn start(&mut self) {
        self.machines[0].node = Some(NodeId(1));
        self.book.insert(NodeId(1), 0);
        self.at(0, Event::Start(0));
        for machine in 1..self.machines.len() {
            self.at(machine as u64 * self.plan.join_every_ms * MS, Event::Join(machine));
        }
        self.start_clients();
        self.start_faults();
    }

    pub fn at(&mut self, delay_us: u64, event: Event) {
        self.events += 1;
        self.queue.insert((self.now + delay_us, self.events), event);
    }

    /// Something the present life of a machine does after a while.
    pub fn later(&mut self, machine: usize, delay_us: u64, step: Step) {
        let life = self.machines[machine].lives;
        self.at(delay_us, Event::Of(machine, life, step));
    }

    pub fn delay(&mut self, range: (u64, u64)) -> u64 {
        self.rng.between(range.0, range.1)
    }

    pub fn clock(&self) -> Duration {
        Duration::from_micros(self.now)
    }

    /// Wall time, for rows that say when.
    pub fn wall_ns(&self) -> i64 {
        1_700_000_000_000_000_000 + self.now as i64 * 1000
    }

    /// Used once.
    pub fn epoch(&mut self) -> u64 {
        self.epochs += 1;
        self.epochs
    }

    /// Runs everything up to `until`, unless `enough`.
    pub fn run_until(&mut self, until: u64, enough: impl Fn(&World) -> bool) -> Result<(), String> {
        while !enough(self) {
            let Some(entry) = self.queue.first_entry().filter(|entry| entry.key().0 <= until) else {
                self.now = until;
                return Ok(());
            };
            let ((when, _), event) = entry.remove_entry();
            self.now = when;
            self.step(event)?;
        }
        Ok(())
    }

    fn step(&mut self, event: Event) -> Result<(), String> {
        match event {
            Event::Start(machine) => self.restart(machine)?,
            Event::Join(machine) => self.ask_to_join(machine),
            Event::Wake(machine) => self.wake(machine),
            Event::Of(machine, life, step) => {
                let there = &mut self.machines[machine];
                if there.life.is_none() || there.lives != life {
                    return Ok(());
                }
                if there.paused {
                    there.backlog.push(Event::Of(machine, life, step));
                    return Ok(());
                }
                self.take_step(machine, step)?;
                self.pick_up(machine)?;
            }
            Event::Arrive(machine, arrival) => {
                if self.machines[machine].paused {
                    self.machines[machine].backlog.push(Event::Arrive(machine, arrival));
                    return Ok(());
                }
                self.arrive(machine, arrival)?;
                self.pick_up(machine)?;
            }
            Event::Chunk(stream) => self.chunk(stream)?,
            Event::Client(_) if self.resting => {}
            Event::Client(client) => self.client_step(client)?,
            Event::Fault(fault) => self.strike(fault)?,
        }
        Ok(())
    }

    fn take_step(&mut self, machine: usize, step: Step) -> Result<(), String> {
        match step {
            Step::Turn => self.turn(machine),
            Step::Tick => self.tick_turn(machine),
            Step::Written => self.written(machine),
            Step::Applied => self.applied(machine),
            Step::Flush => {
                self.later(machine, self.plan.flush_every_ms * MS, Step::Flush);
                self.flush(machine)
            }
            Step::Flushed(applied) => self.flushed(machine, applied),
            Step::Seal => self.seal(machine),
            Step::Beat => self.beat(machine),
            Step::Report => self.report_beat(machine),
            Step::Register => self.register_beat(machine),
            Step::Steward => self.steward_beat(machine),
        }
    }

    /// What the last step of a process left behind starts its way.
    pub fn pick_up(&mut self, machine: usize) -> Result<(), String> {
        self.hear_looks(machine);
        self.hear_amends(machine);
        self.hear_clients(machine)?;
        self.plan_parts(machine);
        Ok(())
    }
}
