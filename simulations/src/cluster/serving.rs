//! Answering what other nodes ask about meta. Changes of it run as production's own futures, polled after every step of
//! their node.

use super::network::Arrival;
use super::world::{MS, Step, World};
use cluster::consensus::Input;
use cluster::group::Group;
use cluster::meta::request::{Answer, Ask};
use cluster::meta::{Meta, MetaError, amend, found, steward};
use cluster::topology::Topology;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use wire::ids::{ClusterId, GroupId};

const STEWARD_MS: u64 = 500;

type Amended = Result<(Answer, Meta), MetaError>;

/// A change of meta under way, and who waits for its answer.
pub struct Amending {
    future: Pin<Box<dyn Future<Output = Amended>>>,
    for_whom: Option<(usize, u64)>,
}

/// A change and what its caller is answered.
type Change = Box<dyn FnOnce(&mut Meta) -> Result<(), String>>;
type Answers = Box<dyn FnOnce(&Meta) -> Answer>;

impl World {
    pub(super) fn serve(&mut self, machine: usize, from: usize, life: u64, ask: Ask) {
        if self.machines[machine].life.is_none() {
            return;
        }
        let Some(meta) = self.machines[machine].meta.clone() else { return };
        let leads = self.leads_meta(machine);
        let now = self.clock();
        let answer = match ask {
            Ask::Get { newer_than } => Answer::Meta((meta.version() > newer_than).then(|| (*meta).clone())),
            _ if !leads => {
                let leader = self.living(machine).handles[&GroupId::META].leader();
                let node = leader.and_then(|replica| meta.topology.node_of(GroupId::META, replica));
                Answer::Elsewhere(node.map(|node| (node, String::new())))
            }
            Ask::Report(report) => Answer::Reported(self.living(machine).member.steward.hear(report, &meta, now)),
            Ask::Join => {
                let change: Change = Box::new(|meta| steward::join(meta).map(drop));
                let answers: Answers = Box::new(|meta| Answer::Joined {
                    cluster: ClusterId([7; 16]),
                    // The one that was next before.
                    node: wire::ids::NodeId(meta.topology.next_node.0 - 1),
                    meta: meta.clone(),
                    token: String::new(),
                });
                return self.amend(machine, Some((from, life)), change, answers);
            }
            Ask::Register(row) => {
                let change: Change = Box::new(move |meta| {
                    steward::register(meta, row)?;
                    steward::plan(meta)
                });
                return self.amend(machine, Some((from, life)), change, Box::new(|m| Answer::Registered(m.clone())));
            }
            Ask::Lost(node) => {
                let change: Change = Box::new(move |meta| steward::lost(meta, node));
                let floor = move |meta: &Meta| {
                    let mine = meta.topology.placed.iter().filter(|p| p.node == node);
                    let here = mine.filter(|p| p.stage == cluster::topology::Stage::Here).map(|p| p.replica).min();
                    Answer::Lost { floor: here.unwrap_or(meta.topology.next_replica), meta: meta.clone() }
                };
                return self.amend(machine, Some((from, life)), change, Box::new(floor));
            }
            _ => return,
        };
        self.send(machine, from, Arrival::Answer { life, answer });
    }

    /// Changes meta, if it is led here.
    pub(super) fn amend(&mut self, machine: usize, for_whom: Option<(usize, u64)>, change: Change, answers: Answers) {
        let Some(store) = self.seat(machine) else { return };
        let (epoch, now_ns) = (self.epoch(), self.wall_ns());
        let life = self.living(machine);
        let handle = life.handles[&GroupId::META].clone();
        let future = Box::pin(async move {
            let ((), meta) = amend(&handle, &store, epoch, now_ns, change).await?;
            Ok((answers(&meta), meta))
        });
        life.amends.push(Amending { future, for_whom });
    }

    /// The founder's first: nothing is there until it is done, and it is begun again until then.
    pub(super) fn found(&mut self, machine: usize) {
        let Some(store) = self.seat(machine).filter(|_| machine == 0) else { return };
        let (epoch, now_ns, row, groups) = (self.epoch(), self.wall_ns(), self.row(machine), self.plan.groups);
        let life = self.living(machine);
        if life.member.founding || life.handles[&GroupId::META].leading().is_none() {
            return;
        }
        life.member.founding = true;
        let handle = life.handles[&GroupId::META].clone();
        let future = Box::pin(async move {
            let topology = Topology::founded(row.node, groups);
            let meta = found(&handle, &store, &row, topology, [3; 32], epoch, now_ns).await?;
            Ok((Answer::Meta(None), meta))
        });
        life.amends.push(Amending { future, for_whom: None });
    }

    pub(super) fn hear_amends(&mut self, machine: usize) {
        let Some(life) = &mut self.machines[machine].life else { return };
        let mut done = Vec::new();
        for mut amending in std::mem::take(&mut life.amends) {
            match amending.future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Pending => life.amends.push(amending),
                Poll::Ready(ended) => done.push((amending.for_whom, ended)),
            }
        }
        for (for_whom, ended) in done {
            let answer = match ended {
                Ok((answer, meta)) => {
                    // Whoever leads has it in its rows; it learns of it at its next beat at the latest.
                    if self.learn(machine, &meta).is_err() {
                        return;
                    }
                    answer
                }
                Err(MetaError::Refused(why)) => Answer::Refused(why),
                Err(error) => {
                    if let Some(life) = &mut self.machines[machine].life {
                        life.member.founding = false;
                    }
                    Answer::NotYet(error.to_string())
                }
            };
            if let Some((to, life)) = for_whom {
                self.send(machine, to, Arrival::Answer { life, answer });
            }
        }
    }

    /// What the node that leads meta does for all.
    pub(super) fn steward_beat(&mut self, machine: usize) -> Result<(), String> {
        self.later(machine, STEWARD_MS * MS, Step::Steward);
        let Some(meta) = self.machines[machine].meta.clone().filter(|_| self.leads_meta(machine)) else {
            return Ok(());
        };
        let gone = self.living(machine).member.steward.gone(&meta);
        let mut after = (*meta).clone();
        let changed = steward::plan(&mut after).and_then(|()| steward::forget(&mut after, &gone));
        if changed.is_ok() && after != *meta {
            let change: Change = Box::new(move |meta| {
                steward::forget(meta, &gone)?;
                steward::plan(meta)
            });
            self.amend(machine, None, change, Box::new(|_| Answer::Meta(None)));
        }
        Ok(())
    }

    /// A change that nobody asked for over the network: an operator's, through whoever leads meta.
    pub fn script(&mut self, change: impl FnOnce(&mut Meta) -> Result<(), String> + 'static) -> bool {
        let leader = (0..self.machines.len()).find(|at| self.leads_meta(*at) && !self.machines[*at].paused);
        let Some(machine) = leader else { return false };
        self.amend(machine, None, Box::new(change), Box::new(|_| Answer::Meta(None)));
        // Polled for the first time here: nothing has come to this node.
        self.hear_amends(machine);
        self.plan_parts(machine);
        true
    }

    /// Leadership of a group goes to somebody.
    pub fn step_down(&mut self, machine: usize, group: GroupId) {
        if let Some(life) = &self.machines[machine].life {
            life.asks.put(cluster::node::Ask::Input(Input::StepDown { group }));
            self.plan_parts(machine);
        }
    }
}
