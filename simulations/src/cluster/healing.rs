//! The end of a run: faults stop, and then every group answers, everybody catches up, and what has left is gone.

use super::clients::ROW;
use super::faults::resize;
use super::world::{MS, World};
use cluster::meta::Meta;
use cluster::topology::Stage;
use storage::state::{Order, View};
use wire::ids::{GroupId, ReplicaId};

/// Virtual time in which every group answers, and in which all is at rest after that.
pub const HEALING_MS: u64 = 10_000;

impl World {
    /// Faults stop; then all of it is checked against all of it.
    pub fn heal(&mut self) -> Result<(), String> {
        self.faulty = false;
        self.wires.heal();
        self.trace.line(self.now, format_args!("faults stop"));
        (0..self.machines.len()).for_each(|machine| self.wake(machine));
        // Whoever is down comes back within the longest time anything stays down.
        self.run_until(self.now + self.plan.down_ms_max * MS + 100 * MS, |_| false)?;
        self.clients.iter_mut().for_each(|client| client.healed = (0, 0));
        let answered = |world: &World| {
            let groups = (0..=u64::from(world.plan.groups)).map(GroupId);
            let mut of = groups.map(|group| world.clients.iter().filter(move |client| client.group == group));
            of.all(|mut clients| clients.any(|client| client.healed.0 > 0 && client.healed.1 > 0))
        };
        self.run_until(self.now + HEALING_MS * MS, answered)?;
        if !answered(self) {
            return Err(format!(
                "a group does not answer {HEALING_MS} ms after the last fault: {}",
                self.unrest().unwrap_or_default()
            ));
        }
        self.settle()
    }

    /// Nobody writes any more, and within a while nothing moves and everything is equal.
    pub fn settle(&mut self) -> Result<(), String> {
        // A change of meta that was under way when its leader changed may come to nothing: it is asked for until it is true.
        let deadline = self.now + HEALING_MS * MS;
        while self.now < deadline && self.newest().is_none_or(|meta| meta.topology.replication != 3) {
            self.script(|meta| resize(meta, 3));
            let before = self.now;
            self.run_until(before + 300 * MS, |_| false)?;
        }
        self.stop_clients();
        self.run_until(self.now + 2 * HEALING_MS * MS, |world| world.unrest().is_none())?;
        match self.unrest() {
            None => self.all_is_equal(),
            Some(why) => Err(format!("{} ms after the last fault {why}", 2 * HEALING_MS)),
        }
    }

    /// Meta, as whoever knows it best does.
    fn newest(&self) -> Option<&Meta> {
        self.machines.iter().filter_map(|at| at.meta.as_deref()).max_by_key(|meta| meta.version())
    }

    /// What is not as it should be at rest.
    pub fn unrest(&self) -> Option<String> {
        let newest = self.newest()?;
        for (number, machine) in self.machines.iter().enumerate() {
            let Some(life) = &machine.life else { return Some(format!("machine {number} is no node")) };
            if !life.member.registered {
                return Some(format!("machine {number} is not registered"));
            }
            if machine.meta.as_ref().is_none_or(|meta| meta.version() < newest.version()) {
                return Some(format!("machine {number} goes by an old meta"));
            }
        }
        newest.topology.all().find_map(|group| self.unrest_of(group))
    }

    fn unrest_of(&self, group: GroupId) -> Option<String> {
        let meta = self.newest()?;
        let Some((_, view)) = self.leader(group) else { return Some(format!("{group} has no leader")) };
        if let Some(leaving) = meta.topology.of(group).find(|placed| placed.stage == Stage::Leaving) {
            return Some(format!("{} of {group} is still leaving; {:?}", leaving.replica, view.conf));
        }
        let mut here: Vec<ReplicaId> = meta.topology.of(group).map(|placed| placed.replica).collect();
        here.sort_unstable();
        if here.len() != self.machines.len().min(3) {
            return Some(format!("{group} has {} replicas", here.len()));
        }
        if view.conf.voters != here || !view.conf.learners.is_empty() || !view.conf.voters_outgoing.is_empty() {
            return Some(format!("{group} is {:?} and should be {here:?}; {:?}", view.conf, view.peers));
        }
        let model = self.checkers.history.model(group)?;
        for (number, machine) in self.machines.iter().enumerate() {
            let store = machine.life.as_ref()?.slots.get(&group)?.get();
            let mine = meta.topology.of(group).find(|placed| Some(placed.node) == machine.node);
            match (mine, store) {
                (None, None) => {}
                (Some(placed), Some(store)) if store.replica() == placed.replica => {
                    if store.state().applied != model.applied {
                        return Some(format!("{} of {group} has not caught up", placed.replica));
                    }
                }
                (mine, store) => return Some(format!("machine {number} should have {mine:?} and has {store:?}")),
            }
        }
        None
    }

    /// Every replica's rows are what the entries say.
    fn all_is_equal(&mut self) -> Result<(), String> {
        for machine in 0..self.machines.len() {
            for (group, slot) in self.living(machine).slots.clone().iter() {
                let Some(store) = slot.get() else { continue };
                let hash = store.hash().map_err(|error| error.to_string())?;
                self.checkers.hashes.has(*group, store.replica(), hash)?;
                let (from, to) = ([ROW], [ROW + 1]);
                let rows = store.view(|rows| Ok(rows.scan(&from[..]..&to[..], Order::Ascending, usize::MAX)?));
                let rows = rows.map_err(|error| error.to_string())?;
                let model = self.checkers.history.model(*group).ok_or(format!("nobody applied anything of {group}"))?;
                let should = model.rows.range(bytes::Bytes::from_static(&[ROW])..).map(|(k, v)| (k.clone(), v.clone()));
                if rows != should.collect::<Vec<_>>() {
                    return Err(format!("{} of {group} has other rows than its entries say", store.replica()));
                }
            }
        }
        Ok(())
    }
}
