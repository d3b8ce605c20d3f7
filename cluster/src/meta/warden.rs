//! What the leader of a group does about its membership: towards what meta has placed, one change at a time.
//!
//! Pure. Meta says who belongs to a group; the group's leader brings that about by itself, from its own log and the newest
//! topology it has. So a change half made is finished by whoever leads next, and nothing of it is kept anywhere else.

use super::Meta;
use crate::consensus::{Change, GroupView, PeerState, PeerView, Role};
use crate::topology::{Placed, Stage};
use wire::ids::{GroupId, ReplicaId};

/// The next step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    Change(Change),
    /// Leadership goes to this voter.
    HandOver(ReplicaId),
}

/// Only what meta has dropped goes: whoever leaves its group votes on until then (RAFT §4). A meta older than the replica, as a
/// node may have kept it, does not list it either, and has not given out its number yet.
pub fn has_dropped(meta: &Meta, group: GroupId, replica: ReplicaId) -> bool {
    replica < meta.topology.next_replica && !meta.topology.of(group).any(|placed| placed.replica == replica)
}

/// What the leader of `view` does next, if anything. `placed`: all of its group. `wanted`: who should lead.
pub fn next(view: &GroupView, placed: &[Placed], wanted: Option<ReplicaId>) -> Option<Act> {
    let joint = !view.conf.voters_outgoing.is_empty();
    if view.role != Role::Leader || !view.serving || joint || placed.is_empty() {
        return None;
    }
    let here = |replica: &ReplicaId| placed.iter().any(|p| p.replica == *replica && p.stage == Stage::Here);
    let mut all = placed.iter().filter(|p| p.stage == Stage::Here).map(|p| p.replica);
    if let Some(missing) = all.find(|replica| !view.conf.contains(*replica)) {
        return Some(Act::Change(Change::AddLearner(missing)));
    }
    if let Some(gone) = view.conf.learners.iter().find(|replica| !here(replica)) {
        return Some(Act::Change(Change::Remove(*gone)));
    }
    // The silent first: were one that answers let go before, it could be the one that the rest needs for a quorum.
    let leavers = view.conf.voters.iter().copied().filter(|replica| !here(replica) && *replica != view.replica);
    let leaver = leavers.min_by_key(|replica| is_heard(view, *replica));
    if let Some(ready) = view.conf.learners.iter().copied().find(|replica| near(view, *replica)) {
        let change = match leaver {
            Some(out) => Change::Swap { into: ready, out },
            None => Change::Promote(ready),
        };
        return Some(Act::Change(change));
    }
    let stays = |replica: &ReplicaId| here(replica) && *replica != view.replica && near(view, *replica);
    let heir = view.conf.voters.iter().copied().find(stays);
    if !here(&view.replica) {
        // Never removed while it leads: whoever takes over does it (RAFT §4).
        return heir.map(Act::HandOver);
    }
    // Only once all that should vote do: nobody leaves before somebody has come.
    if let Some(out) = leaver.filter(|out| view.conf.learners.is_empty() && goes_on_without(view, *out)) {
        return Some(Act::Change(Change::Remove(out)));
    }
    let better = wanted.filter(|wanted| *wanted != view.replica && view.conf.voters.contains(wanted));
    better.filter(|wanted| near(view, *wanted)).map(Act::HandOver)
}

fn is_heard(view: &GroupView, replica: ReplicaId) -> bool {
    replica == view.replica || view.peers.iter().any(|peer| peer.replica == replica && peer.active)
}

/// Those who would be left have a quorum among them that answers.
fn goes_on_without(view: &GroupView, out: ReplicaId) -> bool {
    let rest: Vec<ReplicaId> = view.conf.voters.iter().copied().filter(|replica| *replica != out).collect();
    rest.iter().filter(|replica| is_heard(view, **replica)).count() > rest.len() / 2
}

/// Follows, is heard of, and lacks next to nothing. Who has just installed a snapshot of a quiet group stays in `Probe`.
fn near(view: &GroupView, replica: ReplicaId) -> bool {
    const LAG_MAX: u64 = 64;
    let close =
        |peer: &PeerView| peer.active && peer.state != PeerState::Snapshot && peer.matched.0 + LAG_MAX >= view.last.0;
    view.peers.iter().any(|peer| peer.replica == replica && close(peer))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::consensus::Conf;
    use crate::topology::Topology;
    use wire::ids::{Index, NodeId, Term};

    fn view(leader: u64, voters: &[u64], learners: &[u64], near: &[u64]) -> GroupView {
        let ids = |ids: &[u64]| ids.iter().copied().map(ReplicaId).collect::<Vec<_>>();
        let others = voters.iter().chain(learners).filter(|id| **id != leader);
        let peer = |id: &u64| PeerView {
            replica: ReplicaId(*id),
            matched: Index(if near.contains(id) { 1000 } else { 1 }),
            state: PeerState::Replicate,
            active: true,
        };
        GroupView {
            group: GroupId(1),
            replica: ReplicaId(leader),
            role: Role::Leader,
            term: Term(2),
            leader: Some(ReplicaId(leader)),
            serving: true,
            last: Index(1000),
            commit: Index(1000),
            applied: Index(1000),
            flushed: Index(0),
            conf: Conf { voters: ids(voters), learners: ids(learners), ..Conf::default() },
            installing: false,
            log_bytes: 0,
            peers: others.map(peer).collect(),
        }
    }

    fn placed(here: &[u64], leaving: &[u64]) -> Vec<Placed> {
        let row =
            |stage| move |id: &u64| Placed { group: GroupId(1), replica: ReplicaId(*id), node: NodeId(*id), stage };
        here.iter().map(row(Stage::Here)).chain(leaving.iter().map(row(Stage::Leaving))).collect()
    }

    fn change(change: Change) -> Option<Act> {
        Some(Act::Change(change))
    }

    #[test]
    fn it_grows_one_at_a_time_and_promotes_only_who_has_caught_up() {
        let r = ReplicaId;
        assert_eq!(next(&view(1, &[1], &[], &[]), &placed(&[1], &[]), None), None);
        assert_eq!(next(&view(1, &[1], &[], &[]), &placed(&[1, 2, 3], &[]), None), change(Change::AddLearner(r(2))));
        assert_eq!(next(&view(1, &[1], &[2], &[]), &placed(&[1, 2, 3], &[]), None), change(Change::AddLearner(r(3))));
        assert_eq!(next(&view(1, &[1], &[2, 3], &[]), &placed(&[1, 2, 3], &[]), None), None, "both far behind");
        assert_eq!(next(&view(1, &[1], &[2, 3], &[3]), &placed(&[1, 2, 3], &[]), None), change(Change::Promote(r(3))));
        assert_eq!(next(&view(1, &[1, 2, 3], &[], &[2, 3]), &placed(&[1, 2, 3], &[]), None), None);
    }

    #[test]
    fn a_replica_is_replaced_without_a_moment_of_fewer_voters() {
        let (r, rows) = (ReplicaId, placed(&[1, 2, 4], &[3]));
        assert_eq!(next(&view(1, &[1, 2, 3], &[], &[2]), &rows, None), change(Change::AddLearner(r(4))));
        assert_eq!(next(&view(1, &[1, 2, 3], &[4], &[2]), &rows, None), None, "it has not caught up");
        let swap = Change::Swap { into: r(4), out: r(3) };
        assert_eq!(next(&view(1, &[1, 2, 3], &[4], &[2, 4]), &rows, None), change(swap));
        assert_eq!(next(&view(1, &[1, 2, 4], &[], &[2, 4]), &rows, None), None);
    }

    #[test]
    fn a_leader_never_removes_itself() {
        let rows = placed(&[2, 3], &[1]);
        assert_eq!(next(&view(1, &[1, 2, 3], &[], &[3]), &rows, None), Some(Act::HandOver(ReplicaId(3))));
        assert_eq!(next(&view(3, &[1, 2, 3], &[], &[2]), &rows, None), change(Change::Remove(ReplicaId(1))));
        assert_eq!(next(&view(1, &[1], &[], &[]), &placed(&[], &[1]), None), None, "nobody else is there");
    }

    /// Found by seed 752 of the cluster world: one of three was lost, the group was to shrink to one, and the wrong one went first.
    #[test]
    fn of_two_that_leave_the_silent_one_goes_first() {
        let rows = placed(&[2], &[1, 3]);
        let mut three = view(2, &[1, 2, 3], &[], &[1, 3]);
        three.peers[1].active = false;
        assert_eq!(next(&three, &rows, None), change(Change::Remove(ReplicaId(3))));
        let mut two = view(2, &[1, 2], &[], &[1]);
        assert_eq!(next(&two, &rows, None), change(Change::Remove(ReplicaId(1))));
        two.conf.voters.push(ReplicaId(3));
        assert_eq!(next(&two, &rows, None), change(Change::Remove(ReplicaId(3))), "who was never heard of is silent");
        three.peers[0].active = false;
        assert_eq!(next(&three, &rows, None), None, "nobody goes while the rest has no quorum");
    }

    #[test]
    fn leadership_goes_where_it_is_wanted_once_nothing_else_is_to_do() {
        let rows = placed(&[1, 2, 3], &[]);
        assert_eq!(next(&view(1, &[1, 2, 3], &[], &[2]), &rows, Some(ReplicaId(2))), Some(Act::HandOver(ReplicaId(2))));
        assert_eq!(next(&view(1, &[1, 2, 3], &[], &[2]), &rows, Some(ReplicaId(3))), None, "it is far behind");
        assert_eq!(next(&view(1, &[1, 2], &[3], &[2]), &rows, Some(ReplicaId(3))), None, "it does not vote yet");
    }

    #[test]
    fn an_old_meta_drops_no_replica_that_came_later() {
        let topology = Topology::founded(NodeId(1), 2);
        let mut meta = Meta { topology, nodes: vec![], data_key: [0; 32], rotation: None };
        let coming = meta.topology.next_replica;
        assert!(!has_dropped(&meta, GroupId(1), coming), "it was placed after this");
        assert_eq!(meta.topology.place(GroupId(1), NodeId(2)), coming);
        assert!(!has_dropped(&meta, GroupId(1), coming), "it is listed");
        meta.topology.placed.retain(|placed| placed.replica != coming);
        assert!(has_dropped(&meta, GroupId(1), coming), "given out, and not there any more");
    }

    #[test]
    fn whoever_does_not_lead_or_knows_nothing_does_nothing() {
        let follower = GroupView { role: Role::Follower, ..view(1, &[1], &[], &[]) };
        assert_eq!(next(&follower, &placed(&[1, 2], &[]), None), None);
        assert_eq!(next(&view(1, &[1, 2], &[], &[2]), &[], None), None, "a topology without the group is no topology");
    }
}
