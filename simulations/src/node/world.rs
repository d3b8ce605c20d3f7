//! The world: one queue of events in virtual time, one source of chance, a machine, clients and checkers.

use super::calls::{Attempt, Call};
use super::checkers::Checkers;
use super::clients::Client;
use super::faults::Fault;
use super::life::{Life, ShardId};
use super::plan::Plan;
use super::report::Counts;
use super::time::Clocks;
use crate::consensus::{Rng, Trace};
use actors::host::Ended;
use actors::shard::Now;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use storage::disk::MemoryDisk;
use storage::state::Memory;
use wire::ids::{GroupId, Index};

/// What happens at a moment. Those of a life carry its number: they die with it.
#[derive(Debug)]
pub enum Event {
    Restart,
    Turn(u64),
    TickTurn(u64),
    Written(u64),
    Applied(u64),
    Flush(u64),
    Flushed(u64, BTreeMap<GroupId, Index>),
    Seal(u64),
    Settled(u64, ShardId, Ended),
    Wake(u64, ShardId),
    Sweep(u64),
    Client(usize),
    Send(usize),
    Deliver(u64),
    GiveUp(u64),
    Look,
    Fault(Fault),
}

pub struct World {
    pub plan: Plan,
    pub rng: Rng,
    pub trace: Trace,
    pub now: u64,
    queue: BTreeMap<(u64, u64), Event>,
    events: u64,
    pub clocks: Clocks,
    pub disk: MemoryDisk,
    pub engine: Arc<Memory>,
    pub life: Option<Life>,
    /// Number of the present life, or of the last.
    pub lives: u64,
    pub clients: Vec<Client>,
    pub calls: Vec<Call>,
    pub attempts: BTreeMap<u64, Attempt>,
    pub attempts_made: u64,
    pub reads: BTreeMap<u64, u64>,
    pub reads_made: u64,
    pub checkers: Checkers,
    pub counts: Counts,
    /// Faults go on.
    pub faulty: bool,
}

pub const MS: u64 = 1000;

impl World {
    pub fn new(plan: Plan, trace: Trace) -> World {
        World {
            rng: Rng::new(plan.seed),
            trace,
            now: 0,
            queue: BTreeMap::new(),
            events: 0,
            clocks: Clocks::default(),
            disk: MemoryDisk::new(plan.seed),
            engine: Arc::new(Memory::new()),
            life: None,
            lives: 0,
            clients: Vec::new(),
            calls: Vec::new(),
            attempts: BTreeMap::new(),
            attempts_made: 0,
            reads: BTreeMap::new(),
            reads_made: 0,
            checkers: Checkers::default(),
            counts: Counts::default(),
            faulty: plan.faulty_ms > 0,
            plan,
        }
    }

    pub fn at(&mut self, delay_us: u64, event: Event) {
        self.at_moment(self.now + delay_us, event);
    }

    pub fn at_moment(&mut self, when: u64, event: Event) {
        self.events += 1;
        self.queue.insert((when, self.events), event);
    }

    pub fn delay(&mut self, range: (u64, u64)) -> u64 {
        self.rng.between(range.0, range.1)
    }

    pub fn since_start(&self) -> Duration {
        Duration::from_micros(self.now)
    }

    /// The node's clocks, as its parts read them.
    pub fn moment(&mut self) -> Now {
        let (wall, since) = (self.clocks.wall_ns(self.now), self.since_start());
        let instant = self.clocks.instant(self.now);
        let honest = !self.plan.has(super::mutants::Mutant::WallClock);
        let time = match &mut self.life {
            Some(life) if honest => life.hand.move_to(wall, since),
            _ => wire::Rfc3339(wall),
        };
        Now { time, instant }
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
            self.pick_up()?;
        }
        Ok(())
    }

    /// Time passes in which the machine sleeps: nothing of it happens in between.
    pub fn sleep(&mut self, us: u64) {
        let queue = std::mem::take(&mut self.queue);
        self.queue = queue.into_iter().map(|((when, n), event)| ((when + us, n), event)).collect();
        self.now += us;
    }

    fn step(&mut self, event: Event) -> Result<(), String> {
        match event {
            Event::Restart => self.restart(),
            Event::Client(client) => self.client_step(client),
            Event::Send(call) => self.send(call),
            Event::Deliver(attempt) => self.deliver(attempt),
            Event::GiveUp(attempt) => self.give_up(attempt),
            Event::Look => self.look_at_rows(),
            Event::Fault(fault) => self.strike(fault),
            Event::Turn(life)
            | Event::TickTurn(life)
            | Event::Written(life)
            | Event::Applied(life)
            | Event::Flush(life)
            | Event::Flushed(life, _)
            | Event::Seal(life)
            | Event::Settled(life, ..)
            | Event::Wake(life, _)
            | Event::Sweep(life)
                if life != self.lives || self.life.is_none() =>
            {
                Ok(())
            }
            Event::Turn(_) => self.turn(),
            Event::TickTurn(_) => self.tick_turn(),
            Event::Written(_) => self.written(),
            Event::Applied(_) => self.applied(),
            Event::Flush(_) => self.flush(),
            Event::Flushed(_, applied) => self.flushed(applied),
            Event::Seal(_) => self.seal(),
            Event::Settled(_, shard, ended) => self.settled(shard, ended),
            Event::Wake(_, shard) => self.wake(shard),
            Event::Sweep(_) => self.sweep(),
        }
    }

    /// What the last step left behind starts its way: words to shards, asks to the loop, work to writer and applier,
    /// answers to clients.
    fn pick_up(&mut self) -> Result<(), String> {
        self.plan_parts();
        self.hear_reads()?;
        self.hear_answers()
    }
}
