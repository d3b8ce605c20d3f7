//! The receiver's side of snapshots: stage first, then step; flip the state first, reset the log second (§3, P16).

use super::convert::conf_from_raft;
use super::effect::{BatchId, Effect};
use super::input::{Generation, StagedSnapshot};
use super::mutants::Mutant;
use super::replica::Replica;
use super::restart::nothing_for;
use super::settings::Settings;
use protobuf::Message as _;
use raft::eraftpb as pb;
use storage::log::Start;
use wire::ids::{Index, Term};

/// A snapshot between the library's acceptance and its first durable log.
pub(super) struct Install {
    pub(super) start: Start,
    generation: Generation,
    phase: Phase,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// The driver makes the generation live; every write of this group is held.
    Flipping,
    /// The log's reset is under way in this batch.
    Resetting(BatchId),
}

impl Install {
    pub(super) fn holds_writes(&self) -> bool {
        self.phase == Phase::Flipping
    }
}

impl Replica {
    /// All chunks lie here: now the message may be stepped. What the library does not take is thrown away.
    pub(super) fn staged(&mut self, staged: StagedSnapshot, settings: &Settings, out: &mut Vec<Effect>) {
        let discard = Effect::Discard { group: self.group, generation: staged.generation };
        // §3: no second snapshot while one installs.
        let busy = self.installing() && !settings.mutants.has(Mutant::TickInstalling);
        let message = pb::Message::parse_from_carllerche_bytes(&staged.message).ok();
        let fits =
            |message: &pb::Message| message.get_msg_type() == pb::MessageType::MsgSnapshot && message.to == self.id.0;
        let Some(message) = message.filter(fits).filter(|_| !busy && staged.replica == self.id) else {
            out.push(discard);
            return;
        };
        let _ = self.node.step(message);
        if self.node.snap().is_some() {
            self.staged_generation = Some(staged.generation);
        } else {
            out.push(discard);
        }
    }

    /// The ready that carries the snapshot: memory is the new log, the disks follow one after the other.
    pub(super) fn begin_install(&mut self, metadata: &pb::SnapshotMetadata, forming: BatchId, out: &mut Vec<Effect>) {
        let start = Start { index: Index(metadata.index), term: Term(metadata.term) };
        let generation = self.staged_generation.take().expect("a snapshot is stepped only when staged");
        self.node.mut_store().reset(start);
        // What this turn had to write before it goes after the reset or with it: never ahead of the flip.
        self.unsynced.hold(forming);
        let append = self.append.get_or_insert_with(|| nothing_for(self.id));
        append.entries.clear();
        append.reset = Some(start);
        self.proposals.skipped(metadata.index, out);
        let conf = conf_from_raft(metadata.get_conf_state());
        self.conf = conf.clone();
        self.install = Some(Install { start, generation, phase: Phase::Flipping });
        out.push(Effect::Flip { group: self.group, replica: self.id, generation, applied: start, conf });
    }

    /// The state engine has the new generation on disk: the held writes may go, the reset first.
    pub(super) fn flipped(&mut self, generation: Generation, forming: BatchId) {
        let Some(install) = self.install.as_mut().filter(|install| install.generation == generation) else { return };
        if install.phase == Phase::Flipping {
            install.phase = Phase::Resetting(forming);
            self.unsynced.release(forming);
        }
    }

    /// The log's reset is on disk too: the replica stands at the snapshot and may tick again.
    pub(super) fn finish_install(&mut self, synced: BatchId, out: &mut Vec<Effect>) {
        let done = |install: &mut Install| matches!(install.phase, Phase::Resetting(batch) if batch <= synced);
        let Some(install) = self.install.take_if(done) else { return };
        let index = install.start.index.0;
        self.emitted = index;
        self.applied_to(index, out);
        self.flushed = self.flushed.max(index);
    }
}
