//! Machines: disks, crashes, pauses, restarts, and disks that are lost.

use super::life::{Life, Unopened};
use super::mutants::Mutant;
use super::world::{Event, MS, Step, World};
use cluster::meta::Meta;
use std::sync::Arc;
use storage::disk::{Fate, MemoryDisk};
use storage::state::Memory;
use wire::ids::{NodeId, ReplicaId};

/// A machine, with or without a node on it.
pub struct Machine {
    /// Who it is in the cluster, once it has been let in.
    pub node: Option<NodeId>,
    pub disk: MemoryDisk,
    /// Which disk this is; one more with every disk that was lost.
    pub disks: u64,
    pub engine: Arc<Memory>,
    /// Meta as this node last kept it: on disk.
    pub meta: Option<Arc<Meta>>,
    /// Replicas below it were never on this disk, or are lost. `None`: its disk was lost and meta has not heard of it.
    pub floor: Option<ReplicaId>,
    pub life: Option<Life>,
    /// Number of the present life, or of the last.
    pub lives: u64,
    pub paused: bool,
    /// What came while it was paused.
    pub backlog: Vec<Event>,
}

impl Machine {
    pub fn new(at: usize, seed: u64) -> Machine {
        Machine {
            node: None,
            disk: MemoryDisk::new(seed ^ (at as u64) << 32),
            disks: 0,
            engine: Arc::new(Memory::new()),
            meta: None,
            floor: Some(ReplicaId(0)),
            life: None,
            lives: 0,
            paused: false,
            backlog: Vec::new(),
        }
    }
}

impl World {
    /// The machine stops: what was under way may be on disk in part, what was not flushed is gone in part.
    pub fn crash(&mut self, machine: usize, down_us: u64) {
        let at = &mut self.machines[machine];
        at.paused = false;
        at.backlog.clear();
        let Some(mut life) = at.life.take() else { return };
        self.counts.crashes += 1;
        if let Some(jobs) = life.writing.take()
            && self.rng.chance(700)
        {
            // In the middle of the write, or behind it and before anybody heard.
            at.disk.die_at(at.disk.calls() + self.rng.between(1, 6));
            let _ = life.writer.write(jobs);
        }
        // Not by sectors: damage is the log's own tests' business.
        let fate = *self.rng.pick(&[Fate::Kept, Fate::Lost, Fate::Pages, Fate::Pages]).unwrap_or(&Fate::Lost);
        at.disk = at.disk.crash(fate);
        at.engine = Arc::new(match self.rng.below(3) {
            0 => at.engine.crash(),
            _ => at.engine.crash_by(self.rng.next()),
        });
        drop(life);
        self.trace.line(self.now, format_args!("machine {machine} CRASHES {fate:?}, down for {} ms", down_us / MS));
        self.at(down_us, Event::Start(machine));
    }

    pub(super) fn restart(&mut self, machine: usize) -> Result<(), String> {
        let (now, plan) = (self.clock(), &self.plan);
        let at = &mut self.machines[machine];
        let Some(node) = at.node.filter(|_| at.life.is_none()) else { return Ok(()) };
        at.lives += 1;
        // As `node::assembly` has it: whoever keeps nothing of a cluster founds one.
        let founds = at.meta.is_none();
        let life = Life::open(plan, node, at.lives, founds, (&at.disk, &at.engine), now);
        at.life = Some(life.map_err(|error: Unopened| format!("machine {machine} does not start again: {error}"))?);
        self.counts.lives += 1;
        self.trace
            .line(self.now, format_args!("machine {machine} starts as {node}, life {}", self.machines[machine].lives));
        if let Some((group, _)) = self.living(machine).handles.iter().find(|(_, handle)| leads(handle)) {
            return Err(format!("{group} is led before it recovered"));
        }
        let beats = [(Step::Tick, 1), (Step::Flush, 7), (Step::Beat, 3), (Step::Report, 50), (Step::Register, 11)];
        for (step, ms) in beats.into_iter().chain([(Step::Steward, 90)]) {
            self.later(machine, ms * MS, step);
        }
        Ok(())
    }

    pub(super) fn pause(&mut self, machine: usize, us: u64) {
        let at = &mut self.machines[machine];
        if at.life.is_none() || at.paused {
            return;
        }
        at.paused = true;
        self.counts.pauses += 1;
        self.trace.line(self.now, format_args!("machine {machine} stands still for {} ms", us / MS));
        self.at(us, Event::Wake(machine));
    }

    pub(super) fn wake(&mut self, machine: usize) {
        if std::mem::take(&mut self.machines[machine].paused) {
            self.trace.line(self.now, format_args!("machine {machine} goes on"));
        }
        for event in std::mem::take(&mut self.machines[machine].backlog) {
            self.at(0, event);
        }
    }

    /// Log and state are gone; who it is, it still knows.
    pub fn wipe(&mut self, machine: usize, down_us: u64) {
        self.crash(machine, down_us);
        let old_ids = self.plan.has(Mutant::OldIds);
        let seed = self.rng.next();
        let at = &mut self.machines[machine];
        at.disk = MemoryDisk::new(seed);
        at.disks += 1;
        at.engine = Arc::new(Memory::new());
        at.floor = at.floor.filter(|_| old_ids);
        self.counts.wipes += 1;
        self.trace.line(self.now, format_args!("machine {machine} loses its disk"));
    }
}

fn leads(handle: &cluster::node::Handle) -> bool {
    use cluster::group::Group;
    handle.leading().is_some()
}
