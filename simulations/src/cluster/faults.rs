//! What goes wrong, when the plan says so.

use super::world::{Event, MS, World};
use cluster::consensus::Role;
use cluster::meta::{Meta, steward};
use cluster::topology::{Placed, Stage};
use wire::ids::{GroupId, NodeId, ReplicaId};

#[derive(Clone, Copy, Debug)]
pub enum Fault {
    Crash,
    Power,
    Pause,
    Cut,
    Move,
    Resize,
    Wipe,
}

const FAULTS: [Fault; 7] =
    [Fault::Crash, Fault::Power, Fault::Pause, Fault::Cut, Fault::Move, Fault::Resize, Fault::Wipe];

impl World {
    pub(super) fn start_faults(&mut self) {
        FAULTS.into_iter().for_each(|fault| self.plan_fault(fault));
    }

    fn plan_fault(&mut self, fault: Fault) {
        let plan = &self.plan;
        let every_ms = match fault {
            Fault::Crash => plan.crash_every_ms,
            Fault::Power => plan.power_every_ms,
            Fault::Pause => plan.pause_every_ms,
            Fault::Cut => plan.cut_every_ms,
            Fault::Move => plan.move_every_ms,
            Fault::Resize => plan.resize_every_ms,
            Fault::Wipe => plan.wipe_every_ms,
        };
        if every_ms > 0 {
            let delay = self.rng.between(every_ms * MS / 4, every_ms * MS * 7 / 4);
            self.at(delay, Event::Fault(fault));
        }
    }

    pub(super) fn strike(&mut self, fault: Fault) -> Result<(), String> {
        if !self.faulty {
            return Ok(());
        }
        self.plan_fault(fault);
        let machine = self.rng.below(self.machines.len() as u64) as usize;
        let down = self.rng.between(0, self.plan.down_ms_max) * MS;
        match fault {
            Fault::Crash => self.crash(machine, down),
            Fault::Power => {
                self.counts.powers += 1;
                (0..self.machines.len()).for_each(|machine| self.crash(machine, down + machine as u64 * 10 * MS));
            }
            Fault::Pause => {
                let us = self.rng.between(1000, self.plan.pause_ms_max) * MS;
                self.pause(machine, us);
            }
            Fault::Cut => self.cut_some(machine),
            Fault::Move => {
                let choice = self.rng.next();
                self.counts.moves += u64::from(self.script(move |meta| move_one(meta, choice)));
            }
            Fault::Resize => {
                let to = self.rng.between(1, 3) as u8;
                self.counts.resizes += u64::from(self.script(move |meta| resize(meta, to)));
            }
            Fault::Wipe if self.may_lose(machine) => self.wipe(machine, down),
            Fault::Wipe => {}
        }
        Ok(())
    }

    /// One way, both ways, from everybody, or whoever leads a group from everybody.
    fn cut_some(&mut self, machine: usize) {
        let until = self.now + self.rng.between(self.plan.cut_ms_max / 4, self.plan.cut_ms_max) * MS;
        let (kind, other) = (self.rng.below(4), self.rng.below(self.machines.len() as u64) as usize);
        let group = GroupId(self.rng.below(u64::from(self.plan.groups) + 1));
        let whom = match kind {
            0 | 1 => machine,
            _ => self.leader(group).map_or(machine, |(at, _)| at),
        };
        self.counts.cuts += 1;
        self.trace.line(self.now, format_args!("cut of kind {kind}: machine {whom}"));
        for there in 0..self.machines.len() {
            if there != whom && (kind > 0 || there == other) {
                self.wires.cut(whom, there, until);
                if kind != 2 {
                    self.wires.cut(there, whom, until);
                }
            }
        }
    }

    /// Who leads a group in the newest term, and its voters.
    pub fn leader(&self, group: GroupId) -> Option<(usize, cluster::consensus::GroupView)> {
        let view = |at: usize| self.machines[at].life.as_ref()?.turning.core().view(group);
        let all = (0..self.machines.len()).filter_map(|at| Some((at, view(at)?)));
        all.filter(|(_, view)| view.role == Role::Leader).max_by_key(|(_, view)| view.term)
    }

    /// Losing the disk of this machine alone leaves every group a quorum: all are whole, and nobody else's loss is under way.
    pub fn may_lose(&self, machine: usize) -> bool {
        let Some(node) = self.machines[machine].node else { return false };
        let Some(meta) = self.machines.iter().filter_map(|at| at.meta.as_ref()).max_by_key(|meta| meta.version())
        else {
            return false;
        };
        let whole = |group: GroupId| {
            let mut placed: Vec<&Placed> = meta.topology.of(group).collect();
            placed.sort_by_key(|placed| placed.replica);
            let Some((_, view)) = self.leader(group) else { return false };
            let here: Vec<ReplicaId> = placed.iter().map(|placed| placed.replica).collect();
            let settled = placed.iter().all(|placed| placed.stage == Stage::Here) && view.conf.learners.is_empty();
            settled && view.conf.voters_outgoing.is_empty() && view.conf.voters == here
        };
        let safe = |group: GroupId| {
            let mut placed = meta.topology.of(group);
            !placed.any(|placed| placed.node == node) || meta.topology.of(group).count() >= 3
        };
        let nobody_else = self.machines.iter().all(|at| at.floor.is_some());
        nobody_else && meta.topology.all().all(|group| whole(group) && safe(group))
    }
}

/// A replica goes to a node that has none of its group, if there is one.
pub fn move_one(meta: &mut Meta, choice: u64) -> Result<(), String> {
    let here: Vec<Placed> = meta.topology.placed.iter().filter(|p| p.stage == Stage::Here).copied().collect();
    let moved = here[(choice % here.len() as u64) as usize];
    let free = |node: &NodeId| !meta.topology.of(moved.group).any(|placed| placed.node == *node);
    let mut nodes: Vec<NodeId> = meta.nodes.iter().map(|row| row.node).filter(free).collect();
    if nodes.is_empty() {
        return Err("every node has a replica of it".into());
    }
    let to = nodes.remove((choice >> 32) as usize % nodes.len());
    move_to(meta, moved.replica, to)
}

/// That replica leaves, and another comes on `to`.
pub fn move_to(meta: &mut Meta, replica: ReplicaId, to: NodeId) -> Result<(), String> {
    let placed = meta.topology.placed.iter_mut().find(|p| p.replica == replica && p.stage == Stage::Here);
    let placed = placed.ok_or("it has left")?;
    placed.stage = Stage::Leaving;
    let group = placed.group;
    meta.topology.place(group, to);
    Ok(())
}

/// As many replicas of each group from now on, as far as there are nodes.
pub fn resize(meta: &mut Meta, replication: u8) -> Result<(), String> {
    meta.topology.replication = replication;
    steward::plan(meta)
}
