//! What breaks: crashes, pauses, cuts.

use super::plan::Sabotage;
use super::world::{Event, MS, World};
use wire::ids::GroupId;

/// A kind of fault that comes back at random.
#[derive(Clone, Copy)]
pub enum Fault {
    Crash,
    Pause,
    Cut,
    /// All nodes lose power at once.
    Blackout,
}

impl World {
    /// Sets all faults of the plan going.
    pub fn start_faults(&mut self) {
        for fault in [Fault::Crash, Fault::Pause, Fault::Cut, Fault::Blackout] {
            self.again_fault(fault);
        }
    }

    fn again_fault(&mut self, fault: Fault) {
        let every = match fault {
            Fault::Crash => self.plan.crash_every_ms,
            Fault::Pause => self.plan.pause_every_ms,
            Fault::Cut => self.plan.cut_every_ms,
            Fault::Blackout => self.plan.crash_every_ms * 4,
        };
        if every > 0 {
            let when = self.now + self.rng.between(every / 2, every * 3 / 2) * MS;
            self.at(when, Event::Fault(fault));
        }
    }

    pub fn fault(&mut self, fault: Fault) {
        if self.network.perfect {
            return;
        }
        self.again_fault(fault);
        let node = self.victim();
        match fault {
            Fault::Crash => self.crash_for_a_while(node),
            Fault::Pause => {
                let ms = self.rng.between(1, self.plan.pause_ms_max);
                self.pause_for_ms(node, ms);
            }
            Fault::Cut => self.cut_something(node),
            Fault::Blackout => (0..self.nodes.len()).for_each(|node| self.crash_for_a_while(node)),
        }
    }

    /// A leader as often as anybody.
    fn victim(&mut self) -> usize {
        let group = GroupId(self.rng.below(self.plan.groups));
        let leaders = self.leaders(group);
        if self.rng.chance(500)
            && let Some(leader) = self.rng.pick(&leaders).copied()
        {
            return leader;
        }
        self.rng.below(self.nodes.len() as u64) as usize
    }

    fn crash_for_a_while(&mut self, node: usize) {
        self.crash(node);
        if self.plan.sabotaged(Sabotage::ReuseIds) && self.rng.chance(300) {
            self.wipe(node);
        }
        let ms = self.rng.below(self.plan.down_ms_max);
        self.at(self.now + ms * MS, Event::Restart { node });
    }

    /// A new disk under the old ids.
    pub fn wipe(&mut self, node: usize) {
        for place in self.nodes[node].places.values_mut() {
            place.live = Default::default();
            place.flushed = Default::default();
        }
        let replicas: Vec<_> = self.nodes[node].places.values().map(|place| place.replica).collect();
        replicas.into_iter().for_each(|replica| self.nodes[node].log.wipe(replica));
    }

    pub fn pause_for_ms(&mut self, node: usize, ms: u64) {
        self.trace.line(self.now, format_args!("n{node} pause {ms} ms"));
        self.nodes[node].paused_until = self.now + ms * MS;
    }

    fn cut_something(&mut self, node: usize) {
        let until = self.now + self.rng.between(50, self.plan.cut_ms_max) * MS;
        let how = self.rng.below(5);
        self.trace.line(self.now, format_args!("n{node} cut {how}"));
        let others: Vec<usize> = (0..self.nodes.len()).filter(|other| *other != node).collect();
        match how {
            0 => others.iter().for_each(|other| self.network.cut(node, *other, until)),
            1 => others.iter().for_each(|other| self.network.cut(*other, node, until)),
            2 => {
                if let Some(other) = self.rng.pick(&others).copied() {
                    self.network.cut(node, other, until);
                    self.network.cut(other, node, until);
                }
            }
            3 => {
                let side = self.rng.next();
                for a in 0..self.nodes.len() {
                    for b in (0..self.nodes.len()).filter(|b| (side >> a ^ side >> b) & 1 == 1) {
                        self.network.cut(a, b, until);
                    }
                }
            }
            _ => self.isolate(node, until),
        }
    }

    /// Nothing passes to or from the node.
    pub fn isolate(&mut self, node: usize, until: u64) {
        for other in (0..self.nodes.len()).filter(|other| *other != node) {
            self.network.cut(node, other, until);
            self.network.cut(other, node, until);
        }
    }

    /// All faults end; whoever is down comes back.
    pub fn end_faults(&mut self) -> Result<(), super::checkers::Violation> {
        self.trace.line(self.now, format_args!("faults end"));
        self.network.perfect = true;
        self.network.heal();
        for node in 0..self.nodes.len() {
            self.nodes[node].paused_until = self.nodes[node].paused_until.min(self.now);
            self.nodes[node].stalled_until = 0;
            self.restart(node)?;
        }
        Ok(())
    }
}
