//! The parts of a node, stepped: what `cluster::node::threads` does with channels, this does with events.

use super::life::Life;
use super::mutants::Mutant;
use super::network::Arrival;
use super::world::{MS, Step, World};
use cluster::consensus::Input;
use cluster::group::Group;
use cluster::node::{ApplyJob, Ask, Job};
use std::collections::BTreeMap;
use storage::state::Engine;
use wire::ids::{GroupId, Index, ReplicaId};

const ASKS_A_TURN: usize = 64;
/// As production's to its segments: a quarter of one.
const ASK_BYTES_A_TURN: usize = 16 << 10;
const LOG_QUIET_MS: u64 = 200;

impl World {
    pub(super) fn living(&mut self, machine: usize) -> &mut Life {
        self.machines[machine].life.as_mut().expect("steps of a life come while it lasts")
    }

    pub(super) fn plan_parts(&mut self, machine: usize) {
        let Some(life) = &mut self.machines[machine].life else { return };
        if !life.turn_planned && !life.asks.is_empty() {
            life.turn_planned = true;
            let delay = self.delay(self.plan.turn_us);
            self.later(machine, delay, Step::Turn);
        }
        let life = self.living(machine);
        if life.writing.is_none() && !life.log_queue.is_empty() {
            life.writing = Some(std::mem::take(&mut life.log_queue));
            let mut delay = self.delay(self.plan.sync_us);
            if self.faulty && self.rng.chance(self.plan.slow_sync_pm) {
                delay += self.rng.below(self.plan.slow_sync_us_max);
            }
            self.later(machine, delay, Step::Written);
        }
        let life = self.living(machine);
        if life.applying.is_none() && !life.apply_queue.is_empty() {
            life.applying = Some(std::mem::take(&mut life.apply_queue));
            let delay = self.delay(self.plan.apply_us);
            self.later(machine, delay, Step::Applied);
        }
    }

    pub(super) fn tick_turn(&mut self, machine: usize) -> Result<(), String> {
        self.turn(machine)?;
        let next = self.living(machine).turning.core().next_tick().as_micros() as u64;
        self.later(machine, next.saturating_sub(self.now).max(1), Step::Tick);
        Ok(())
    }

    pub(super) fn turn(&mut self, machine: usize) -> Result<(), String> {
        let (now, hasty) = (self.clock(), self.plan.has(Mutant::AckBeforeSync));
        let life = self.living(machine);
        life.turn_planned = false;
        let (mut asks, mut bytes) = (Vec::new(), 0);
        while asks.len() < ASKS_A_TURN && bytes < ASK_BYTES_A_TURN {
            let Some(ask) = life.asks.take() else { break };
            bytes += ask.size_bytes();
            asks.push(ask);
        }
        if now >= life.turning.core().next_tick() {
            asks.push(Ask::Input(Input::Tick));
        }
        let jobs = life.turning.turn(asks, now);
        let mut frames: BTreeMap<usize, Vec<Input>> = BTreeMap::new();
        for job in jobs {
            match job {
                Job::Log(job) => {
                    self.counts.purges +=
                        job.batch.appends.iter().filter(|append| append.purge.is_some()).count() as u64;
                    let life = self.living(machine);
                    if hasty {
                        life.asks.put(Ask::Input(Input::Synced(job.id)));
                    }
                    life.log_queue.push(job);
                }
                Job::Apply(job) => self.living(machine).apply_queue.push(job),
                Job::Flush(_) => self.flush(machine)?,
                Job::Send { group, to, bytes } => {
                    let node = self.machines[machine].node_of(group, to);
                    if let Some(there) = node.and_then(|node| self.book.get(&node)) {
                        frames.entry(*there).or_default().push(Input::Message { group, to, bytes });
                    }
                }
                Job::Snapshot(job) => self.snapshot_job(machine, job)?,
            }
        }
        for (to, frame) in frames {
            self.send(machine, to, Arrival::Frame(frame));
        }
        self.look_at_leaders(machine)
    }

    fn look_at_leaders(&mut self, machine: usize) -> Result<(), String> {
        let Some(life) = &self.machines[machine].life else { return Ok(()) };
        for (group, handle) in &life.handles {
            let Some(term) = handle.leading() else { continue };
            let Some(view) = life.turning.core().view(*group) else { continue };
            let before = self.checkers.leaders.elections();
            self.checkers.leaders.leads(*group, term, view.replica)?;
            if self.checkers.leaders.elections() > before {
                self.trace.line(self.now, format_args!("{} leads {group} in {term}", view.replica));
            }
        }
        Ok(())
    }

    pub(super) fn written(&mut self, machine: usize) -> Result<(), String> {
        let hasty = self.plan.has(Mutant::AckBeforeSync);
        let life = self.living(machine);
        let jobs = life.writing.take().unwrap_or_default();
        let synced = life.writer.write(jobs).map_err(|fatal| format!("machine {machine} stops: {fatal}"))?;
        for id in synced.into_iter().filter(|_| !hasty) {
            life.asks.put(Ask::Input(Input::Synced(id)));
        }
        if life.log_queue.is_empty() {
            self.later(machine, LOG_QUIET_MS * MS, Step::Seal);
        }
        Ok(())
    }

    pub(super) fn seal(&mut self, machine: usize) -> Result<(), String> {
        let life = self.living(machine);
        if life.writing.is_some() || !life.log_queue.is_empty() {
            return Ok(());
        }
        life.writer.rest().map_err(|fatal| format!("machine {machine} stops: {fatal}"))
    }

    pub(super) fn applied(&mut self, machine: usize) -> Result<(), String> {
        let life = self.machines[machine].life.as_mut().expect("steps of a life come while it lasts");
        let jobs = life.applying.take().unwrap_or_default();
        for job in &jobs {
            match job {
                ApplyJob::Entries { group, entries } => {
                    let store = life.slots.get(group).and_then(|slot| slot.get());
                    let Some(replica) = store.map(|store| store.replica()) else { continue };
                    for (committed, _) in entries {
                        self.checkers.history.applied(*group, replica, committed)?;
                    }
                }
                ApplyJob::Flip { .. } => self.counts.flips += 1,
                ApplyJob::Destroy { .. } => self.counts.destroyed += 1,
                ApplyJob::Discard { .. } | ApplyJob::Open { .. } => {}
            }
        }
        let inputs = life.applier.apply(jobs).map_err(|fatal| format!("machine {machine} stops: {fatal}"))?;
        for input in &inputs {
            self.trace.line(self.now, format_args!("machine {machine}: {input:?}"));
            if let Input::Applied { group, .. } | Input::Flipped { group, .. } = input
                && let Some(store) = life.slots.get(group).and_then(|slot| slot.get())
            {
                let hash = store.hash().map_err(|error| error.to_string())?;
                self.checkers.hashes.has(*group, store.replica(), hash)?;
            }
        }
        inputs.into_iter().for_each(|input| life.asks.put(Ask::Input(input)));
        Ok(())
    }

    pub(super) fn flush(&mut self, machine: usize) -> Result<(), String> {
        let life = self.living(machine);
        if life.flushing {
            return Ok(());
        }
        life.flushing = true;
        let here = life.slots.iter().filter_map(|(group, slot)| Some((*group, slot.get()?)));
        let applied = here.map(|(group, store)| (group, (store.replica(), store.state().applied))).collect();
        let delay = self.delay(self.plan.sync_us);
        self.later(machine, delay, Step::Flushed(applied));
        Ok(())
    }

    pub(super) fn flushed(
        &mut self,
        machine: usize,
        applied: BTreeMap<GroupId, (ReplicaId, Index)>,
    ) -> Result<(), String> {
        self.machines[machine].engine.flush().map_err(|error| format!("machine {machine}: {error}"))?;
        let life = self.living(machine);
        life.flushing = false;
        for (group, (replica, index)) in applied {
            let still = life.slots.get(&group).and_then(|slot| slot.get()).is_some_and(|s| s.replica() == replica);
            if still {
                life.asks.put(Ask::Input(Input::Flushed { group, index }));
            }
        }
        Ok(())
    }
}
