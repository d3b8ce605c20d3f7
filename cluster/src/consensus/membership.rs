//! Changes of membership: what may be proposed, and what follows when one is committed (§4).

use super::convert::conf_from_raft;
use super::effect::{Effect, Outcome, Refusal};
use super::input::{Change, Ticket};
use super::mutants::Mutant;
use super::replica::Replica;
use super::seed::Conf;
use super::settings::Settings;
use protobuf::Message as _;
use raft::eraftpb as pb;
use raft::{Changer, ProgressState, StateRole};
use wire::ids::ReplicaId;

fn single(replica: ReplicaId, kind: pb::ConfChangeType) -> pb::ConfChangeSingle {
    let mut single = pb::ConfChangeSingle { node_id: replica.0, ..pb::ConfChangeSingle::default() };
    single.set_change_type(kind);
    single
}

/// One step is a simple change; two go through a joint configuration that ends by itself (`Implicit`).
fn to_raft(change: &Change) -> pb::ConfChangeV2 {
    use pb::ConfChangeType::{AddLearnerNode, AddNode, RemoveNode};
    let steps = match *change {
        Change::AddLearner(replica) | Change::Demote(replica) => vec![single(replica, AddLearnerNode)],
        Change::Promote(replica) => vec![single(replica, AddNode)],
        Change::Remove(replica) => vec![single(replica, RemoveNode)],
        Change::Swap { into, out } => vec![single(into, AddNode), single(out, RemoveNode)],
    };
    let mut out = pb::ConfChangeV2::default();
    if steps.len() > 1 {
        out.set_transition(pb::ConfChangeTransition::Implicit);
    }
    out.set_changes(steps.into());
    out
}

impl Replica {
    /// Votes, in either half of a joint membership: only a voter may lead or read (P26).
    pub(super) fn may_lead(&self, settings: &Settings) -> bool {
        self.node.raft.promotable() || settings.mutants.has(Mutant::NonVoterLeads)
    }

    pub(super) fn change(&mut self, ticket: Ticket, change: &Change, settings: &Settings, out: &mut Vec<Effect>) {
        let outcome = match self.check(change, settings) {
            Err(outcome) => outcome,
            Ok(()) => match self.node.propose_conf_change(Vec::new(), to_raft(change)) {
                Err(_) => Outcome::NotRun,
                Ok(()) => {
                    self.remember_last(ticket);
                    return;
                }
            },
        };
        out.push(Effect::Answer { ticket, outcome });
    }

    /// §4: the library says `Ok` and silently turns a change it refuses into an empty entry, so all is checked before.
    fn check(&self, change: &Change, settings: &Settings) -> Result<(), Outcome> {
        let raft = &self.node.raft;
        if raft.state != StateRole::Leader {
            return Err(Outcome::NotLeader(self.leader()));
        }
        let conf = &self.conf;
        if raft.has_pending_conf() || !raft.apply_to_current_term() || !conf.voters_outgoing.is_empty() {
            return Err(Outcome::Refused(Refusal::ChangePending));
        }
        let sensible = match *change {
            Change::AddLearner(replica) => !conf.contains(replica),
            Change::Promote(replica) => conf.learners.contains(&replica),
            Change::Swap { into, out } => conf.learners.contains(&into) && conf.voters.contains(&out),
            Change::Demote(replica) => conf.voters.contains(&replica),
            Change::Remove(replica) => conf.contains(replica),
        };
        let change_v2 = to_raft(change);
        let mut changer = Changer::new(raft.prs());
        let possible = match change_v2.enter_joint() {
            Some(auto_leave) => changer.enter_joint(auto_leave, &change_v2.changes).is_ok(),
            None => changer.simple(&change_v2.changes).is_ok(),
        };
        if !sensible || !possible {
            return Err(Outcome::Refused(Refusal::Impossible));
        }
        // §4: never remove or demote the leader (but survive it).
        let leaver = match *change {
            Change::Swap { out, .. } => Some(out),
            Change::Demote(replica) | Change::Remove(replica) => Some(replica),
            Change::AddLearner(_) | Change::Promote(_) => None,
        };
        if leaver == Some(self.id) && !settings.leader_may_leave {
            return Err(Outcome::Refused(Refusal::Leader));
        }
        // §4: promote only when near the end of the log.
        let (Change::Promote(newcomer) | Change::Swap { into: newcomer, .. }) = *change else { return Ok(()) };
        let near = raft.prs().get(newcomer.0).is_some_and(|peer| {
            let lag = raft.raft_log.last_index().saturating_sub(peer.matched);
            // Whoever still needs a snapshot is not near, however short the log.
            let follows = peer.state != ProgressState::Snapshot && peer.matched + 1 >= raft.raft_log.first_index();
            follows && lag <= settings.promote_lag_max
        });
        if near { Ok(()) } else { Err(Outcome::Refused(Refusal::Behind)) }
    }

    /// A change is committed and on our disk: it is in force from here on, before anything behind it is handed out and
    /// before `advance_apply_to` of its index, so that a joint configuration can leave by itself (§1.7). Its
    /// membership goes to the driver with the entry, into the same state batch (§2).
    pub(super) fn apply_change(&mut self, entry: &pb::Entry, settings: &Settings) -> Conf {
        let change = match entry.get_entry_type() {
            pb::EntryType::EntryConfChange => {
                let change =
                    pb::ConfChange::parse_from_carllerche_bytes(&entry.data).expect("a committed change decodes");
                self.node.apply_conf_change(&change)
            }
            _ => {
                let change =
                    pb::ConfChangeV2::parse_from_carllerche_bytes(&entry.data).expect("a committed change decodes");
                self.node.apply_conf_change(&change)
            }
        };
        // §2: an error here means that membership and log disagree; going on would be luck.
        let conf = conf_from_raft(&change.expect("a committed change fits the membership before it"));
        self.conf = conf.clone();
        self.step_down_unless_voter(settings);
        conf
    }

    /// §4: a leader that is no voter (it was elected before it applied its own removal) panics at its next commit, or
    /// answers reads without a quorum. It stops leading at once.
    fn step_down_unless_voter(&mut self, settings: &Settings) {
        if self.node.raft.state == StateRole::Leader && !self.may_lead(settings) {
            self.step_down();
        }
    }

    pub(super) fn step_down(&mut self) {
        if self.node.raft.state == StateRole::Leader {
            let term = self.node.raft.term;
            self.node.raft.become_follower(term, raft::INVALID_ID);
        }
    }

    /// Hands leadership to a voter. Proposals are refused meanwhile; giving up is silent (§4).
    pub(super) fn transfer(&mut self, to: ReplicaId) {
        let raft = &self.node.raft;
        if raft.state == StateRole::Leader && to != self.id && raft.prs().conf().voters().contains(to.0) {
            // §6: before the library may send `MsgTimeoutNow`.
            self.forfeit_lease();
            self.node.transfer_leader(to.0);
        }
    }
}
