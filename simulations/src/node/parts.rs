//! The node's parts, stepped: what `cluster::node::threads` does with channels, this does with events.

use super::life::{Life, ShardId};
use super::mutants::Mutant;
use super::world::{Event, MS, World};
use actors::host::Ended;
use cluster::consensus::Input;
use cluster::group::Settled;
use cluster::node::{Ask, Fatal, Job};
use std::collections::BTreeMap;
use storage::state::Engine;
use wire::ids::{GroupId, Index};

/// As in production, but small enough for small segments.
const ASKS_A_TURN: usize = 64;
const ASK_BYTES_A_TURN: usize = 64 << 10;
/// A quiet log is sealed after this long.
const LOG_QUIET_MS: u64 = 200;

impl World {
    pub(super) fn living(&mut self) -> &mut Life {
        self.life.as_mut().expect("events of a life come while it lasts")
    }

    pub(super) fn plan_parts(&mut self) {
        if self.life.is_none() {
            return;
        }
        let number = self.lives;
        while let Some((shard, ended)) = self.living().ended.take() {
            let delay = self.delay(self.plan.settle_us);
            let at = (self.now + delay).max(self.living().settled_at.get(&shard).copied().unwrap_or(0));
            self.living().settled_at.insert(shard, at);
            self.at_moment(at, Event::Settled(number, shard, ended));
        }
        if !self.living().turn_planned && !self.living().asks.is_empty() {
            self.living().turn_planned = true;
            let delay = self.delay(self.plan.turn_us);
            self.at(delay, Event::Turn(number));
        }
        if self.living().writing.is_none() && !self.living().log_queue.is_empty() {
            let jobs = std::mem::take(&mut self.living().log_queue);
            self.living().writing = Some(jobs);
            let mut delay = self.delay(self.plan.sync_us);
            if self.faulty && self.rng.chance(self.plan.slow_sync_pm) {
                delay += self.rng.below(self.plan.slow_sync_us_max);
            }
            self.at(delay, Event::Written(number));
        }
        if self.living().applying.is_none() && !self.living().apply_queue.is_empty() {
            let jobs = std::mem::take(&mut self.living().apply_queue);
            self.living().applying = Some(jobs);
            let delay = self.delay(self.plan.apply_us);
            self.at(delay, Event::Applied(number));
        }
    }

    pub(super) fn tick_turn(&mut self) -> Result<(), String> {
        self.turn()?;
        let next = self.living().turning.core().next_tick().as_micros() as u64;
        self.at_moment(next.max(self.now + 1), Event::TickTurn(self.lives));
        Ok(())
    }

    pub(super) fn turn(&mut self) -> Result<(), String> {
        let now = self.since_start();
        let hasty = self.plan.has(Mutant::AckBeforeSync);
        let life = self.living();
        life.turn_planned = false;
        let mut asks = Vec::new();
        let mut bytes = 0;
        while asks.len() < ASKS_A_TURN && bytes < ASK_BYTES_A_TURN {
            let Some(ask) = life.asks.take() else { break };
            bytes += ask.size_bytes();
            asks.push(ask);
        }
        if now >= life.turning.core().next_tick() {
            asks.push(Ask::Input(Input::Tick));
        }
        let mut flush = false;
        let mut lines = Vec::new();
        for job in life.turning.turn(asks, now) {
            match job {
                Job::Log(job) => {
                    if hasty {
                        life.asks.put(Ask::Input(Input::Synced(job.id)));
                    }
                    let entries: usize = job.batch.appends.iter().map(|append| append.entries.len()).sum();
                    let purges = job.batch.appends.iter().filter(|append| append.purge.is_some()).count();
                    lines.push((job.id.0, entries, purges));
                    life.log_queue.push(job);
                }
                Job::Apply(job) => life.apply_queue.push(job),
                Job::Flush(_) => flush = true,
                Job::Send { .. } | Job::Snapshot(_) => return Err("a node alone sends to nobody".into()),
            }
        }
        for (id, entries, purges) in lines {
            self.counts.purges += purges as u64;
            self.trace.line(self.now, format_args!("batch {id}: {entries} entries, {purges} purges"));
        }
        self.note_leading();
        if flush {
            self.at(1, Event::Flush(self.lives));
        }
        Ok(())
    }

    fn note_leading(&mut self) {
        let Some(life) = &self.life else { return };
        let leading: Vec<_> =
            life.groups.iter().map(|(id, group)| (id.0, group.leading().map_or(0, |t| t.0))).collect();
        if self.checkers.terms.note(&leading) {
            self.counts.terms += 1;
            self.trace.line(self.now, format_args!("leads (group, term) {leading:?}"));
        }
    }

    pub(super) fn written(&mut self) -> Result<(), String> {
        let hasty = self.plan.has(Mutant::AckBeforeSync);
        let life = self.living();
        let jobs = life.writing.take().unwrap_or_default();
        let entries = jobs.len();
        match life.writer.write(jobs) {
            Ok(ids) if hasty => drop(ids),
            Ok(ids) => ids.into_iter().for_each(|id| life.asks.put(Ask::Input(Input::Synced(id)))),
            Err(fatal) => return self.fatal(fatal),
        }
        self.trace.line(self.now, format_args!("wrote {entries} batches"));
        if self.living().log_queue.is_empty() {
            self.at(LOG_QUIET_MS * MS, Event::Seal(self.lives));
        }
        Ok(())
    }

    pub(super) fn seal(&mut self) -> Result<(), String> {
        let life = self.living();
        if life.writing.is_some() || !life.log_queue.is_empty() {
            return Ok(());
        }
        match life.writer.rest() {
            Ok(()) => Ok(()),
            Err(fatal) => self.fatal(fatal),
        }
    }

    pub(super) fn applied(&mut self) -> Result<(), String> {
        let unfenced = self.plan.has(Mutant::NoFence);
        let life = self.living();
        let mut jobs = life.applying.take().unwrap_or_default();
        if unfenced {
            jobs.iter_mut().for_each(|job| life.unfence.rewrite(&life.stores, job));
        }
        match life.applier.apply(jobs) {
            Ok(inputs) => {
                let line = format!("applied {inputs:?}");
                inputs.into_iter().for_each(|input| life.asks.put(Ask::Input(input)));
                self.trace.line(self.now, format_args!("{line}"));
                Ok(())
            }
            Err(fatal) => self.fatal(fatal),
        }
    }

    pub(super) fn flush(&mut self) -> Result<(), String> {
        let (number, every) = (self.lives, self.plan.flush_every_ms);
        if every > 0 && !self.living().flushing {
            self.living().flushing = true;
            let applied = self.living().stores.iter().map(|(id, store)| (*id, store.state().applied)).collect();
            let delay = self.delay(self.plan.sync_us);
            self.at(delay, Event::Flushed(number, applied));
        }
        Ok(())
    }

    pub(super) fn flushed(&mut self, applied: BTreeMap<GroupId, Index>) -> Result<(), String> {
        self.living().flushing = false;
        if let Err(error) = self.engine.flush() {
            return self.fatal(error.into());
        }
        self.trace.line(self.now, format_args!("flushed"));
        let life = self.living();
        for (group, index) in applied {
            life.asks.put(Ask::Input(Input::Flushed { group, index }));
        }
        self.at(self.plan.flush_every_ms * MS, Event::Flush(self.lives));
        Ok(())
    }

    pub(super) fn settled(&mut self, shard: ShardId, ended: Ended) -> Result<(), String> {
        if ended.how == Settled::NotRun {
            self.counts.proposals_lost += 1;
        }
        self.trace.line(self.now, format_args!("{shard:?} hears {ended:?}"));
        let now = self.moment();
        // A shard that was dropped left its words to its successor, who must not care.
        if let Some(host) = self.living().hosts.get_mut(&shard) {
            host.settled(ended, now);
        }
        Ok(())
    }

    pub(super) fn wake(&mut self, shard: ShardId) -> Result<(), String> {
        let now = self.moment();
        let plan = self.plan.clone();
        self.living().host(&plan, shard).advance(now);
        Ok(())
    }

    pub(super) fn sweep(&mut self) -> Result<(), String> {
        let now = self.moment();
        let plan = self.plan.clone();
        let life = self.living();
        let shards: Vec<ShardId> = super::life::SERVICES
            .iter()
            .flat_map(|service| life.stores.keys().map(move |group| (*service, *group)))
            .filter(|(_, group)| *group != GroupId::META)
            .collect();
        for shard in shards {
            let store = life.stores[&shard.1].clone();
            if life.hosts.contains_key(&shard) || actors::host::has_work(&store, shard.0, now.time) {
                life.host(&plan, shard).tick(now);
            }
        }
        self.at(self.plan.sweep_every_ms.max(1) * MS, Event::Sweep(self.lives));
        Ok(())
    }

    /// A part cannot go on: the process ends, and whoever watches it starts it again.
    pub(super) fn fatal(&mut self, fatal: Fatal) -> Result<(), String> {
        self.counts.fatals += 1;
        self.trace.line(self.now, format_args!("fatal: {fatal}"));
        if !self.faulty {
            return Err(format!("without faults the node stopped: {fatal}"));
        }
        self.crash();
        Ok(())
    }
}
