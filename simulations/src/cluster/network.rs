//! The network: frames of raft messages and questions about meta, with delays, reorders, doubles, drops and cuts.

use super::machine::Machine;
use super::world::{Event, World};
use crate::consensus::network::Network;
use cluster::consensus::Input;
use cluster::meta::request::{Answer, Ask};
use wire::ids::{GroupId, NodeId, ReplicaId};

/// Which ways are cut.
pub type Wires = Network;

/// What comes to a machine.
#[derive(Clone)]
pub enum Arrival {
    Frame(Vec<Input>),
    Ask { from: usize, life: u64, ask: Ask },
    Answer { life: u64, answer: Answer },
}

impl Machine {
    /// On which machine a replica is, as this one knows.
    pub fn node_of(&self, group: GroupId, replica: ReplicaId) -> Option<NodeId> {
        self.meta.as_ref()?.topology.node_of(group, replica)
    }
}

impl World {
    /// One frame a node and turn, as in production.
    pub(super) fn send(&mut self, from: usize, to: usize, arrival: Arrival) {
        if from == to {
            return self.at(1, Event::Arrive(to, arrival));
        }
        let usual = self.delay(self.plan.delay_us);
        if !self.faulty {
            if !self.wires.is_cut(from, to, self.now) {
                self.at(usual, Event::Arrive(to, arrival));
            }
            return;
        }
        if self.wires.is_cut(from, to, self.now) || self.rng.chance(self.plan.drop_pm) {
            return;
        }
        if self.rng.chance(self.plan.duplicate_pm) {
            let late = self.rng.below(self.plan.late_us_max);
            self.at(usual + late, Event::Arrive(to, arrival.clone()));
        }
        let late = if self.rng.chance(self.plan.late_pm) { self.rng.below(self.plan.late_us_max) } else { 0 };
        self.at(usual + late, Event::Arrive(to, arrival));
    }

    pub(super) fn arrive(&mut self, machine: usize, arrival: Arrival) -> Result<(), String> {
        match arrival {
            Arrival::Frame(messages) => {
                if let Some(life) = &self.machines[machine].life {
                    messages.into_iter().for_each(|message| life.asks.put(cluster::node::Ask::Input(message)));
                }
            }
            Arrival::Ask { from, life, ask } => self.serve(machine, from, life, ask),
            Arrival::Answer { life, answer } => self.hear_answer(machine, life, answer)?,
        }
        Ok(())
    }
}
