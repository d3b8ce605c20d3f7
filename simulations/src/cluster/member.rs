//! A node as a member, step by step as `cluster::member` has it: it follows meta, looks after the groups it leads, says how
//! they are, and registers.

use super::network::Arrival;
use super::world::{Event, MS, Step, World};
use cluster::consensus::{GroupView, Input, Role};
use cluster::group::Group;
use cluster::meta::request::{Answer, Ask, GroupReport, Report};
use cluster::meta::steward::Steward;
use cluster::meta::warden::{self, Act};
use cluster::meta::{self, Meta, NodeRow};
use cluster::node;
use cluster::topology::Placed;
use std::collections::BTreeMap;
use std::sync::Arc;
use storage::replica::{Generation, ReplicaStore};
use wire::ids::{GroupId, Incarnation, Index, NodeId, ReplicaId};

/// As production's.
const BEAT_MS: u64 = 100;
const REPORT_MS: u64 = 500;
const REGISTER_MS: u64 = 300;

/// What a life knows as a member; gone with it.
#[derive(Default)]
pub struct Membership {
    pub steward: Steward,
    /// Who should lead, as the steward last said.
    pub orders: BTreeMap<GroupId, ReplicaId>,
    pub registered: bool,
    pub founding: bool,
    /// Where somebody said that meta is led.
    pub hint: Option<NodeId>,
    /// The last report or registration was not answered: whoever leads may be where this node does not look.
    unanswered: bool,
    seen: Option<(ReplicaId, Generation, Index)>,
    beats: u64,
}

impl World {
    /// The row of this life.
    pub(super) fn row(&self, machine: usize) -> NodeRow {
        let at = &self.machines[machine];
        let (node, incarnation) = (at.node.unwrap_or_default(), Incarnation(at.lives));
        let text = String::new;
        NodeRow { node, incarnation, listen: format!("machine {machine}"), http: text(), version: text(), zone: text() }
    }

    /// The meta group's rows here.
    pub(super) fn seat(&self, machine: usize) -> Option<ReplicaStore> {
        self.machines[machine].life.as_ref()?.slots.get(&GroupId::META)?.get()
    }

    pub(super) fn leads_meta(&self, machine: usize) -> bool {
        let life = self.machines[machine].life.as_ref();
        life.is_some_and(|life| life.handles[&GroupId::META].leading().is_some())
    }

    pub(super) fn beat(&mut self, machine: usize) -> Result<(), String> {
        self.later(machine, BEAT_MS * MS, Step::Beat);
        self.living(machine).member.beats += 1;
        self.follow(machine)?;
        let Some(meta) = self.machines[machine].meta.clone() else {
            self.found(machine);
            return Ok(());
        };
        self.place(machine, &meta)?;
        let life = self.living(machine);
        if life.handles.values().any(|handle| handle.leading().is_some()) {
            self.look(machine, false);
        }
        Ok(())
    }

    /// Keeps meta as new as can be: from the replica here, else from those who have one.
    fn follow(&mut self, machine: usize) -> Result<(), String> {
        let Some(store) = self.seat(machine) else {
            if self.living(machine).member.beats.is_multiple_of(5) {
                self.fetch(machine);
            }
            return Ok(());
        };
        let state = store.state();
        let now = Some((store.replica(), state.generation, state.applied));
        let seen = &mut self.living(machine).member.seen;
        if *seen != now {
            *seen = now;
            if let Ok(meta) = meta::read(&store) {
                self.learn(machine, &meta)?;
            }
        }
        Ok(())
    }

    /// Takes a newer meta in: on disk first, since replicas are made by it.
    pub(super) fn learn(&mut self, machine: usize, meta: &Meta) -> Result<(), String> {
        let at = &mut self.machines[machine];
        if at.meta.as_ref().is_none_or(|known| meta.version() > known.version()) {
            at.meta = Some(Arc::new(meta.clone()));
            self.checkers.ids.placed(meta)?;
            self.trace.line(self.now, format_args!("machine {machine} knows meta {}", meta.version()));
        }
        Ok(())
    }

    fn fetch(&mut self, machine: usize) {
        let Some(meta) = self.machines[machine].meta.clone() else { return };
        let me = self.machines[machine].node;
        let holders = meta.topology.of(GroupId::META).map(|placed| placed.node);
        let others: Vec<NodeId> =
            holders.chain(meta.nodes.iter().map(|row| row.node)).filter(|n| Some(*n) != me).collect();
        if let Some(node) = self.rng.pick(&others).copied() {
            self.ask(machine, node, Ask::Get { newer_than: meta.version() });
        }
    }

    fn ask(&mut self, machine: usize, node: NodeId, ask: Ask) {
        if let Some(to) = self.book.get(&node).copied() {
            let life = self.machines[machine].lives;
            self.send(machine, to, Arrival::Ask { from: machine, life, ask });
        }
    }

    /// One try at whoever may lead meta.
    pub(super) fn ask_leader(&mut self, machine: usize, ask: Ask) {
        let Some(meta) = self.machines[machine].meta.clone() else { return };
        let life = self.living(machine);
        let leader =
            life.handles[&GroupId::META].leader().and_then(|replica| meta.topology.node_of(GroupId::META, replica));
        let hint = life.member.hint.take();
        let holders: Vec<NodeId> = meta.topology.of(GroupId::META).map(|placed| placed.node).collect();
        let any = self.rng.pick(&holders).copied();
        if let Some(node) = hint.or(leader).or(any) {
            self.ask(machine, node, ask);
        }
    }

    fn look(&mut self, machine: usize, report: bool) {
        let life = self.living(machine);
        let looks = life.looks.clone();
        life.asks.put(node::Ask::Look { done: Box::new(move |views| looks.put((report, views))) });
    }

    pub(super) fn hear_looks(&mut self, machine: usize) {
        while let Some((report, views)) = self.machines[machine].life.as_ref().and_then(|life| life.looks.take()) {
            let Some(meta) = self.machines[machine].meta.clone() else { continue };
            if report {
                let node = self.row(machine).node;
                let groups = views.into_iter().map(reported).collect();
                let report = Report { node, slow: false, groups };
                self.ask_leader(machine, Ask::Report(report));
            } else {
                views.iter().filter(|view| view.role == Role::Leader).for_each(|view| self.tend(machine, &meta, view));
            }
        }
    }

    /// A group led here is taken towards what meta has placed.
    fn tend(&mut self, machine: usize, meta: &Meta, view: &GroupView) {
        let placed: Vec<Placed> = meta.topology.of(view.group).copied().collect();
        let group = view.group;
        let life = self.living(machine);
        let ask = match warden::next(view, &placed, life.member.orders.get(&group).copied()) {
            None => return,
            Some(Act::HandOver(to)) => {
                life.member.orders.remove(&group);
                self.counts.transfers += 1;
                node::Ask::Input(Input::Transfer { group, to })
            }
            Some(Act::Change(change)) => {
                self.counts.changes += 1;
                self.trace.line(self.now, format_args!("{group} in {}: {change:?}", view.term));
                node::Ask::Change { group, change, done: Box::new(drop) }
            }
        };
        self.living(machine).asks.put(ask);
    }

    pub(super) fn report_beat(&mut self, machine: usize) -> Result<(), String> {
        self.later(machine, REPORT_MS * MS, Step::Report);
        if std::mem::replace(&mut self.living(machine).member.unanswered, true) {
            self.fetch(machine);
        }
        if self.living(machine).member.registered {
            self.look(machine, true);
        }
        Ok(())
    }

    /// Tells meta that this node lives again, or that it lost its disk, until it knows.
    pub(super) fn register_beat(&mut self, machine: usize) -> Result<(), String> {
        if self.living(machine).member.registered {
            return Ok(());
        }
        self.later(machine, REGISTER_MS * MS, Step::Register);
        let row = self.row(machine);
        let node = row.node;
        let lost = self.machines[machine].floor.is_none();
        self.ask_leader(machine, if lost { Ask::Lost(node) } else { Ask::Register(row) });
        Ok(())
    }

    /// A machine that belongs to nothing asks whomever it finds, until it is let in.
    pub(super) fn ask_to_join(&mut self, machine: usize) {
        if self.machines[machine].node.is_some() {
            return;
        }
        self.at(REGISTER_MS * MS, Event::Join(machine));
        let members: Vec<usize> = self.book.values().copied().collect();
        if let Some(to) = self.rng.pick(&members).copied() {
            self.send(machine, to, Arrival::Ask { from: machine, life: 0, ask: Ask::Join });
        }
    }

    pub(super) fn hear_answer(&mut self, machine: usize, life: u64, answer: Answer) -> Result<(), String> {
        if let Answer::Joined { node, meta, .. } = answer {
            if self.machines[machine].node.is_none() {
                self.machines[machine].node = Some(node);
                self.book.insert(node, machine);
                self.counts.joins += 1;
                self.learn(machine, &meta)?;
                self.at(1, Event::Start(machine));
            }
            return Ok(());
        }
        if self.machines[machine].life.is_none() || self.machines[machine].lives != life {
            return Ok(());
        }
        match answer {
            Answer::Registered(meta) => {
                self.living(machine).member.registered = true;
                self.learn(machine, &meta)?;
            }
            Answer::Reported(orders) => {
                let version = orders.version;
                let member = &mut self.living(machine).member;
                member.orders = orders.hand_over.into_iter().collect();
                member.unanswered = false;
                if self.machines[machine].meta.as_ref().is_some_and(|meta| version > meta.version()) {
                    self.fetch(machine);
                }
            }
            Answer::Meta(Some(meta)) => self.learn(machine, &meta)?,
            Answer::Lost { floor, meta } => {
                // On disk before any replica is made.
                self.machines[machine].floor.get_or_insert(floor);
                self.learn(machine, &meta)?;
            }
            Answer::Elsewhere(hint) => self.living(machine).member.hint = hint.map(|(node, _)| node),
            Answer::Refused(why) => return Err(format!("machine {machine} is refused: {why}")),
            _ => {}
        }
        Ok(())
    }
}

fn reported(view: GroupView) -> GroupReport {
    let GroupView { group, replica, term, applied, flushed, .. } = view;
    let leads = (view.role == Role::Leader && view.serving).then_some(view.conf);
    GroupReport { group, replica, term, applied, flushed, leads }
}
