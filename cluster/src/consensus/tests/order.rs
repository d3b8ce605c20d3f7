//! RAFT §1: the order of one turn.

use super::bench::{Bench, GROUP, encode, message};
use crate::consensus::*;
use raft::eraftpb::MessageType::{MsgAppendResponse, MsgHeartbeat, MsgHeartbeatResponse, MsgRequestVoteResponse};
use std::time::Duration;
use wire::ids::{ReplicaId, Term};

#[test]
fn three_replicas_elect_and_commit() {
    let mut bench = Bench::of(3);
    bench.elect(2);
    let ticket = bench.propose(2, "one");
    bench.run();
    bench.tick();
    assert_eq!(bench.answer(ticket), Some(&Outcome::Committed(bench.view(2).commit)));
    for id in 1..=3 {
        let view = bench.view(id);
        assert_eq!((view.leader, view.applied), (Some(ReplicaId(2)), view.commit));
    }
    let carried = bench.applied.iter().filter(|(_, entry)| entry.ticket == Some(ticket));
    assert_eq!(carried.map(|(id, _)| *id).collect::<Vec<_>>(), [2], "only the proposer knows the ticket");
}

/// §1.4g, §1.6: an acknowledgement leaves after the fsync of what it acknowledges.
#[test]
fn an_acknowledgement_waits_for_its_fsync() {
    let mut bench = Bench::of(3);
    bench.elect(1);
    bench.at(2).holds_syncs = true;
    bench.propose(1, "one");
    bench.run();
    assert!(!bench.at(2).written.is_empty());
    assert!(!bench.kinds(2).contains(&MsgAppendResponse));
    bench.sync(2);
    assert!(bench.kinds(2).contains(&MsgAppendResponse));
}

/// §1.6, P28: a ready with nothing to write waits with the one that is outstanding, since reporting it reports all.
#[test]
fn an_empty_ready_is_not_reported_over_an_outstanding_one() {
    let mut bench = Bench::of(3);
    bench.elect(1);
    bench.at(2).holds_syncs = true;
    bench.propose(1, "one");
    bench.run();
    let term = bench.view(1).term;
    let heartbeat = message(MsgHeartbeat, 1, 2, term.0);
    bench.give(2, Input::Message { group: GROUP, to: ReplicaId(2), bytes: encode(&heartbeat) });
    assert!(bench.kinds(2).is_empty(), "{:?}", bench.kinds(2));
    bench.sync(2);
    // To the entry, to the append that brought the commit, to the heartbeat.
    assert_eq!(bench.kinds(2), [MsgAppendResponse, MsgAppendResponse, MsgHeartbeatResponse]);
    // With nothing outstanding it needs no batch at all.
    bench.at(2).outbox.clear();
    bench.sync(2);
    bench.at(2).outbox.clear();
    bench.give(2, Input::Message { group: GROUP, to: ReplicaId(2), bytes: encode(&heartbeat) });
    assert_eq!(bench.kinds(2), [MsgHeartbeatResponse]);
    assert!(bench.at(2).written.is_empty());
}

/// §1.4e: what a follower hands to the state is on its own disk.
#[test]
fn nothing_is_applied_before_it_is_on_our_disk() {
    let mut bench = Bench::of(3);
    bench.elect(1);
    bench.at(1).holds_syncs = true;
    let ticket = bench.propose(1, "one");
    bench.run();
    let view = bench.view(1);
    assert_eq!(view.commit, view.last, "the followers are a quorum");
    assert_eq!(bench.answer(ticket), None, "but our own fsync is missing");
    bench.at(1).holds_syncs = false;
    bench.run();
    assert_eq!(bench.answer(ticket), Some(&Outcome::Committed(view.last)));
}

/// §2: the commit index is kept like the vote, also when only it moved; then order is enough, no fsync (§1.5).
#[test]
fn a_commit_that_moves_alone_is_written_too() {
    let mut bench = Bench::of(3);
    bench.elect(1);
    bench.at(2).holds_syncs = true;
    bench.propose(1, "one");
    bench.run();
    let commit = bench.view(1).commit;
    let (_, batch, sync) = bench.at(2).written.last().expect("a write");
    assert_eq!((batch.appends[0].entries.len(), *sync), (0, Sync::Order));
    assert_eq!(batch.appends[0].hard_state.map(|hard_state| hard_state.commit), Some(commit));
}

/// §1.3: missed ticks are dropped.
#[test]
fn missed_ticks_are_not_made_up() {
    let mut bench = Bench::of(3);
    bench.elect(1);
    bench.cut.insert(2);
    bench.now += Duration::from_secs(30);
    for _ in 0..11 {
        bench.give(2, Input::Tick);
    }
    assert_eq!(bench.view(2).role, Role::Follower, "30 s of silence are one tick, however often it rings");
    let next = bench.stands[&2].core.next_tick();
    assert_eq!(next, bench.now + bench.settings.tick);
}

/// §5 of the paper, §1.6 here: a vote is on disk before it leaves, and holds after a restart.
#[test]
fn a_vote_is_durable_before_it_leaves() {
    let mut bench = Bench::of(3);
    bench.wait_out_refusals();
    bench.at(3).holds_syncs = true;
    let ask = |from| {
        let mut ask = message(raft::eraftpb::MessageType::MsgRequestVote, from, 3, 5);
        (ask.index, ask.log_term) = (9, 4);
        Input::Message { group: GROUP, to: ReplicaId(3), bytes: encode(&ask) }
    };
    bench.give(3, ask(1));
    assert!(bench.kinds(3).is_empty());
    bench.sync(3);
    assert_eq!(bench.kinds(3), [MsgRequestVoteResponse]);
    bench.restart(3);
    bench.wait_out_refusals();
    bench.give(3, ask(2));
    bench.sync(3);
    let answers: Vec<_> = bench.at(3).outbox.iter().map(|(_, bytes)| super::bench::decode(bytes).reject).collect();
    assert_eq!(answers, [true], "it voted for 1 in this term");
    assert_eq!(bench.view(3).term, Term(5));
}
