//! The ready loop: messages in, one turn of the core, jobs out.

use super::applier::ApplyJob;
use super::leading::Cells;
use super::slow::Slowness;
use super::snapshots::SnapshotJob;
use super::writer::LogJob;
use crate::consensus::{Change, Core, Effect, GroupView, Input, Outcome, ReplicaSeed, Role, Sync, Ticket};
use crate::group::{Done, NotLeading, ReadDone, Settled};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use storage::replica::ReplicaStore;
use wire::ids::{GroupId, ReplicaId, Term};

/// What the loop is asked or told.
pub enum Ask {
    Propose {
        group: GroupId,
        term: Term,
        entry: Bytes,
        done: Done,
    },
    Read {
        group: GroupId,
        done: ReadDone,
    },
    /// Change who belongs to a group that is led here.
    Change {
        group: GroupId,
        change: Change,
        done: ChangeDone,
    },
    /// How all groups of this node are.
    Look {
        done: LookDone,
    },
    /// A replica comes to this node, unless its group has one here already.
    Open {
        seed: ReplicaSeed,
        store: ReplicaStore,
    },
    /// A replica goes for good: meta no longer knows it.
    Destroy {
        group: GroupId,
        replica: ReplicaId,
    },
    /// The group's state should reach the disk soon.
    Flush(GroupId),
    Input(Input),
}

pub type ChangeDone = Box<dyn FnOnce(Outcome) + Send>;
pub type LookDone = Box<dyn FnOnce(Vec<GroupView>) + Send>;

impl Ask {
    /// Bytes it brings into the log.
    pub fn size_bytes(&self) -> usize {
        match self {
            Ask::Propose { entry, .. } => entry.len(),
            // A follower's batch is made of these.
            Ask::Input(Input::Message { bytes, .. }) => bytes.len(),
            _ => 0,
        }
    }
}

/// What the loop hands on.
pub enum Job {
    Log(LogJob),
    Apply(ApplyJob),
    /// The state of these groups should reach the disk, so that their logs can shrink.
    Flush(GroupId),
    Snapshot(SnapshotJob),
    /// To the node that holds the replica.
    Send {
        group: GroupId,
        to: ReplicaId,
        bytes: Bytes,
    },
}

/// Who waits for a ticket.
enum Waiting {
    Proposal(Done),
    Read(ReadDone),
    Change(ChangeDone),
}

pub struct Loop {
    core: Core,
    waiting: BTreeMap<Ticket, Waiting>,
    next_ticket: u64,
    cells: Cells,
    /// Led here, and nothing of the term applied yet: what came before is still being replayed, so nobody is served.
    awaiting: BTreeMap<GroupId, (Term, bool)>,
    effects: Vec<Effect>,
    slowness: Slowness,
    /// Shown to others: this node should lead nothing.
    slow: Arc<AtomicBool>,
    /// Leaders hand over at most so often.
    yielded: Duration,
    /// When the last turn was.
    turned: Duration,
}

/// Between two turns of a loop that runs.
const STOOD_STILL: Duration = Duration::from_secs(1);

impl Loop {
    pub(super) fn new(core: Core, cells: Cells) -> Loop {
        Loop {
            core,
            waiting: BTreeMap::new(),
            next_ticket: 0,
            cells,
            awaiting: BTreeMap::new(),
            effects: Vec::new(),
            slowness: Slowness::default(),
            slow: Arc::default(),
            yielded: Duration::ZERO,
            turned: Duration::ZERO,
        }
    }

    pub fn core(&self) -> &Core {
        &self.core
    }

    /// One turn. `now` was read after `asks` were drained (RAFT §1.1).
    pub fn turn(&mut self, asks: Vec<Ask>, now: Duration) -> Vec<Job> {
        let (mut jobs, mut looks) = (Vec::new(), Vec::new());
        // Ticks come every 50 ms, whatever the disk does.
        if now.saturating_sub(std::mem::replace(&mut self.turned, now)) > STOOD_STILL {
            self.slowness.stood_still(now);
        }
        for ask in &asks {
            if let Ask::Input(Input::Synced(id)) = ask {
                self.slowness.synced(*id, now);
            }
        }
        let inputs: Vec<Input> = asks.into_iter().filter_map(|ask| self.input(ask, &mut jobs, &mut looks)).collect();
        let inputs = inputs.into_iter().chain(self.hand_over(now)).collect();
        self.core.turn(inputs, now, &mut self.effects);
        let is_answer = |effect: &Effect| matches!(effect, Effect::Answer { .. });
        let (answers, effects): (Vec<_>, Vec<_>) = std::mem::take(&mut self.effects).into_iter().partition(is_answer);
        for effect in effects {
            if let Effect::Append { id, sync: Sync::Disk, .. } = &effect {
                self.slowness.begun(*id, now);
            }
            self.carry_out(effect, &mut jobs);
        }
        self.begin_serving();
        // Whoever is answered goes on at once, on another thread: by then it must see who leads.
        for answer in answers {
            self.carry_out(answer, &mut jobs);
        }
        for look in looks {
            look(self.core.groups().filter_map(|group| self.core.view(group)).collect());
        }
        jobs
    }

    fn input(&mut self, ask: Ask, jobs: &mut Vec<Job>, looks: &mut Vec<LookDone>) -> Option<Input> {
        let mut ticket = |waiting| {
            self.next_ticket += 1;
            self.waiting.insert(Ticket(self.next_ticket), waiting);
            Ticket(self.next_ticket)
        };
        Some(match ask {
            Ask::Propose { group, term, entry, done } => {
                Input::Propose { group, ticket: ticket(Waiting::Proposal(done)), entry, term }
            }
            Ask::Read { group, done } => Input::Read { group, ticket: ticket(Waiting::Read(done)) },
            Ask::Change { group, change, done } => {
                Input::Change { group, ticket: ticket(Waiting::Change(done)), change }
            }
            Ask::Look { done } => {
                looks.push(done);
                return None;
            }
            Ask::Open { seed, store } => {
                // Whoever asked looks again, and asks again once the old replica is gone.
                if self.core.view(seed.group).is_some() {
                    return None;
                }
                // Before anything of it can be applied.
                jobs.push(Job::Apply(ApplyJob::Open { group: seed.group, store }));
                Input::Open(seed)
            }
            Ask::Destroy { group, replica } => {
                self.lead(group, None);
                jobs.push(Job::Apply(ApplyJob::Destroy { group, replica }));
                return None;
            }
            Ask::Flush(group) => {
                jobs.push(Job::Flush(group));
                return None;
            }
            Ask::Input(input) => input,
        })
    }

    fn carry_out(&mut self, effect: Effect, jobs: &mut Vec<Job>) {
        match effect {
            Effect::Append { id, batch, sync } => jobs.push(Job::Log(LogJob { id, batch, sync })),
            Effect::Apply { group, entries } => {
                // Whoever waits goes along: the applier answers without another hop.
                let entries = entries.into_iter().map(|entry| {
                    let done = entry.ticket.and_then(|ticket| self.proposal(ticket));
                    (entry, done)
                });
                jobs.push(Job::Apply(ApplyJob::Entries { group, entries: entries.collect() }));
            }
            Effect::Answer { ticket, outcome } => self.answer(ticket, outcome),
            Effect::Role { group, role, term, leader, conf } => {
                if let Some(cell) = self.cells.get(&group) {
                    cell.set_leader(leader);
                }
                let sole = conf.voters.len() == 1 && conf.voters_outgoing.is_empty();
                self.lead(group, (role == Role::Leader).then_some((term, sole)));
            }
            Effect::Send { group, to, bytes } => jobs.push(Job::Send { group, to, bytes }),
            Effect::Flush { group } => jobs.push(Job::Flush(group)),
            Effect::Flip { group, replica, generation, applied, conf } => {
                jobs.push(Job::Apply(ApplyJob::Flip { group, replica, generation, applied, conf }));
            }
            Effect::Discard { group, generation } => jobs.push(Job::Apply(ApplyJob::Discard { group, generation })),
            Effect::Build { group } => jobs.push(Job::Snapshot(SnapshotJob::Build { group })),
            Effect::Stream { group, to, snapshot, message } => {
                jobs.push(Job::Snapshot(SnapshotJob::Stream { group, to, snapshot, message }));
            }
            Effect::Release { snapshot, .. } => jobs.push(Job::Snapshot(SnapshotJob::Release { snapshot })),
        }
    }

    /// Whether this node should lead nothing, for whoever decides that.
    pub fn slow(&self) -> Arc<AtomicBool> {
        self.slow.clone()
    }

    /// With a disk that slow, leaders go to who keeps up.
    fn hand_over(&mut self, now: Duration) -> Vec<Input> {
        const AGAIN: Duration = Duration::from_secs(1);
        let slow = self.slowness.is_slow(now);
        if self.slow.swap(slow, Ordering::Relaxed) != slow {
            tracing::warn!(slow, "the log's disk is too slow to lead");
        }
        if !slow || now < self.yielded + AGAIN {
            return Vec::new();
        }
        self.yielded = now;
        let led = self.core.groups().filter_map(|group| self.core.view(group)).filter(|view| view.role == Role::Leader);
        let heir = |view: GroupView| {
            let able = view.peers.iter().filter(|peer| peer.active && view.conf.votes(peer.replica));
            let to = able.max_by_key(|peer| peer.matched)?.replica;
            Some(Input::Transfer { group: view.group, to })
        };
        led.filter_map(heir).collect()
    }

    fn lead(&mut self, group: GroupId, leads: Option<(Term, bool)>) {
        let Some(cell) = self.cells.get(&group) else { return };
        let serves = cell.term().is_some() && cell.term() == leads.map(|(term, _)| term);
        cell.set(leads.filter(|_| serves));
        match leads {
            Some(leads) if !serves => self.awaiting.insert(group, leads),
            _ => self.awaiting.remove(&group),
        };
    }

    fn begin_serving(&mut self) {
        let (core, cells) = (&self.core, &self.cells);
        self.awaiting.retain(|group, leads| {
            let serving = core.view(*group).is_some_and(|view| view.serving && view.term == leads.0);
            if serving && let Some(cell) = cells.get(group) {
                cell.set(Some(*leads));
            }
            !serving
        });
    }

    /// Who proposed an entry. A change of membership is answered by the core, once it is applied.
    fn proposal(&mut self, ticket: Ticket) -> Option<Done> {
        match self.waiting.remove(&ticket)? {
            Waiting::Proposal(done) => Some(done),
            other => {
                self.waiting.insert(ticket, other);
                None
            }
        }
    }

    fn answer(&mut self, ticket: Ticket, outcome: Outcome) {
        match self.waiting.remove(&ticket) {
            Some(Waiting::Proposal(done)) => done(match outcome {
                // Its entry went to the applier without it: cannot be, but then nobody can say.
                Outcome::Committed(_) | Outcome::Unknown | Outcome::ReadAt(_) => Settled::Unknown,
                Outcome::NotRun | Outcome::NotLeader(_) | Outcome::Refused(_) => Settled::NotRun,
            }),
            Some(Waiting::Read(done)) => done(match outcome {
                Outcome::ReadAt(_) => Ok(()),
                _ => Err(NotLeading),
            }),
            Some(Waiting::Change(done)) => done(outcome),
            // Answered by the applier already.
            None => {}
        }
    }
}
