//! What the core shows of a group.

use super::replica::Replica;
use super::seed::Conf;
use raft::{ProgressState, StateRole};
use wire::ids::{GroupId, Index, ReplicaId, Term};

/// What a replica does in its group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Follower,
    /// Asks, or asks whether to ask, to lead.
    Candidate,
    Leader,
    /// Its log is damaged: it takes no part (P17).
    Damaged,
}

/// One replica, seen from inside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupView {
    pub group: GroupId,
    pub replica: ReplicaId,
    pub role: Role,
    pub term: Term,
    /// Who leads, as far as known.
    pub leader: Option<ReplicaId>,
    /// Leads, and has applied an entry of its own term: a staged view may open (P1), changes may be proposed.
    pub serving: bool,
    pub last: Index,
    pub commit: Index,
    pub applied: Index,
    pub flushed: Index,
    pub conf: Conf,
    /// A snapshot is being made live.
    pub installing: bool,
    /// Bytes of log held in memory.
    pub log_bytes: usize,
    /// How far the others are; only on a leader, sorted by id.
    pub peers: Vec<PeerView>,
}

/// How far a peer is, as its leader knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerView {
    pub replica: ReplicaId,
    pub matched: Index,
    pub state: PeerState,
    /// Heard of within the last election time-out.
    pub active: bool,
}

/// How a leader feeds a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PeerState {
    Probe,
    Replicate,
    Snapshot,
}

pub(super) fn role_of(state: StateRole) -> Role {
    match state {
        StateRole::Follower => Role::Follower,
        StateRole::PreCandidate | StateRole::Candidate => Role::Candidate,
        StateRole::Leader => Role::Leader,
    }
}

impl Replica {
    pub(super) fn view(&self) -> GroupView {
        let raft = &self.node.raft;
        let leads = raft.state == StateRole::Leader;
        let mut peers: Vec<PeerView> = Vec::new();
        if leads {
            let others = raft.prs().iter().filter(|(id, _)| **id != self.id.0);
            peers.extend(others.map(|(id, progress)| PeerView {
                replica: ReplicaId(*id),
                matched: Index(progress.matched),
                state: match progress.state {
                    ProgressState::Probe => PeerState::Probe,
                    ProgressState::Replicate => PeerState::Replicate,
                    ProgressState::Snapshot => PeerState::Snapshot,
                },
                active: progress.recent_active,
            }));
            peers.sort_unstable_by_key(|peer| peer.replica);
        }
        GroupView {
            group: self.group,
            replica: self.id,
            role: role_of(raft.state),
            term: Term(raft.term),
            leader: self.leader(),
            serving: leads && raft.apply_to_current_term(),
            last: Index(raft.raft_log.last_index()),
            commit: Index(raft.raft_log.committed),
            applied: Index(self.applied),
            flushed: Index(self.flushed),
            conf: self.conf.clone(),
            installing: self.installing(),
            log_bytes: self.node.store().bytes(),
            peers,
        }
    }
}
