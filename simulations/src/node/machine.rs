//! The machine: crashes, restarts, and the real way to open.

use super::life::{Life, OpenError};
use super::world::{Event, MS, World};
use std::sync::Arc;
use storage::disk::{Fate, Fault as DiskFault, Op, Rule};

/// A restart that fails is tried again so often.
const OPENS_MAX: u32 = 5;

impl World {
    /// The machine stops, at any step: what was under way may be on disk in part, what was not flushed is gone in part.
    pub(super) fn crash(&mut self) {
        let Some(mut life) = self.life.take() else { return };
        self.counts.crashes += 1;
        if let Some(jobs) = life.writing.take()
            && self.rng.chance(700)
        {
            // In the middle of the write, or behind it and before anybody heard.
            self.disk.die_at(self.disk.calls() + self.rng.between(1, 6));
            let _ = life.writer.write(jobs);
        }
        drop(life);
        // Not by sectors: a page of neither version is damage, which the log refuses by name (P17; its own tests).
        let fates = [Fate::Kept, Fate::Lost, Fate::Pages, Fate::Pages];
        let fate = *self.rng.pick(&fates).unwrap_or(&Fate::Lost);
        self.disk = self.disk.crash(fate);
        self.disk.set_capacity(None);
        self.engine = Arc::new(match self.rng.below(3) {
            0 => self.engine.crash(),
            _ => self.engine.crash_by(self.rng.next()),
        });
        let down = self.rng.between(0, self.plan.down_ms_max) * MS;
        self.trace.line(self.now, format_args!("CRASH {fate:?}, down for {} ms", down / MS));
        self.at(down, Event::Restart);
    }

    pub(super) fn restart(&mut self) -> Result<(), String> {
        if self.life.is_some() {
            return Ok(());
        }
        for left in (0..OPENS_MAX).rev() {
            // The machine may stop while it opens, too.
            if self.faulty && left > 0 && self.rng.chance(150) {
                self.disk.die_at(self.disk.calls() + self.rng.between(1, 40));
            }
            match self.open_once() {
                Ok(life) => {
                    self.life = Some(life);
                    return self.begin_life();
                }
                Err(error) if left > 0 && is_of_this_fault(&error) => {
                    self.counts.failed_opens += 1;
                    self.trace.line(self.now, format_args!("open fails: {error}"));
                    self.disk = self.disk.crash(Fate::Pages);
                    self.engine = Arc::new(self.engine.crash_by(self.rng.next()));
                }
                Err(error) => return Err(format!("the node does not start again: {error}")),
            }
        }
        Err("the node does not start again".into())
    }

    fn open_once(&mut self) -> Result<Life, OpenError> {
        self.lives += 1;
        let (since, wall) = (self.since_start(), self.clocks.wall_ns(self.now));
        Life::open(&self.plan, self.lives, &self.disk, &self.engine, since, wall)
    }

    fn begin_life(&mut self) -> Result<(), String> {
        let number = self.lives;
        self.counts.lives += 1;
        let states = self.living().stores.values().map(|store| store.state().applied.0).collect::<Vec<_>>();
        self.trace.line(self.now, format_args!("life {number}, applied {states:?}"));
        if let Some((group, handle)) = self.living().groups.iter().find(|(_, handle)| handle.leading().is_some()) {
            return Err(format!("{group} leads in {:?} before it recovered", handle.leading()));
        }
        let clock = self.moment().time.0;
        for call in self.calls.iter_mut().filter(|call| call.done.is_none()) {
            call.clock_low = call.clock_low.min(clock);
        }
        self.at(1, Event::TickTurn(number));
        if self.plan.flush_every_ms > 0 {
            self.at(self.plan.flush_every_ms * MS, Event::Flush(number));
        }
        if self.plan.sweep_every_ms > 0 {
            self.at(self.plan.sweep_every_ms * MS, Event::Sweep(number));
        }
        Ok(())
    }

    /// The disk fails once, soon.
    pub(super) fn fail_disk(&mut self) {
        match self.rng.below(5) {
            0 => self.disk.plan(Rule { on: Op::Sync, file: "", skip: 0, fault: DiskFault::Eio }),
            1 => self.disk.plan(Rule { on: Op::Write, file: "", skip: 0, fault: DiskFault::Eio }),
            2 => self.disk.set_capacity(Some(self.disk.used())),
            3 => self.engine.inject(storage::state::Fault::Write, self.rng.below(5)),
            _ => self.engine.inject(storage::state::Fault::Flush, 0),
        }
    }
}

/// A machine that stops while it opens shows as a failing disk; anything else is a refusal, and there is no reason for one.
fn is_of_this_fault(error: &OpenError) -> bool {
    match error {
        OpenError::Log(log) => {
            matches!(log, storage::log::OpenError::Io { .. } | storage::log::OpenError::Full { .. })
        }
        OpenError::Parts(_) | OpenError::Marks(_) => false,
    }
}
