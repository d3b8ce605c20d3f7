//! One replica: the library's node and everything the rules keep beside it.

use super::effect::{Effect, Outcome};
use super::input::{Generation, Ticket};
use super::install::Install;
use super::logger::logger;
use super::memory::Memory;
use super::mutants::Mutant;
use super::proposals::Proposals;
use super::reads::{Lease, Reads};
use super::restart::{nothing_for, recover};
use super::seed::{Conf, Damage, ReplicaSeed};
use super::settings::Settings;
use super::snapshot::Outgoing;
use super::unsynced::Unsynced;
use super::view::{Role, role_of};
use bytes::Bytes;
use raft::{RawNode, ReadOnlyOption};
use std::time::Duration;
use storage::log::ReplicaAppend;
use wire::ids::{GroupId, Index, ReplicaId, Term};

pub(super) struct Replica {
    pub(super) group: GroupId,
    pub(super) id: ReplicaId,
    pub(super) node: RawNode<Memory>,
    pub(super) unsynced: Unsynced,
    pub(super) proposals: Proposals,
    /// Asked for in this turn; they go into the log together when it settles.
    pub(super) asked: Vec<(Ticket, Term, Bytes)>,
    pub(super) reads: Reads,
    pub(super) lease: Lease,
    /// The membership in force.
    pub(super) conf: Conf,
    pub(super) outgoing: Outgoing,
    /// A snapshot being made live: no tick, no time-out-now, no second one (§3).
    pub(super) install: Option<Install>,
    /// Where the rows of a snapshot lie that was stepped and not yet taken from the library.
    pub(super) staged_generation: Option<Generation>,
    /// What is to be written; leaves with the turn's batch, or is held for a flip.
    pub(super) append: Option<ReplicaAppend>,
    pub(super) append_must_sync: bool,
    /// The newest term whose hard state is on disk (P27).
    pub(super) durable_term: u64,
    /// Handed to the driver.
    pub(super) emitted: u64,
    /// Shown by the state.
    pub(super) applied: u64,
    /// On the state's disk.
    pub(super) flushed: u64,
    flush_asked: bool,
    /// Until then votes are refused (P25).
    pub(super) refuse_votes_until: Duration,
    /// Elections this replica's time-outs began: they vary its next time-out (§7).
    pub(super) campaigns: u64,
    /// Not ticked yet in this life.
    pub(super) fresh: bool,
    shown: Option<(Role, Term, Option<ReplicaId>, Conf)>,
}

impl Replica {
    /// §2: checked and repaired first; what the repair has to write goes with the first turn.
    pub(super) fn open(seed: &ReplicaSeed, now: Duration, settings: &Settings) -> Result<Replica, Damage> {
        let recovered = recover(seed)?;
        let applied = seed.state.applied.0;
        let config = raft::Config {
            id: seed.replica.0,
            election_tick: settings.election_ticks,
            min_election_tick: settings.election_ticks,
            max_election_tick: 2 * settings.election_ticks,
            heartbeat_tick: settings.heartbeat_ticks,
            // §2: the *flushed* applied index, with the membership of the same batch.
            applied,
            max_size_per_msg: settings.message_bytes_max,
            max_inflight_msgs: settings.messages_in_flight_max,
            check_quorum: true,
            pre_vote: true,
            read_only_option: ReadOnlyOption::Safe,
            skip_bcast_commit: false,
            // The library merges entries into an empty append with another index: a follower then acknowledges what it
            // does not have (found by seed 8; 0.7.0, `try_batching` with `is_continuous_ents`). So a turn's proposals are one message
            // instead (`propose_all`).
            batch_append: settings.mutants.has(Mutant::BatchAppend),
            priority: 0,
            max_uncommitted_size: settings.uncommitted_bytes_max,
            max_committed_size_per_ready: settings.apply_bytes_max,
        };
        let damaged = |error: raft::Error| Damage { group: seed.group, replica: seed.replica, what: error.to_string() };
        let node = RawNode::new(&config, recovered.memory, &logger()).map_err(damaged)?;
        Ok(Replica {
            group: seed.group,
            id: seed.replica,
            node,
            unsynced: Unsynced::default(),
            proposals: Proposals::default(),
            asked: Vec::new(),
            reads: Reads::default(),
            lease: Lease::default(),
            conf: seed.state.conf.clone(),
            outgoing: Outgoing::default(),
            install: None,
            staged_generation: None,
            append_must_sync: recovered.repair.is_some(),
            append: recovered.repair,
            durable_term: recovered.durable_term,
            emitted: applied,
            applied,
            flushed: applied,
            flush_asked: false,
            refuse_votes_until: now + settings.election_max(),
            campaigns: 0,
            fresh: true,
            shown: None,
        })
    }

    pub(super) fn leader(&self) -> Option<ReplicaId> {
        Some(ReplicaId(self.node.raft.leader_id)).filter(|leader| leader.0 != raft::INVALID_ID)
    }

    /// The driver's word that the state shows everything up to `index`.
    pub(super) fn applied(&mut self, index: Index, out: &mut Vec<Effect>) {
        // A flip may have overtaken it.
        if index.0 <= self.applied {
            return;
        }
        assert!(index.0 <= self.emitted, "applied {index}, but only {} was handed out", self.emitted);
        self.applied_to(index.0, out);
    }

    pub(super) fn applied_to(&mut self, index: u64, out: &mut Vec<Effect>) {
        self.applied = index;
        self.node.advance_apply_to(index);
        self.proposals.applied(index, out);
        self.reads.applied(index, out);
    }

    pub(super) fn flushed(&mut self, index: Index) {
        self.flushed = self.flushed.max(index.0.min(self.applied));
        self.flush_asked = false;
    }

    /// Takes this turn's write, unless a flip holds it back (§3).
    pub(super) fn take_append(&mut self) -> Option<(ReplicaAppend, bool)> {
        if self.install.as_ref().is_some_and(|install| install.holds_writes()) {
            return None;
        }
        let append = self.append.take()?;
        Some((append, std::mem::take(&mut self.append_must_sync)))
    }

    /// §3: the log is purged by bytes, only below what is *flushed* (else a crash leaves a log that begins behind the
    /// state), and not under a stream that still needs what follows its snapshot.
    pub(super) fn trim(&mut self, settings: &Settings, out: &mut Vec<Effect>) {
        if self.node.store().bytes() <= settings.window_bytes_max || self.installing() {
            return;
        }
        let safe = if settings.mutants.has(Mutant::PurgeToApplied) { self.applied } else { self.flushed };
        let limit = safe.min(self.outgoing.hold().unwrap_or(u64::MAX));
        if let Some(point) = self.node.store().purge_point(settings.window_bytes_max / 2, limit) {
            self.node.mut_store().purge(point);
            self.append.get_or_insert_with(|| nothing_for(self.id)).purge = Some(point);
        }
        let still_full = self.node.store().bytes() > settings.window_bytes_max;
        if still_full && self.flushed < self.applied && !self.flush_asked {
            self.flush_asked = true;
            out.push(Effect::Flush { group: self.group });
        }
    }

    /// Tells the driver when role, term, leader or membership are not what it heard last.
    pub(super) fn show_role(&mut self, out: &mut Vec<Effect>) {
        let raft = &self.node.raft;
        let now = (role_of(raft.state), Term(raft.term), self.leader());
        let same = self.shown.as_ref().is_some_and(|shown| (shown.0, shown.1, shown.2) == now);
        if same && self.shown.as_ref().is_some_and(|shown| shown.3 == self.conf) {
            return;
        }
        let (role, term, leader) = now;
        let conf = self.conf.clone();
        self.shown = Some((role, term, leader, conf.clone()));
        out.push(Effect::Role { group: self.group, role, term, leader, conf });
    }

    /// Everything anyone waits for here is answered: the replica is gone.
    pub(super) fn abandon(&mut self, out: &mut Vec<Effect>) {
        for (ticket, ..) in self.asked.drain(..) {
            out.push(Effect::Answer { ticket, outcome: Outcome::NotRun });
        }
        self.proposals.abandon(out);
        self.reads.abandon(out);
        self.release_snapshots(out);
    }

    /// The write that forgets the replica's log.
    pub(super) fn last_append(id: ReplicaId) -> ReplicaAppend {
        ReplicaAppend { destroy: true, ..nothing_for(id) }
    }

    /// Notes that the hard state of `term` is on disk.
    pub(super) fn term_synced(&mut self, term: Option<Term>) {
        self.durable_term = self.durable_term.max(term.map_or(0, |term| term.0));
    }

    /// A snapshot is between its acceptance and its first durable log.
    pub(super) fn installing(&self) -> bool {
        self.install.is_some() || self.staged_generation.is_some()
    }
}
