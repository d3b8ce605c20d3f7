//! What comes in: peers' messages, proposals, ticks. Dropped *before* the library sees it: everything in §1.2.

use super::effect::{Effect, Outcome};
use super::input::Ticket;
use super::mutants::Mutant;
use super::replica::Replica;
use super::settings::Settings;
use bytes::Bytes;
use protobuf::Message as _;
use raft::StateRole;
use raft::eraftpb as pb;
use raft::eraftpb::MessageType::{
    MsgPropose, MsgRequestPreVote, MsgRequestVote, MsgSnapshot, MsgTimeoutNow, MsgTransferLeader,
};
use std::time::Duration;
use wire::ids::{ReplicaId, Term};

impl Replica {
    /// A peer's message. Errors of the library are not failures: a late answer of a removed replica, a local kind.
    pub(super) fn step(&mut self, to: ReplicaId, bytes: &Bytes, now: Duration, settings: &Settings) {
        let Ok(message) = pb::Message::parse_from_carllerche_bytes(bytes) else {
            tracing::warn!(group = %self.group, "a peer's message does not decode");
            return;
        };
        // §4: replica ids are used once; a message for another one is not for us.
        if to != self.id || message.to != self.id.0 || message.from == raft::INVALID_ID {
            return;
        }
        let mutants = settings.mutants;
        let dropped = match message.get_msg_type() {
            // A follower would forward it silently, `Ok(())` without an index (§1.2).
            MsgPropose => !mutants.has(Mutant::PeersPropose),
            // Only our own side asks for a transfer.
            MsgTransferLeader => true,
            // Comes through `Staged`, with its rows (§3).
            MsgSnapshot => true,
            // P25: whoever just started may have granted a lease in the life before.
            MsgRequestVote | MsgRequestPreVote => now < self.refuse_votes_until && !mutants.has(Mutant::NoRefusal),
            // §3, §4: it would campaign.
            MsgTimeoutNow => self.must_not_campaign(settings),
            _ => false,
        };
        if dropped {
            return;
        }
        if message.get_msg_type() == MsgTimeoutNow {
            self.forfeit_lease();
        }
        let _ = self.node.step(message);
    }

    /// §3: between accepting a snapshot and applying it any campaign panics. §4: so does one of a follower left as sole
    /// voter before its tail is synced. A *leader* with an unsynced tail ticks on: its learners need its heartbeats.
    fn must_not_campaign(&self, settings: &Settings) -> bool {
        if self.installing() && !settings.mutants.has(Mutant::TickInstalling) {
            return true;
        }
        let raft = &self.node.raft;
        let sole = raft.prs().is_singleton() && raft.promotable() && raft.state != StateRole::Leader;
        sole && raft.raft_log.persisted < raft.raft_log.last_index() && !settings.mutants.has(Mutant::SoleVoterTicks)
    }

    /// At most one a turn (§1.3).
    pub(super) fn tick(&mut self, now: Duration, settings: &Settings, out: &mut Vec<Effect>) {
        self.reads.expire(now, settings, out);
        self.expire_snapshots(now, settings);
        if self.must_not_campaign(settings) {
            return;
        }
        // A group of one need not wait for anybody's silence.
        let raft = &self.node.raft;
        if std::mem::take(&mut self.fresh) && raft.prs().is_singleton() && raft.promotable() {
            let _ = self.node.campaign();
            return;
        }
        if !settings.mutants.has(Mutant::RandomTimeouts) {
            let timeout = self.election_timeout(settings);
            self.node.raft.set_randomized_election_timeout(timeout);
        }
        if self.node.tick() && self.node.raft.state != StateRole::Leader {
            self.campaigns += 1;
        }
    }

    /// §7: the library's only random number, replaced by one that a seed decides. Set before every tick.
    fn election_timeout(&self, settings: &Settings) -> usize {
        let ticks = settings.election_ticks as u64;
        let parts = [settings.seed, self.id.0, self.node.raft.term, self.campaigns];
        (ticks + parts.into_iter().fold(0, mix) % ticks) as usize
    }

    /// This turn's proposals, as one message to each peer. Refused unless leader in exactly their term (§5).
    pub(super) fn propose_all(&mut self, out: &mut Vec<Effect>) {
        let (leads, term) = (self.node.raft.state == StateRole::Leader, Term(self.node.raft.term));
        let mut entries = Vec::with_capacity(self.asked.len());
        let mut tickets = Vec::with_capacity(self.asked.len());
        for (ticket, asked_in, data) in std::mem::take(&mut self.asked) {
            if !leads || asked_in != term {
                out.push(Effect::Answer { ticket, outcome: Outcome::NotLeader(self.leader()) });
                continue;
            }
            tickets.push(ticket);
            entries.push(pb::Entry { data, ..pb::Entry::default() });
        }
        if entries.is_empty() {
            return;
        }
        let mut message = pb::Message::default();
        message.set_msg_type(MsgPropose);
        message.from = self.id.0;
        message.set_entries(entries.into());
        let first = self.node.raft.raft_log.last_index() + 1;
        // §4, §5: dropped during a transfer or beyond the uncommitted bytes; then none of it is in any log.
        let taken = self.node.raft.step(message).is_ok();
        for (place, ticket) in tickets.into_iter().enumerate() {
            if taken {
                self.proposals.remember(first + place as u64, term.0, ticket);
            } else {
                out.push(Effect::Answer { ticket, outcome: Outcome::NotRun });
            }
        }
    }

    /// §5: what was just proposed lies at the end of the log, in this term.
    pub(super) fn remember_last(&mut self, ticket: Ticket) {
        let raft = &self.node.raft;
        self.proposals.remember(raft.raft_log.last_index(), raft.term, ticket);
    }
}

/// One round of splitmix64 over an accumulator.
fn mix(state: u64, part: u64) -> u64 {
    let mut z = state.wrapping_add(part).wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}
