//! All replicas of a node: inputs in, one turn, effects out.

use super::effect::{BatchId, Effect, Outcome, Sync};
use super::input::{Input, Ticket};
use super::mutants::Mutant;
use super::replica::Replica;
use super::seed::{Damage, Health, ReplicaSeed};
use super::settings::Settings;
use super::view::{GroupView, Role};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use storage::log::LogBatch;
use wire::ids::{GroupId, Index, ReplicaId, Term};

/// A group's place on this node.
enum Seat {
    Live(Box<Replica>),
    /// Takes no part until it is destroyed (P17).
    Damaged(ReplicaId),
}

/// What a batch on its way carries of one replica.
struct Carried {
    group: GroupId,
    replica: ReplicaId,
    /// The term of the hard state in it.
    term: Option<Term>,
}

/// The consensus of one node. Pure: time is a [`Duration`] since any fixed moment, handed in, never going back.
pub struct Core {
    settings: Arc<Settings>,
    groups: BTreeMap<GroupId, Seat>,
    touched: BTreeSet<GroupId>,
    /// Batches on their way to the disk, in order.
    batches: BTreeMap<BatchId, Vec<Carried>>,
    forming: BatchId,
    /// Farewells of destroyed replicas, to go with this turn's batch.
    destroyed: Vec<ReplicaId>,
    next_tick: Duration,
}

impl Core {
    /// Opens all replicas of the node. A seed that contradicts itself is an error that names it: open that one as
    /// [`Health::Damaged`], or refuse to start (P17).
    pub fn open(settings: Settings, seeds: Vec<ReplicaSeed>, now: Duration) -> Result<Core, Damage> {
        let mut core = Core {
            next_tick: now + settings.tick,
            settings: Arc::new(settings),
            groups: BTreeMap::new(),
            touched: BTreeSet::new(),
            batches: BTreeMap::new(),
            forming: BatchId(1),
            destroyed: Vec::new(),
        };
        for seed in seeds {
            core.seat(&seed, now)?;
        }
        Ok(core)
    }

    /// The log still knows a replica whose rows are gone for good: it is to forget it too.
    pub fn forget(&mut self, replica: ReplicaId) {
        self.destroyed.push(replica);
    }

    /// One turn of the loop. `now` was read after `inputs` were drained (§1.1).
    pub fn turn(&mut self, inputs: Vec<Input>, now: Duration, out: &mut Vec<Effect>) {
        for input in inputs {
            self.take(input, now, out);
        }
        let touched = std::mem::take(&mut self.touched);
        for group in &touched {
            if let Some(Seat::Live(replica)) = self.groups.get_mut(group) {
                replica.settle(now, self.forming, &self.settings, out);
            }
        }
        self.append(&touched, out);
    }

    /// When the next [`Input::Tick`] will count.
    pub fn next_tick(&self) -> Duration {
        self.next_tick
    }

    /// The index at which a read may be served without a round, once it is applied: on a group of one always, else
    /// only under a lease, which is off by default (§6). `now` was read after the read arrived. `None`: use `Read`.
    pub fn lease(&self, group: GroupId, now: Duration) -> Option<Index> {
        self.live(group)?.lease(now, &self.settings)
    }

    /// What this node's replica of the group looks like.
    pub fn view(&self, group: GroupId) -> Option<GroupView> {
        match self.groups.get(&group)? {
            Seat::Live(replica) => Some(replica.view()),
            Seat::Damaged(replica) => Some(GroupView {
                group,
                replica: *replica,
                role: Role::Damaged,
                term: Term(0),
                leader: None,
                serving: false,
                last: Index(0),
                commit: Index(0),
                applied: Index(0),
                flushed: Index(0),
                conf: Default::default(),
                installing: false,
                log_bytes: 0,
                peers: Vec::new(),
            }),
        }
    }

    /// All groups that have a replica here.
    pub fn groups(&self) -> impl Iterator<Item = GroupId> + '_ {
        self.groups.keys().copied()
    }

    fn live(&self, group: GroupId) -> Option<&Replica> {
        match self.groups.get(&group)? {
            Seat::Live(replica) => Some(replica),
            Seat::Damaged(_) => None,
        }
    }

    /// The group's replica, which this turn will run the ready loop for.
    fn touch(&mut self, group: GroupId) -> Option<&mut Replica> {
        match self.groups.get_mut(&group)? {
            Seat::Live(replica) => {
                self.touched.insert(group);
                Some(replica)
            }
            Seat::Damaged(_) => None,
        }
    }

    fn seat(&mut self, seed: &ReplicaSeed, now: Duration) -> Result<(), Damage> {
        let seat = match seed.health {
            Health::Damaged => Seat::Damaged(seed.replica),
            Health::Whole => Seat::Live(Box::new(Replica::open(seed, now, &self.settings)?)),
        };
        self.groups.insert(seed.group, seat);
        self.touched.insert(seed.group);
        Ok(())
    }

    fn take(&mut self, input: Input, now: Duration, out: &mut Vec<Effect>) {
        let forming = self.forming;
        let settings = Arc::clone(&self.settings);
        match input {
            Input::Tick => self.tick(now, out),
            Input::Message { group, to, bytes } => {
                if let Some(replica) = self.touch(group) {
                    replica.step(to, &bytes, now, &settings);
                }
            }
            Input::Propose { group, ticket, entry, term } => match self.touch(group) {
                Some(replica) => replica.asked.push((ticket, term, entry)),
                None => refuse(ticket, out),
            },
            Input::Read { group, ticket } => match self.touch(group) {
                Some(replica) => replica.reads.add(ticket, now),
                None => refuse(ticket, out),
            },
            Input::Change { group, ticket, change } => match self.touch(group) {
                Some(replica) => replica.change(ticket, &change, &settings, out),
                None => refuse(ticket, out),
            },
            Input::Synced(id) => self.synced(id, now, out),
            Input::Applied { group, index } => {
                if let Some(replica) = self.touch(group) {
                    replica.applied(index, out);
                }
            }
            Input::Flushed { group, index } => {
                if let Some(replica) = self.touch(group) {
                    replica.flushed(index);
                }
            }
            Input::Staged(staged) => match self.touch(staged.group) {
                Some(replica) => replica.staged(staged, &settings, out),
                None => out.push(Effect::Discard { group: staged.group, generation: staged.generation }),
            },
            Input::Flipped { group, generation } => {
                if let Some(replica) = self.touch(group) {
                    replica.flipped(generation, forming);
                }
            }
            Input::SnapshotSent { group, to, ok } => {
                if let Some(replica) = self.touch(group) {
                    replica.snapshot_sent(to, ok, now, &settings);
                }
            }
            Input::SnapshotBuilt(handle) => match self.touch(handle.group) {
                Some(replica) => replica.snapshot_built(handle, now),
                None => out.push(Effect::Release { group: handle.group, snapshot: handle.id }),
            },
            Input::Transfer { group, to } => {
                if let Some(replica) = self.touch(group) {
                    replica.transfer(to);
                }
            }
            Input::StepDown { group } => {
                if let Some(replica) = self.touch(group) {
                    replica.step_down();
                }
            }
            Input::Open(seed) => self.place(&seed, now),
            Input::Destroy { group, replica } => self.destroy(group, replica, out),
        }
    }

    /// §1.3: missed ticks are dropped (`next = now + tick`, never `next += tick`), so two never fall into one turn.
    fn tick(&mut self, now: Duration, out: &mut Vec<Effect>) {
        if now < self.next_tick {
            return;
        }
        let from = if self.settings.mutants.has(Mutant::TickDebt) { self.next_tick } else { now };
        self.next_tick = from + self.settings.tick;
        for (group, seat) in &mut self.groups {
            if let Seat::Live(replica) = seat {
                replica.tick(now, &self.settings, out);
                self.touched.insert(*group);
            }
        }
    }

    /// §1.6: in queue order, hard state first, then the readies and only then their messages.
    fn synced(&mut self, id: BatchId, now: Duration, out: &mut Vec<Effect>) {
        let later = self.batches.split_off(&BatchId(id.0 + 1));
        for (batch, carried) in std::mem::replace(&mut self.batches, later) {
            for Carried { group, replica, term } in carried {
                let Some(Seat::Live(live)) = self.groups.get_mut(&group) else { continue };
                if live.id == replica {
                    live.term_synced(term);
                    live.synced(batch, now, &self.settings, out);
                    self.touched.insert(group);
                }
            }
        }
    }

    /// One batch for all that this turn has to write.
    fn append(&mut self, touched: &BTreeSet<GroupId>, out: &mut Vec<Effect>) {
        let mut batch = LogBatch::default();
        let mut carried = Vec::new();
        let mut must_sync = !self.destroyed.is_empty();
        batch.appends.extend(self.destroyed.drain(..).map(Replica::last_append));
        for group in touched {
            let Some(Seat::Live(replica)) = self.groups.get_mut(group) else { continue };
            if let Some((append, sync)) = replica.take_append() {
                let term = append.hard_state.map(|hard_state| hard_state.term);
                carried.push(Carried { group: *group, replica: replica.id, term });
                batch.appends.push(append);
                must_sync |= sync;
            }
        }
        if batch.appends.is_empty() {
            return;
        }
        let id = self.forming;
        self.batches.insert(id, carried);
        self.forming = BatchId(id.0 + 1);
        out.push(Effect::Append { id, batch, sync: if must_sync { Sync::Disk } else { Sync::Order } });
    }

    /// A replica comes to this node. Said twice it changes nothing; a damaged seed takes its seat and no part.
    fn place(&mut self, seed: &ReplicaSeed, now: Duration) {
        if self.groups.contains_key(&seed.group) {
            tracing::debug!(group = %seed.group, replica = %seed.replica, "already has a replica here");
            return;
        }
        if let Err(damage) = self.seat(seed, now) {
            tracing::error!(%damage, "replica takes no part");
            self.groups.insert(seed.group, Seat::Damaged(seed.replica));
        }
    }

    fn destroy(&mut self, group: GroupId, replica: ReplicaId, out: &mut Vec<Effect>) {
        let here = match self.groups.get_mut(&group) {
            Some(Seat::Live(live)) if live.id == replica => {
                live.abandon(out);
                true
            }
            Some(Seat::Damaged(id)) => *id == replica,
            _ => false,
        };
        if here {
            self.groups.remove(&group);
            self.destroyed.push(replica);
        }
    }
}

fn refuse(ticket: Ticket, out: &mut Vec<Effect>) {
    out.push(Effect::Answer { ticket, outcome: Outcome::NotLeader(None) });
}
