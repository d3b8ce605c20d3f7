//! The replicas a node is to have, and those it is not, as `cluster::member` makes, opens and destroys them.

use super::mutants::Mutant;
use super::world::World;
use cluster::meta::Meta;
use cluster::meta::warden::has_dropped;
use cluster::node;
use cluster::topology::Stage;
use std::sync::Arc;
use storage::replica::Error;
use storage::state::Engine;
use wire::ids::{GroupId, ReplicaId};

impl World {
    pub(super) fn place(&mut self, machine: usize, meta: &Meta) -> Result<(), String> {
        let me = self.row(machine).node;
        let hasty = self.plan.has(Mutant::DestroyAtOnce);
        for group in meta.topology.all() {
            let here = self.living(machine).slots.get(&group).and_then(|slot| slot.get()).map(|store| store.replica());
            let stays = |stage| !hasty || stage == Stage::Here;
            let mut mine = meta.topology.of(group).filter(|placed| placed.node == me && stays(placed.stage));
            let leaves = |replica| !mine.clone().any(|placed| placed.replica == replica);
            match here {
                Some(replica) if has_dropped(meta, group, replica) || hasty && leaves(replica) => {
                    self.trace.line(self.now, format_args!("machine {machine} destroys {replica} of {group}"));
                    self.living(machine).asks.put(node::Ask::Destroy { group, replica });
                }
                Some(_) => {}
                None => {
                    let floor = self.machines[machine].floor;
                    let mine = mine.find(|p| p.stage == Stage::Here && floor.is_some_and(|floor| p.replica >= floor));
                    if let Some(replica) = mine.map(|placed| placed.replica) {
                        self.open_replica(machine, group, replica)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn open_replica(&mut self, machine: usize, group: GroupId, replica: ReplicaId) -> Result<(), String> {
        let at = &self.machines[machine];
        let engine: Arc<dyn Engine> = at.engine.clone();
        match node::join(&engine, group, replica) {
            Ok((seed, store)) => {
                if !self.plan.has(Mutant::OldIds) {
                    self.checkers.ids.opened(replica, (machine, at.disks))?;
                }
                self.trace.line(self.now, format_args!("machine {machine} gets {replica} of {group}"));
                self.living(machine).asks.put(node::Ask::Open { seed, store });
                Ok(())
            }
            // Made by an earlier round, which the loop has not come to yet; or it was here once and is gone for good.
            Err(Error::Used(_)) => Ok(()),
            Err(error) => Err(format!("machine {machine}: {replica} of {group} cannot be made: {error}")),
        }
    }
}
