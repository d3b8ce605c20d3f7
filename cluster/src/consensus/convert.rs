//! Between the library's types and ours. Entry bytes are shared, never copied.

use super::seed::Conf;
use raft::eraftpb as pb;
use storage::log::{Entry, EntryKind, HardState};
use wire::ids::{Index, ReplicaId, Term};

pub(super) fn entry_to_log(entry: &pb::Entry) -> Entry {
    Entry {
        index: Index(entry.index),
        term: Term(entry.term),
        kind: match entry.get_entry_type() {
            pb::EntryType::EntryNormal => EntryKind::Normal,
            pb::EntryType::EntryConfChange => EntryKind::Change,
            pb::EntryType::EntryConfChangeV2 => EntryKind::ChangeV2,
        },
        data: entry.data.clone(),
        context: entry.context.clone(),
    }
}

pub(super) fn entry_from_log(entry: Entry) -> pb::Entry {
    let mut out = pb::Entry::default();
    out.set_entry_type(match entry.kind {
        EntryKind::Normal => pb::EntryType::EntryNormal,
        EntryKind::Change => pb::EntryType::EntryConfChange,
        EntryKind::ChangeV2 => pb::EntryType::EntryConfChangeV2,
    });
    out.index = entry.index.0;
    out.term = entry.term.0;
    out.data = entry.data;
    out.context = entry.context;
    out
}

pub(super) fn hard_state_to_log(hard_state: &pb::HardState) -> HardState {
    HardState { term: Term(hard_state.term), vote: ReplicaId(hard_state.vote), commit: Index(hard_state.commit) }
}

pub(super) fn hard_state_from_log(hard_state: &HardState) -> pb::HardState {
    let HardState { term, vote, commit } = hard_state;
    pb::HardState { term: term.0, vote: vote.0, commit: commit.0, ..pb::HardState::default() }
}

fn sorted(ids: &[u64]) -> Vec<ReplicaId> {
    let mut ids: Vec<_> = ids.iter().map(|id| ReplicaId(*id)).collect();
    ids.sort_unstable();
    ids
}

fn plain(ids: &[ReplicaId]) -> Vec<u64> {
    ids.iter().map(|id| id.0).collect()
}

pub(super) fn conf_from_raft(conf: &pb::ConfState) -> Conf {
    Conf {
        voters: sorted(&conf.voters),
        learners: sorted(&conf.learners),
        voters_outgoing: sorted(&conf.voters_outgoing),
        learners_next: sorted(&conf.learners_next),
        auto_leave: conf.auto_leave,
    }
}

pub(super) fn conf_to_raft(conf: &Conf) -> pb::ConfState {
    let mut out = pb::ConfState::default();
    out.set_voters(plain(&conf.voters));
    out.set_learners(plain(&conf.learners));
    out.set_voters_outgoing(plain(&conf.voters_outgoing));
    out.set_learners_next(plain(&conf.learners_next));
    out.auto_leave = conf.auto_leave;
    out
}
