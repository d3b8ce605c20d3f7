//! RAFT §3, P16: snapshots, purge, and the one crash between two disks.

use super::bench::{Bench, GROUP, encode, message};
use crate::consensus::*;
use raft::eraftpb::MessageType::MsgTimeoutNow;
use wire::ids::{Index, ReplicaId};

fn small() -> Settings {
    Settings { window_bytes_max: 2_000, ..Settings::default() }
}

/// A group of three whose third misses so much that only a snapshot helps; stops when the leader streams it.
fn third_behind() -> (Bench, StagedSnapshot) {
    let mut bench = Bench::with(3, small());
    bench.elect(1);
    bench.cut.insert(3);
    for _ in 0..40 {
        bench.propose(1, "some text that fills the log");
        bench.run();
    }
    bench.cut.clear();
    for at in 0..40 {
        bench.tick();
        for effect in std::mem::take(&mut bench.at(1).effects) {
            match effect {
                Effect::Build { group } => {
                    let StateSeed { applied, applied_term, conf } = bench.at(1).state.clone();
                    let id = SnapshotId(7);
                    bench.give(
                        1,
                        Input::SnapshotBuilt(SnapshotHandle { group, id, index: applied, term: applied_term, conf }),
                    );
                }
                Effect::Stream { group, to, snapshot, message } => {
                    assert_eq!((to, snapshot), (ReplicaId(3), SnapshotId(7)));
                    return (bench, StagedSnapshot { group, replica: to, generation: Generation(at), message });
                }
                _ => {}
            }
        }
    }
    panic!("no snapshot is streamed");
}

fn flips(bench: &Bench, id: u64) -> usize {
    bench.stands[&id].effects.iter().filter(|effect| matches!(effect, Effect::Flip { .. })).count()
}

/// §3: purged by bytes, only below what is flushed; if the state is not flushed, a flush is asked for, once.
#[test]
fn the_log_is_purged_only_below_what_is_flushed() {
    let mut bench = Bench::with(1, small());
    bench.elect(1);
    bench.at(1).holds_applies = true;
    let flushed = bench.view(1).flushed;
    for _ in 0..40 {
        bench.propose(1, "some text that fills the log");
        bench.run();
        let applied = bench.at(1).to_apply.last().map(|entry| entry.index);
        if let Some(index) = applied {
            bench.give(1, Input::Applied { group: GROUP, index });
        }
    }
    bench.sync(1);
    assert!(bench.view(1).log_bytes > 2_000);
    assert!(bench.at(1).disk.start.index <= flushed);
    let asked = bench.at(1).effects.iter().filter(|effect| matches!(effect, Effect::Flush { .. })).count();
    assert_eq!(asked, 1);
    let index = bench.view(1).applied;
    bench.give(1, Input::Flushed { group: GROUP, index });
    bench.run();
    assert!(bench.view(1).log_bytes <= 2_000);
    let start = bench.at(1).disk.start.index;
    assert!(start > flushed && start <= index, "{start}");
    assert!(bench.at(1).disk.entries.first().is_none_or(|first| first.index.0 == start.0 + 1));
}

/// §3: state first, log second: no write of the group leaves before the flip, and the reset is the first that does.
#[test]
fn the_flip_comes_before_the_reset_and_holds_every_write() {
    let (mut bench, staged) = third_behind();
    bench.at(3).holds_syncs = true;
    let generation = staged.generation;
    bench.sync(3);
    bench.give(3, Input::Staged(staged));
    assert_eq!(flips(&bench, 3), 1);
    assert!(bench.at(3).written.is_empty() && bench.at(3).outbox.is_empty());
    assert!(bench.view(3).installing);
    // A heartbeat of a new term would be written at once; now it waits.
    let beat = message(raft::eraftpb::MessageType::MsgHeartbeat, 1, 3, bench.view(1).term.0 + 1);
    bench.give(3, Input::Message { group: GROUP, to: ReplicaId(3), bytes: encode(&beat) });
    assert!(bench.at(3).written.is_empty() && bench.at(3).outbox.is_empty());
    bench.give(3, Input::Flipped { group: GROUP, generation: Generation(99_999) });
    assert!(bench.at(3).written.is_empty(), "another generation is not meant");
    bench.give(3, Input::Flipped { group: GROUP, generation });
    let first = &bench.at(3).written[0].1.appends[0];
    assert!(first.reset.is_some() && first.hard_state.is_some());
    assert!(bench.at(3).outbox.is_empty(), "and its messages wait for the fsync");
    assert!(bench.view(3).installing);
    bench.sync(3);
    assert!(!bench.view(3).installing);
    assert!(!bench.at(3).outbox.is_empty());
    assert_eq!(bench.view(3).applied, bench.view(3).commit);
}

/// §3: between accepting a snapshot and standing on it any campaign panics: no tick, no time-out-now, no second one.
#[test]
fn nothing_campaigns_while_a_snapshot_installs() {
    let (mut bench, staged) = third_behind();
    let (second, generation) = (StagedSnapshot { generation: Generation(5_000), ..staged.clone() }, staged.generation);
    bench.turn(3, vec![Input::Staged(staged), Input::Staged(second)]);
    let discarded = |effect: &Effect| matches!(effect, Effect::Discard { generation: Generation(5_000), .. });
    assert!(bench.at(3).effects.iter().any(discarded));
    bench.cut.insert(3);
    (0..60).for_each(|_| bench.tick_alone(3));
    let now = message(MsgTimeoutNow, 1, 3, bench.view(1).term.0);
    bench.give(3, Input::Message { group: GROUP, to: ReplicaId(3), bytes: encode(&now) });
    assert_eq!(bench.view(3).role, Role::Follower);
    bench.give(3, Input::Flipped { group: GROUP, generation });
    (0..60).for_each(|_| bench.tick_alone(3));
    assert_eq!(bench.view(3).role, Role::Follower, "the reset is not on disk yet");
    bench.cut.clear();
    bench.ticks(20);
    assert_eq!(bench.view(3).applied, bench.view(1).applied);
}

/// A staged snapshot that the library does not want, or that is for another replica, is thrown away.
#[test]
fn an_unwanted_snapshot_is_discarded() {
    let (mut bench, staged) = third_behind();
    let stranger = StagedSnapshot { replica: ReplicaId(8), generation: Generation(800), ..staged.clone() };
    let nonsense =
        StagedSnapshot { message: bytes::Bytes::from_static(b"\xff"), generation: Generation(801), ..staged.clone() };
    bench.turn(3, vec![Input::Staged(stranger), Input::Staged(nonsense)]);
    let nobody = StagedSnapshot { group: wire::ids::GroupId(77), generation: Generation(802), ..staged.clone() };
    bench.give(3, Input::Staged(nobody));
    assert_eq!(discarded(&bench), [800, 801, 802]);
    bench.give(3, Input::Staged(staged.clone()));
    bench.carry_snapshots();
    let again = StagedSnapshot { generation: Generation(803), ..staged };
    bench.give(3, Input::Staged(again));
    assert_eq!(discarded(&bench), [803], "it stands there already");
}

fn discarded(bench: &Bench) -> Vec<u64> {
    let generation = |effect: &Effect| match effect {
        Effect::Discard { generation, .. } => Some(generation.0),
        _ => None,
    };
    bench.stands[&3].effects.iter().filter_map(generation).collect()
}

/// §3: the library never leaves `Snapshot` by itself; our deadline does.
#[test]
fn a_lost_snapshot_is_given_up_by_deadline() {
    let (mut bench, _) = third_behind();
    let state = |bench: &Bench| bench.view(1).peers.iter().find(|peer| peer.replica.0 == 3).map(|peer| peer.state);
    assert_eq!(state(&bench), Some(PeerState::Snapshot));
    bench.ticks(20);
    assert_eq!(state(&bench), Some(PeerState::Snapshot));
    bench.now += bench.settings.snapshot_max;
    bench.ticks(40);
    let again = bench.at(1).effects.iter().any(|effect| matches!(effect, Effect::Stream { .. } | Effect::Build { .. }));
    assert!(again, "it is tried again");
}

/// The log from the snapshot on is held while it streams, however much is written.
#[test]
fn a_stream_holds_the_log_behind_it() {
    let (mut bench, _) = third_behind();
    let held = bench.at(1).disk.start.index;
    for _ in 0..60 {
        bench.propose(1, "some text that fills the log");
        bench.run();
    }
    let start = bench.at(1).disk.start.index;
    let built = bench.at(1).disk.entries.first().map(|entry| entry.index.0 - 1);
    assert!(start >= held && built == Some(start.0));
    assert!(bench.view(1).log_bytes > 2_000, "more than the window, for the stream's sake");
}

/// §5: a proposal that a snapshot skipped stays unknown.
#[test]
fn a_proposal_skipped_by_a_snapshot_is_unknown() {
    let mut bench = Bench::with(3, small());
    bench.elect(1);
    bench.cut.insert(1);
    let ticket = bench.propose(1, "whose?");
    bench.run();
    bench.elect(2);
    for _ in 0..40 {
        bench.propose(2, "some text that fills the log");
        bench.run();
    }
    bench.cut.clear();
    for _ in 0..60 {
        bench.tick();
        bench.carry_snapshots();
    }
    assert_eq!(bench.answer(ticket), Some(&Outcome::Unknown));
    assert_eq!(bench.view(1).applied, bench.view(2).applied);
    assert!(bench.view(1).applied > Index(30));
}
