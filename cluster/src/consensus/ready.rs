//! The ready loop of one replica, in exactly the order of RAFT §1.4.

use super::convert::hard_state_to_log;
use super::effect::{BatchId, Committed, Effect, Happening};
use super::memory::Memory;
use super::mutants::Mutant;
use super::replica::Replica;
use super::restart::nothing_for;
use super::settings::Settings;
use super::unsynced::Pending;
use bytes::Bytes;
use protobuf::Message as _;
use raft::eraftpb as pb;
use std::time::Duration;
use wire::ids::{Index, ReplicaId, Term};

impl Replica {
    /// Runs until nothing is ready (§1.8). What it has to write gathers in `append`, to go with batch `forming`.
    pub(super) fn settle(&mut self, now: Duration, forming: BatchId, settings: &Settings, out: &mut Vec<Effect>) {
        self.propose_all(out);
        loop {
            self.start_round(now, settings);
            if !self.node.has_ready() {
                break;
            }
            self.one_ready(now, forming, settings, out);
        }
        self.show_role(out);
        self.ask_for_snapshot(now, settings, out);
        self.trim(settings, out);
    }

    fn one_ready(&mut self, now: Duration, forming: BatchId, settings: &Settings, out: &mut Vec<Effect>) {
        let mut ready = self.node.ready();
        let number = ready.number();
        // a. Note role and term.
        self.show_role(out);
        // b. A leader's messages leave at once, unless the hard state of this term is not durable here: a sole voter
        //    wins and speaks in the same ready, and after a crash it would lead the same term again (§4, P27).
        let mut held = Vec::new();
        let messages = ready.take_messages();
        let term_is_durable = self.durable_term >= self.node.raft.term;
        if term_is_durable || settings.mutants.has(Mutant::SoleVoterSends) {
            self.send(messages, now, settings, out);
        } else {
            held = messages;
        }
        // c.
        let states = ready.take_read_states();
        self.take_read_states(states, settings, out);
        // d. to f. One atomic write: entries, cut and hard state, the hard state also when only `commit` moved (§2).
        if !ready.snapshot().is_empty() {
            let metadata = ready.snapshot().get_metadata().clone();
            self.begin_install(&metadata, forming, out);
        }
        let committed = ready.take_committed_entries();
        let entries = ready.take_entries();
        self.write(&entries, ready.hs(), ready.must_sync());
        // g. These leave only after the write is on disk (§1.6).
        held.append(&mut ready.take_persisted_messages());
        // h. Memory answers for all of it; only now the library may go on.
        self.node.mut_store().append(&entries);
        self.node.advance_append_async(ready);
        self.wait_for_sync(Pending { batch: None, number, messages: held }, now, forming, settings, out);
        self.hand_out(committed, settings, out);
    }

    fn write(&mut self, entries: &[pb::Entry], hard_state: Option<&pb::HardState>, must_sync: bool) {
        if entries.is_empty() && hard_state.is_none() {
            return;
        }
        let append = self.append.get_or_insert_with(|| nothing_for(self.id));
        if let Some(first) = entries.first() {
            // A later ready of the same turn may cut what an earlier one wrote.
            let keep = append.entries.partition_point(|entry| entry.index.0 < first.index);
            append.entries.truncate(keep);
            append.entries.extend(Memory::entries_to_log(entries));
        }
        if let Some(hard_state) = hard_state {
            append.hard_state = Some(hard_state_to_log(hard_state));
        }
        self.append_must_sync |= must_sync;
    }

    /// Which write a ready waits for. P28: reporting one reports all before it, so one with nothing to write is
    /// reported at once only if none is outstanding; else it waits with the newest.
    fn wait_for_sync(
        &mut self,
        mut pending: Pending,
        now: Duration,
        forming: BatchId,
        settings: &Settings,
        out: &mut Vec<Effect>,
    ) {
        let mutants = settings.mutants;
        if mutants.has(Mutant::MessagesBeforeSync) || mutants.has(Mutant::AckBeforeSync) {
            self.send(std::mem::take(&mut pending.messages), now, settings, out);
        }
        if mutants.has(Mutant::AckBeforeSync) && self.install.is_none() {
            self.node.on_persist_ready(pending.number);
            return;
        }
        let installing = self.install.as_ref().is_some_and(|install| install.holds_writes());
        if installing {
            self.unsynced.push(pending);
        } else if self.append.is_some() {
            pending.batch = Some(forming);
            self.unsynced.push(pending);
        } else if let Some(last) = self.unsynced.last().filter(|_| !mutants.has(Mutant::EmptyShortcut)) {
            pending.batch = last.batch;
            self.unsynced.push(pending);
        } else {
            self.report(pending, now, settings, out);
        }
    }

    /// On disk: tell the library, and only then let the messages go (§1.6).
    fn report(&mut self, pending: Pending, now: Duration, settings: &Settings, out: &mut Vec<Effect>) {
        self.node.on_persist_ready(pending.number);
        self.send(pending.messages, now, settings, out);
    }

    /// Everything up to and with batch `id` is on disk.
    pub(super) fn synced(&mut self, id: BatchId, now: Duration, settings: &Settings, out: &mut Vec<Effect>) {
        for pending in self.unsynced.take_until(id) {
            self.report(pending, now, settings, out);
        }
        self.finish_install(id, out);
    }

    fn send(&mut self, messages: Vec<pb::Message>, now: Duration, settings: &Settings, out: &mut Vec<Effect>) {
        for message in messages {
            if message.get_msg_type() == pb::MessageType::MsgSnapshot {
                self.stream(message, now, settings, out);
                continue;
            }
            if message.get_msg_type() == pb::MessageType::MsgTimeoutNow {
                self.forfeit_lease();
            }
            let bytes = Bytes::from(message.write_to_bytes().expect("a message encodes"));
            out.push(Effect::Send { group: self.group, to: ReplicaId(message.to), bytes });
        }
    }

    /// e. Committed *and* persisted here (the library takes the minimum): to the state, in order.
    fn hand_out(&mut self, committed: Vec<pb::Entry>, settings: &Settings, out: &mut Vec<Effect>) {
        let Some(last) = committed.last() else { return };
        assert!(
            committed[0].index == self.emitted + 1,
            "entry {} handed out after {}",
            committed[0].index,
            self.emitted
        );
        self.emitted = last.index;
        let mut entries = Vec::with_capacity(committed.len());
        for entry in committed {
            let what = if entry.get_entry_type() != pb::EntryType::EntryNormal {
                Happening::Members(self.apply_change(&entry, settings))
            } else if entry.data.is_empty() {
                Happening::Nothing
            } else {
                Happening::Entry(entry.data.clone())
            };
            let ticket = self.proposals.committed(entry.index, entry.term, out);
            entries.push(Committed { index: Index(entry.index), term: Term(entry.term), what, ticket });
        }
        self.show_role(out);
        out.push(Effect::Apply { group: self.group, entries });
    }
}
