//! The ready loop: messages in, one turn of the core, jobs out.

use super::applier::ApplyJob;
use super::leading::Cells;
use super::writer::LogJob;
use crate::consensus::{Core, Effect, Input, Outcome, Role, Ticket};
use crate::group::{Done, NotLeading, ReadDone, Settled};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::time::Duration;
use wire::ids::{GroupId, ReplicaId, Term};

/// What the loop is asked or told.
pub enum Ask {
    Propose { group: GroupId, term: Term, entry: Bytes, done: Done },
    Read { group: GroupId, done: ReadDone },
    Input(Input),
}

impl Ask {
    /// Bytes it brings into the log.
    pub fn size_bytes(&self) -> usize {
        match self {
            Ask::Propose { entry, .. } => entry.len(),
            Ask::Read { .. } | Ask::Input(_) => 0,
        }
    }
}

/// What the loop hands on.
pub enum Job {
    Log(LogJob),
    Apply(ApplyJob),
    /// The state of these groups should reach the disk, so that their logs can shrink.
    Flush(GroupId),
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
}

pub struct Loop {
    core: Core,
    waiting: BTreeMap<Ticket, Waiting>,
    next_ticket: u64,
    cells: Cells,
    /// Led here, and nothing of the term applied yet: what came before is still being replayed, so nobody is served.
    awaiting: BTreeMap<GroupId, (Term, bool)>,
    effects: Vec<Effect>,
}

impl Loop {
    pub(super) fn new(core: Core, cells: Cells) -> Loop {
        Loop { core, waiting: BTreeMap::new(), next_ticket: 0, cells, awaiting: BTreeMap::new(), effects: Vec::new() }
    }

    pub fn core(&self) -> &Core {
        &self.core
    }

    /// One turn. `now` was read after `asks` were drained (RAFT §1.1).
    pub fn turn(&mut self, asks: Vec<Ask>, now: Duration) -> Vec<Job> {
        let inputs = asks.into_iter().map(|ask| self.input(ask)).collect();
        self.core.turn(inputs, now, &mut self.effects);
        let mut jobs = Vec::with_capacity(self.effects.len());
        let is_answer = |effect: &Effect| matches!(effect, Effect::Answer { .. });
        let (answers, effects): (Vec<_>, Vec<_>) = std::mem::take(&mut self.effects).into_iter().partition(is_answer);
        for effect in effects {
            self.carry_out(effect, &mut jobs);
        }
        self.begin_serving();
        // Whoever is answered goes on at once, on another thread: by then it must see who leads.
        for answer in answers {
            self.carry_out(answer, &mut jobs);
        }
        jobs
    }

    fn input(&mut self, ask: Ask) -> Input {
        let mut ticket = |waiting| {
            self.next_ticket += 1;
            self.waiting.insert(Ticket(self.next_ticket), waiting);
            Ticket(self.next_ticket)
        };
        match ask {
            Ask::Propose { group, term, entry, done } => {
                Input::Propose { group, ticket: ticket(Waiting::Proposal(done)), entry, term }
            }
            Ask::Read { group, done } => Input::Read { group, ticket: ticket(Waiting::Read(done)) },
            Ask::Input(input) => input,
        }
    }

    fn carry_out(&mut self, effect: Effect, jobs: &mut Vec<Job>) {
        match effect {
            Effect::Append { id, batch, sync } => jobs.push(Job::Log(LogJob { id, batch, sync })),
            Effect::Apply { group, entries } => {
                // Whoever waits goes along: the applier answers without another hop.
                let entries = entries.into_iter().map(|entry| {
                    let done = entry.ticket.and_then(|ticket| self.waiting.remove(&ticket));
                    (entry, done.and_then(Waiting::proposal))
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
            Effect::Build { .. } | Effect::Stream { .. } | Effect::Release { .. } => {
                // Snapshots travel once nodes do (issue *Cluster*); a group of one never asks for any.
                tracing::error!("a snapshot was asked for, and there is no other node to send it to");
            }
        }
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
            // Answered by the applier already.
            None => {}
        }
    }
}

impl Waiting {
    fn proposal(self) -> Option<Done> {
        match self {
            Waiting::Proposal(done) => Some(done),
            Waiting::Read(_) => None,
        }
    }
}
