//! Linearizable reads by ReadIndex, one round a group at a time, and the leases they earn (§5, §6).

use super::effect::{Effect, Outcome};
use super::input::Ticket;
use super::mutants::Mutant;
use super::replica::Replica;
use super::settings::Settings;
use raft::{ReadState, StateRole};
use std::collections::BTreeMap;
use std::time::Duration;
use wire::ids::{Index, ReplicaId};

struct Waiting {
    ticket: Ticket,
    since: Duration,
}

struct Round {
    context: Vec<u8>,
    reads: Vec<Waiting>,
    started: Duration,
    /// Role and term it began under: any change of them may have dropped it silently (§5).
    term: u64,
    role: StateRole,
}

/// A replica's reads.
#[derive(Default)]
pub(super) struct Reads {
    waiting: Vec<Waiting>,
    round: Option<Round>,
    /// Their index is known and not applied yet.
    confirmed: BTreeMap<u64, Vec<Ticket>>,
    rounds: u64,
}

/// Time in which no other replica leads, proven by a round of reads.
#[derive(Default)]
pub(super) struct Lease {
    term: u64,
    until: Duration,
    /// No lease in this term: leadership was, or may be, handed on (§6).
    pub(super) forfeited_in: Option<u64>,
}

impl Reads {
    pub(super) fn add(&mut self, ticket: Ticket, now: Duration) {
        self.waiting.push(Waiting { ticket, since: now });
    }

    /// The state shows everything up to `index`.
    pub(super) fn applied(&mut self, index: u64, out: &mut Vec<Effect>) {
        while let Some(entry) = self.confirmed.first_entry() {
            let at = *entry.key();
            if at > index {
                break;
            }
            for ticket in entry.remove() {
                out.push(Effect::Answer { ticket, outcome: Outcome::ReadAt(Index(at)) });
            }
        }
    }

    /// The replica is gone: nothing was read.
    pub(super) fn abandon(&mut self, out: &mut Vec<Effect>) {
        let round = self.round.take().map(|round| round.reads).unwrap_or_default();
        let waiting = std::mem::take(&mut self.waiting);
        let unasked = round.into_iter().chain(waiting).map(|read| read.ticket);
        let confirmed = std::mem::take(&mut self.confirmed).into_values().flatten();
        out.extend(unasked.chain(confirmed).map(|ticket| Effect::Answer { ticket, outcome: Outcome::NotRun }));
    }

    /// Puts a round's reads back, before the newer ones.
    fn return_round(&mut self) {
        if let Some(mut round) = self.round.take() {
            round.reads.append(&mut self.waiting);
            self.waiting = round.reads;
        }
    }

    /// §5: there is no notice of loss, so a deadline of our own; whoever waited too long hears that nothing was read.
    pub(super) fn expire(&mut self, now: Duration, settings: &Settings, out: &mut Vec<Effect>) {
        if self.round.as_ref().is_some_and(|round| now >= round.started + settings.read_round_max) {
            self.return_round();
        }
        self.waiting.retain(|read| {
            let lives = now < read.since + settings.read_max;
            if !lives {
                out.push(Effect::Answer { ticket: read.ticket, outcome: Outcome::NotRun });
            }
            lives
        });
    }
}

/// Unique over replicas and over restarts: a repeated one lets a late answer serve a stale read (P26).
fn context(replica: ReplicaId, boot: u64, round: u64, settings: &Settings) -> Vec<u8> {
    let boot = if settings.mutants.has(Mutant::RepeatedContexts) { 0 } else { boot };
    [replica.0, boot, round].iter().flat_map(|part| part.to_be_bytes()).collect()
}

impl Replica {
    /// Begins a round for everything that waits, if none is under way and the library would not drop it.
    pub(super) fn start_round(&mut self, now: Duration, settings: &Settings) {
        let raft = &self.node.raft;
        let (term, role) = (raft.term, raft.state);
        if self.reads.round.as_ref().is_some_and(|round| (round.term, round.role) != (term, role)) {
            self.reads.return_round();
        }
        if self.reads.round.is_some() || self.reads.waiting.is_empty() {
            return;
        }
        let heard = match role {
            // P26: nothing is read from a leader that is not a voter (it steps down by itself, `membership`).
            StateRole::Leader => raft.commit_to_current_term() && self.may_lead(settings),
            StateRole::Follower => raft.leader_id != raft::INVALID_ID,
            StateRole::Candidate | StateRole::PreCandidate => false,
        };
        if !heard {
            return;
        }
        self.reads.rounds += 1;
        let context = context(self.id, settings.boot, self.reads.rounds, settings);
        self.node.read_index(context.clone());
        let reads = std::mem::take(&mut self.reads.waiting);
        self.reads.round = Some(Round { context, reads, started: now, term, role });
    }

    /// An answer of the library; only the round under way is asked for, by its context.
    pub(super) fn take_read_states(&mut self, states: Vec<ReadState>, settings: &Settings, out: &mut Vec<Effect>) {
        for state in states {
            let Some(round) = self.reads.round.take_if(|round| round.context == state.request_ctx) else { continue };
            let tickets = round.reads.iter().map(|read| read.ticket);
            self.reads.confirmed.entry(state.index).or_default().extend(tickets);
            self.reads.applied(self.applied, out);
            if self.node.raft.state == StateRole::Leader && self.node.raft.term == round.term {
                self.lease.term = round.term;
                self.lease.until = round.started + lease_length(settings);
            }
        }
    }

    /// The index at which a read may be served now without a round; it must still wait until that is applied.
    pub(super) fn lease(&self, now: Duration, settings: &Settings) -> Option<Index> {
        let raft = &self.node.raft;
        if raft.state != StateRole::Leader || !raft.commit_to_current_term() || !self.may_lead(settings) {
            return None;
        }
        // A group of one: nobody else can lead, no time is trusted.
        if raft.prs().is_singleton() {
            return Some(Index(raft.raft_log.committed));
        }
        settings.lease_drift?;
        let forfeited = self.lease.forfeited_in == Some(raft.term) && !settings.mutants.has(Mutant::LeaseAfterTransfer);
        let holds = self.lease.term == raft.term && now < self.lease.until && !forfeited;
        holds.then_some(Index(raft.raft_log.committed))
    }

    /// §6: after a transfer or a time-out-now a vote may pass every lease; none for the rest of this term.
    pub(super) fn forfeit_lease(&mut self) {
        self.lease.forfeited_in = Some(self.node.raft.term);
    }
}

/// §6: a voter's first tick may come at once, hence one tick less; clocks drift.
fn lease_length(settings: &Settings) -> Duration {
    let length = settings.tick * (settings.election_ticks as u32 - 1);
    let length = length.saturating_sub(settings.lease_drift.unwrap_or_default());
    if settings.mutants.has(Mutant::LeaseTooLong) { length * 3 / 2 } else { length }
}
