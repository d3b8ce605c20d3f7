//! Whoever uses the groups: writers, readers, and a meta that changes memberships.

use super::checkers::Violation;
use super::disk::State;
use super::node::Item;
use super::plan::{Kind, Sabotage};
use super::world::{Event, MS, World};
use bytes::Bytes;
use cluster::consensus::{Change, Conf, GroupView, Input, Outcome, ReplicaSeed, Role, Ticket};
use std::collections::{BTreeMap, BTreeSet};
use wire::ids::{GroupId, Index, ReplicaId};

/// What a client does next.
pub enum Act {
    Write,
    Read,
    LeaseRead,
    Change,
    Transfer,
}

/// What the clients remember.
#[derive(Default)]
pub struct Clients {
    next_ticket: u64,
    writes: BTreeMap<Ticket, (usize, GroupId)>,
    reads: BTreeMap<Ticket, (usize, GroupId, Index)>,
    changes: BTreeMap<Ticket, usize>,
    /// Placed, and not yet a member.
    waiting: BTreeSet<(GroupId, ReplicaId)>,
    /// Members no more, and since which index.
    removed: BTreeMap<(GroupId, ReplicaId), Index>,
    pub quiet: bool,
    pub refused: u64,
}

impl Clients {
    fn ticket(&mut self) -> Ticket {
        self.next_ticket += 1;
        Ticket(self.next_ticket)
    }

    /// An applied change, seen by meta.
    pub fn membership(&mut self, group: GroupId, before: &Conf, after: &Conf, index: Index) {
        let members = |conf: &Conf| -> BTreeSet<ReplicaId> {
            [&conf.voters, &conf.voters_outgoing, &conf.learners, &conf.learners_next]
                .into_iter()
                .flatten()
                .copied()
                .collect()
        };
        let (before, after) = (members(before), members(after));
        for joined in &after {
            self.waiting.remove(&(group, *joined));
        }
        for left in before.difference(&after) {
            self.removed.entry((group, *left)).or_insert(index);
        }
    }
}

impl World {
    /// Sets all clients going.
    pub fn start_clients(&mut self) {
        for act in [Act::Write, Act::Read, Act::LeaseRead, Act::Change, Act::Transfer] {
            self.again(act);
        }
    }

    fn again(&mut self, act: Act) {
        let plan = &self.plan;
        let every_us = match act {
            Act::Write => plan.write_every_us,
            Act::Read => plan.read_every_us,
            Act::LeaseRead => plan.lease_read_every_us,
            Act::Change => plan.change_every_ms * 1000,
            Act::Transfer => plan.transfer_every_ms * 1000,
        };
        if every_us > 0 && !self.clients.quiet {
            let when = self.now + self.rng.between(every_us / 2, every_us * 3 / 2) * 1000;
            self.at(when, Event::Client(act));
        }
    }

    pub fn act(&mut self, act: Act) -> Result<(), Violation> {
        let group = GroupId(self.rng.below(self.plan.groups));
        match act {
            Act::Write => {
                if let Some(node) = self.someone(group) {
                    self.write(node, group);
                }
            }
            Act::Read => {
                let nodes = self.holders(group);
                if let Some(node) = self.rng.pick(&nodes).copied() {
                    self.read(node, group);
                }
            }
            Act::LeaseRead => {
                if let Some(node) = self.someone(group) {
                    self.lease_read_at(node, group);
                }
            }
            Act::Change => {
                self.destroy_removed();
                self.change_something(group);
            }
            Act::Transfer => {
                if let Some((node, view)) = self.leader(group)
                    && let Some(to) = self.rng.pick(&view.conf.voters).copied()
                {
                    self.input(node, Input::Transfer { group, to });
                }
            }
        }
        self.again(act);
        Ok(())
    }

    pub fn view(&self, node: usize, group: GroupId) -> Option<GroupView> {
        self.nodes[node].core.as_ref()?.view(group)
    }

    fn holders(&self, group: GroupId) -> Vec<usize> {
        (0..self.nodes.len()).filter(|node| self.view(*node, group).is_some()).collect()
    }

    /// All nodes that believe they lead; two may, in different terms.
    pub fn leaders(&self, group: GroupId) -> Vec<usize> {
        let leads = |node: &usize| self.view(*node, group).is_some_and(|view| view.role == Role::Leader);
        (0..self.nodes.len()).filter(leads).collect()
    }

    /// The newest leader.
    pub fn leader(&self, group: GroupId) -> Option<(usize, GroupView)> {
        let views = self.leaders(group).into_iter().filter_map(|node| Some((node, self.view(node, group)?)));
        views.max_by_key(|(_, view)| view.term)
    }

    /// A leader if there is one, else anybody.
    fn someone(&mut self, group: GroupId) -> Option<usize> {
        let leaders = self.leaders(group);
        let nodes = if leaders.is_empty() { self.holders(group) } else { leaders };
        self.rng.pick(&nodes).copied()
    }

    /// Proposes a new value at a node, in the term it is in.
    pub fn write(&mut self, node: usize, group: GroupId) -> Option<Ticket> {
        let term = self.view(node, group)?.term;
        let ticket = self.clients.ticket();
        let mut entry = ticket.0.to_be_bytes().to_vec();
        entry.resize(8 + self.rng.below(self.plan.entry_bytes_max) as usize, 7);
        self.checkers.outcomes.proposed(group, ticket);
        self.clients.writes.insert(ticket, (node, group));
        self.input(node, Input::Propose { group, ticket, entry: Bytes::from(entry), term });
        Some(ticket)
    }

    /// Begins a linearizable read at a node.
    pub fn read(&mut self, node: usize, group: GroupId) -> Ticket {
        let ticket = self.clients.ticket();
        let floor = self.checkers.reads.floor(group);
        self.clients.reads.insert(ticket, (node, group, floor));
        self.input(node, Input::Read { group, ticket });
        ticket
    }

    /// A read that hopes for a lease at a node.
    pub fn lease_read_at(&mut self, node: usize, group: GroupId) {
        let floor = self.checkers.reads.floor(group);
        self.arrive(node, Item::LeaseRead { group, floor });
    }

    pub fn is_waiting(&self, ticket: Ticket) -> bool {
        self.clients.writes.contains_key(&ticket)
            || self.clients.reads.contains_key(&ticket)
            || self.clients.changes.contains_key(&ticket)
    }

    pub fn client_answered(&mut self, node: usize, ticket: Ticket, outcome: &Outcome) -> Result<(), Violation> {
        if let Some((_, group)) = self.clients.writes.remove(&ticket) {
            self.checkers.outcomes.answered(ticket, outcome)?;
            if let Outcome::Committed(index) = outcome {
                self.checkers.reads.shown(group, *index);
            }
            return Ok(());
        }
        if let Some((_, group, floor)) = self.clients.reads.remove(&ticket) {
            if let Outcome::ReadAt(index) = outcome {
                let applied = self.place(node, group).map(|place| place.live.applied).unwrap_or_default();
                if applied < *index {
                    return Err(format!("{group}: a read may be served at {index}, but only {applied} is applied"));
                }
                self.checkers.reads.read(group, floor, applied, "read index")?;
            }
            return Ok(());
        }
        if self.clients.changes.remove(&ticket).is_some() {
            if matches!(outcome, Outcome::Refused(_)) {
                self.clients.refused += 1;
            }
            return Ok(());
        }
        Err(format!("{ticket:?} is answered {outcome:?}, nobody asked"))
    }

    /// The node died: its tickets will never be answered.
    pub fn client_node_lost(&mut self, node: usize) {
        let Clients { writes, reads, changes, .. } = &mut self.clients;
        for (ticket, _) in writes.extract_if(.., |_, (at, _)| *at == node) {
            self.checkers.outcomes.lost(ticket);
        }
        reads.retain(|_, (at, _, _)| *at != node);
        changes.retain(|_, at| *at != node);
    }

    pub fn change(&mut self, node: usize, group: GroupId, change: Change) -> Ticket {
        let ticket = self.clients.ticket();
        self.clients.changes.insert(ticket, node);
        self.input(node, Input::Change { group, ticket, change });
        ticket
    }

    /// A new replica on a node that has none, ready to be added.
    pub fn join(&mut self, node: usize, group: GroupId) -> ReplicaId {
        let replica = self.new_replica(node);
        self.nodes[node].place(group, replica, State::default());
        self.input(node, Input::Open(ReplicaSeed::joiner(group, replica)));
        self.clients.waiting.insert((group, replica));
        self.schedule_flush(node, group);
        replica
    }

    fn change_something(&mut self, group: GroupId) {
        let Some((node, view)) = self.leader(group) else { return };
        let conf = &view.conf;
        let (most, least) = if self.plan.kind == Kind::Growth { (3, 1) } else { (4, 1) };
        let members = conf.voters.len() + conf.learners.len();
        let learner = self.rng.pick(&conf.learners).copied();
        let leavers = conf.voters.iter().copied().filter(|voter| *voter != view.replica || self.plan.leader_may_leave);
        let leavers: Vec<_> = leavers.collect();
        let voter = self.rng.pick(&leavers).copied();
        let change = match self.rng.below(10) {
            0..=3 if members < most => {
                let waiting = self.clients.waiting.range((group, ReplicaId(0))..=(group, ReplicaId(u64::MAX))).next();
                let waiting = waiting.map(|(_, replica)| *replica);
                let Some(replica) = waiting.or_else(|| self.join_anywhere(group)) else { return };
                Change::AddLearner(replica)
            }
            4..=6 => match learner {
                Some(learner) => Change::Promote(learner),
                None => return,
            },
            7 => match (learner, voter) {
                (Some(into), Some(out)) => Change::Swap { into, out },
                _ => return,
            },
            8 if conf.voters.len() > least => match voter {
                Some(voter) => Change::Demote(voter),
                None => return,
            },
            9 if conf.voters.len() > least => match voter.or(learner) {
                Some(leaver) => Change::Remove(leaver),
                None => return,
            },
            _ => return,
        };
        self.change(node, group, change);
    }

    fn join_anywhere(&mut self, group: GroupId) -> Option<ReplicaId> {
        let free = |node: &usize| self.nodes[*node].core.is_some() && !self.nodes[*node].places.contains_key(&group);
        let free: Vec<usize> = (0..self.nodes.len()).filter(free).collect();
        let node = self.rng.pick(&free).copied()?;
        Some(self.join(node, group))
    }

    /// Destroys removed replicas, each once a quorum of the members has flushed its removal (§4).
    pub fn destroy_removed(&mut self) {
        let removed: Vec<_> =
            self.clients.removed.iter().map(|((group, replica), at)| (*group, *replica, *at)).collect();
        for (group, replica, at) in removed {
            let Some(home) = self.homes.get(&replica).copied() else { continue };
            let there = self.nodes[home].core.is_some();
            let there = there && self.place(home, group).is_some_and(|place| place.replica == replica);
            if !there || !(self.flushed_by_quorum(group, at) || self.plan.sabotaged(Sabotage::StopRemoved)) {
                continue;
            }
            self.input(home, Input::Destroy { group, replica });
        }
    }

    fn flushed_by_quorum(&self, group: GroupId, at: Index) -> bool {
        let Some((node, _)) = self.leader(group) else { return false };
        let Some(conf) = self.place(node, group).map(|place| &place.live.conf) else { return false };
        let flushed = |voter: &&ReplicaId| {
            let home = self.homes.get(voter).copied().unwrap_or_default();
            self.place(home, group).is_some_and(|place| place.replica == **voter && place.flushed.applied >= at)
        };
        conf.voters_outgoing.is_empty() && 2 * conf.voters.iter().filter(flushed).count() > conf.voters.len()
    }

    /// The world's time in `ms` milliseconds.
    pub fn in_ms(&self, ms: u64) -> u64 {
        self.now + ms * MS
    }
}
