//! RAFT §1.2: what is dropped before the library sees it.

use super::bench::{Bench, GROUP, encode, message};
use crate::consensus::*;
use bytes::Bytes;
use raft::eraftpb::MessageType::{
    MsgAppend, MsgPropose, MsgRequestPreVote, MsgRequestVote, MsgSnapshot, MsgTimeoutNow, MsgTransferLeader,
};
use raft::eraftpb::{Entry, Message};
use wire::ids::ReplicaId;

fn hear(bench: &mut Bench, at: u64, message: &Message) {
    bench.give(at, Input::Message { group: GROUP, to: ReplicaId(message.to), bytes: encode(message) });
}

/// A follower would pass it on and answer `Ok` without an index.
#[test]
fn proposals_of_peers_are_dropped() {
    let mut bench = Bench::of(3);
    bench.elect(1);
    let last = bench.view(1).last;
    let mut propose = message(MsgPropose, 2, 1, 0);
    propose.set_entries(vec![Entry { data: Bytes::from_static(b"smuggled"), ..Entry::default() }].into());
    hear(&mut bench, 1, &propose);
    propose.to = 2;
    propose.from = 3;
    hear(&mut bench, 2, &propose);
    bench.run();
    assert_eq!(bench.view(1).last, last);
}

#[test]
fn messages_for_another_replica_are_dropped() {
    let mut bench = Bench::of(3);
    bench.elect(1);
    let term = bench.view(2).term;
    let mut append = message(MsgAppend, 1, 7, term.0 + 3);
    hear(&mut bench, 2, &append);
    append.to = 2;
    bench.give(2, Input::Message { group: GROUP, to: ReplicaId(7), bytes: encode(&append) });
    bench.give(2, Input::Message { group: GROUP, to: ReplicaId(2), bytes: Bytes::from_static(b"\xff\xff\xff") });
    assert_eq!(bench.view(2).term, term);
}

/// A snapshot comes with its rows or not at all; only our own side asks for a transfer.
#[test]
fn snapshots_and_transfers_do_not_come_as_messages() {
    let mut bench = Bench::of(3);
    bench.elect(1);
    let term = bench.view(2).term;
    let mut snapshot = message(MsgSnapshot, 1, 2, term.0);
    snapshot.mut_snapshot().mut_metadata().index = 1000;
    hear(&mut bench, 2, &snapshot);
    assert!(bench.at(2).effects.iter().all(|effect| !matches!(effect, Effect::Flip { .. })));
    hear(&mut bench, 1, &message(MsgTransferLeader, 2, 1, term.0));
    bench.run();
    assert_eq!(bench.view(1).role, Role::Leader);
}

/// P25: a replica that just started refuses votes and pre-votes for one longest election time-out.
#[test]
fn votes_are_refused_after_a_start() {
    let mut bench = Bench::of(3);
    for kind in [MsgRequestVote, MsgRequestPreVote] {
        let mut ask = message(kind, 1, 3, 9);
        (ask.index, ask.log_term) = (9, 8);
        hear(&mut bench, 3, &ask);
        bench.sync(3);
        assert!(bench.at(3).outbox.is_empty());
        assert_eq!(bench.view(3).term.0, 1, "not even the term moves");
    }
    bench.wait_out_refusals();
    let mut ask = message(MsgRequestVote, 1, 3, 9);
    (ask.index, ask.log_term) = (9, 8);
    hear(&mut bench, 3, &ask);
    bench.sync(3);
    assert_eq!(bench.at(3).outbox.len(), 1);
}

/// P17: a damaged replica takes its seat and no part: it neither votes, nor answers, nor leads.
#[test]
fn a_damaged_replica_never_votes() {
    let mut bench = Bench::of(3);
    let seed =
        ReplicaSeed { health: Health::Damaged, ..ReplicaSeed::founder(GROUP, ReplicaId(3), (1..=3).map(ReplicaId)) };
    bench.open(seed);
    bench.elect(1);
    bench.wait_out_refusals();
    bench.ticks(60);
    let mut ask = message(MsgRequestVote, 1, 3, 9);
    (ask.index, ask.log_term) = (9, 8);
    hear(&mut bench, 3, &ask);
    hear(&mut bench, 3, &message(MsgTimeoutNow, 1, 3, 9));
    let (write, read) = (bench.propose(3, "x"), bench.read(3));
    bench.run();
    let stand = bench.at(3);
    assert!(stand.outbox.is_empty() && stand.written.is_empty());
    assert_eq!(bench.view(3).role, Role::Damaged);
    assert_eq!(bench.answer(write), Some(&Outcome::NotLeader(None)));
    assert_eq!(bench.answer(read), Some(&Outcome::NotLeader(None)));
    bench.give(3, Input::Destroy { group: GROUP, replica: ReplicaId(3) });
    assert!(bench.stands[&3].core.view(GROUP).is_none());
}
