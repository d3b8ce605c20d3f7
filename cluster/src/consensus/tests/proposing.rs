//! RAFT §5: what becomes of a proposal.

use super::bench::{Bench, GROUP};
use crate::consensus::*;
use bytes::Bytes;
use wire::ids::{ReplicaId, Term};

#[test]
fn only_a_leader_in_exactly_that_term_takes_proposals() {
    let mut bench = Bench::of(3);
    bench.elect(1);
    let term = bench.view(1).term;
    let wrong_node = bench.propose(2, "x");
    let wrong_term = bench.ticket();
    let entry = Bytes::from_static(b"x");
    bench.give(1, Input::Propose { group: GROUP, ticket: wrong_term, entry, term: Term(term.0 - 1) });
    let hint = Some(ReplicaId(1));
    assert_eq!(bench.answer(wrong_node), Some(&Outcome::NotLeader(hint)));
    assert_eq!(bench.answer(wrong_term), Some(&Outcome::NotLeader(hint)));
}

/// A leader cut off proposes; its successor commits other entries: all of them are definitely `NotRun`, also those
/// behind the last index the successor ever writes.
#[test]
fn an_overwritten_proposal_is_definitely_not_run() {
    let mut bench = Bench::of(3);
    bench.elect(1);
    bench.cut.insert(1);
    let lost: Vec<_> = ["a", "b", "c", "d"].into_iter().map(|text| bench.propose(1, text)).collect();
    bench.run();
    bench.elect(2);
    bench.cut.clear();
    bench.ticks(12);
    for ticket in lost {
        assert_eq!(bench.answer(ticket), Some(&Outcome::NotRun));
    }
    assert_eq!(bench.view(1).leader, Some(ReplicaId(2)));
}

/// Appended and acknowledged by a quorum, but the leader is cut off before it hears: the log decides, it did run.
#[test]
fn a_proposal_that_survived_its_leader_is_committed() {
    let mut bench = Bench::of(3);
    bench.elect(1);
    bench.at(1).holds_syncs = true;
    let ticket = bench.propose(1, "kept");
    let appends = std::mem::take(&mut bench.at(1).outbox);
    for (to, bytes) in appends {
        bench.give(to.0, Input::Message { group: GROUP, to, bytes });
    }
    bench.cut.insert(1);
    bench.run();
    bench.elect(2);
    assert_eq!(bench.answer(ticket), None);
    bench.cut.clear();
    bench.at(1).holds_syncs = false;
    bench.ticks(12);
    assert!(matches!(bench.answer(ticket), Some(Outcome::Committed(_))));
}

#[test]
fn proposals_during_a_transfer_are_not_run() {
    let mut bench = Bench::of(3);
    bench.elect(1);
    bench.cut.insert(2);
    bench.propose(1, "2 is behind");
    bench.give(1, Input::Transfer { group: GROUP, to: ReplicaId(2) });
    let ticket = bench.propose(1, "x");
    assert_eq!(bench.answer(ticket), Some(&Outcome::NotRun));
}

#[test]
fn a_turns_proposals_share_one_message_and_keep_their_order() {
    let mut bench = Bench::of(3);
    bench.elect(1);
    let term = bench.view(1).term;
    let tickets: Vec<_> = (0..5).map(|_| bench.ticket()).collect();
    let ask = |ticket: &Ticket| Input::Propose { group: GROUP, ticket: *ticket, entry: Bytes::from_static(b"x"), term };
    bench.turn(1, tickets.iter().map(ask).collect());
    assert_eq!(bench.at(1).outbox.len(), 2, "one to each peer");
    bench.run();
    let indexes: Vec<_> = tickets.iter().map(|ticket| bench.answer(*ticket).cloned()).collect();
    let first = bench.view(1).commit.0 - 4;
    let expected: Vec<_> = (first..first + 5).map(|at| Some(Outcome::Committed(wire::ids::Index(at)))).collect();
    assert_eq!(indexes, expected);
}

#[test]
fn a_destroyed_replica_answers_everybody() {
    let mut bench = Bench::of(3);
    bench.elect(1);
    bench.cut.insert(1);
    let (write, read) = (bench.propose(1, "x"), bench.read(1));
    bench.run();
    bench.give(1, Input::Destroy { group: GROUP, replica: ReplicaId(9) });
    assert_eq!(bench.answer(write), None, "another replica's id destroys nothing");
    bench.give(1, Input::Destroy { group: GROUP, replica: ReplicaId(1) });
    assert_eq!(bench.answer(write), Some(&Outcome::Unknown));
    assert_eq!(bench.answer(read), Some(&Outcome::NotRun));
    let farewell = bench.at(1).written.last().map(|(_, batch, _)| batch.appends[0].destroy);
    assert_eq!(farewell, Some(true));
}
