//! RAFT §2: what the two disks may say, and what they may not.

use super::bench::{Bench, GROUP, at};
use crate::consensus::*;
use bytes::Bytes;
use storage::log::{Entry, EntryKind, HardState, Start};
use wire::ids::{Index, ReplicaId, Term};

fn start(index: u64, term: u64) -> Start {
    let (index, term) = at(index, term);
    Start { index, term }
}

fn entry(index: u64, term: u64) -> Entry {
    let (index, term) = at(index, term);
    Entry { index, term, kind: EntryKind::Normal, data: Bytes::from_static(b"x"), context: Bytes::new() }
}

fn hard_state(term: u64, vote: u64, commit: u64) -> HardState {
    HardState { term: Term(term), vote: ReplicaId(vote), commit: Index(commit) }
}

fn seed(log: LogSeed, applied: u64, term: u64) -> ReplicaSeed {
    let (applied, applied_term) = at(applied, term);
    let conf = Conf::of_voters((1..=3).map(ReplicaId));
    ReplicaSeed {
        group: GROUP,
        replica: ReplicaId(1),
        log,
        state: StateSeed { applied, applied_term, conf },
        health: Health::Whole,
    }
}

fn log(from: (u64, u64), entries: Vec<Entry>, hard_state: HardState) -> LogSeed {
    LogSeed { start: start(from.0, from.1), entries, hard_state }
}

fn open(seed: ReplicaSeed) -> Result<Core, Damage> {
    Core::open(Settings::default(), vec![seed], std::time::Duration::ZERO)
}

#[test]
fn contradictions_are_damage_and_named() {
    let cases = [
        ("a gap", seed(log((4, 1), vec![entry(5, 1), entry(7, 1)], hard_state(1, 0, 5)), 4, 1), "follows"),
        ("a stale tail", seed(log((4, 1), vec![entry(5, 3), entry(6, 2)], hard_state(3, 0, 4)), 4, 1), "falls"),
        ("a forgotten term", seed(log((4, 1), vec![entry(5, 3)], hard_state(2, 0, 4)), 4, 1), "hard state"),
        ("a lost tail", seed(log((4, 1), vec![entry(5, 1)], hard_state(1, 0, 9)), 4, 1), "behind the last entry"),
        ("purged too far", seed(log((9, 1), vec![], hard_state(1, 0, 9)), 4, 1), "starts behind"),
        (
            "another history",
            seed(log((4, 1), vec![entry(5, 1), entry(6, 1)], hard_state(2, 0, 6)), 5, 2),
            "committed log",
        ),
    ];
    for (name, seed, says) in cases {
        let damage = open(seed).err().unwrap_or_else(|| panic!("{name} opens"));
        assert!(damage.to_string().contains(says), "{name}: {damage}");
        assert_eq!((damage.group, damage.replica), (GROUP, ReplicaId(1)));
    }
}

/// `applied` > `commit` would panic inside the library: the commit is raised to what is applied, never lowered.
#[test]
fn commit_is_the_greater_of_kept_and_applied() {
    let entries = vec![entry(5, 1), entry(6, 1), entry(7, 1)];
    let core = open(seed(log((4, 1), entries.clone(), hard_state(1, 0, 4)), 6, 1)).expect("opens");
    assert_eq!(core.view(GROUP).expect("a view").commit, Index(6));
    let core = open(seed(log((4, 1), entries, hard_state(1, 0, 7)), 6, 1)).expect("opens");
    assert_eq!(core.view(GROUP).expect("a view").commit, Index(7));
}

/// A crash between a snapshot's flip and the reset of the log: the log begins again at the state, the vote stays.
#[test]
fn a_flip_without_its_reset_is_repaired() {
    let mut core = open(seed(log((4, 1), vec![entry(5, 1)], hard_state(6, 2, 5)), 90, 5)).expect("opens");
    let view = core.view(GROUP).expect("a view");
    assert_eq!((view.last, view.commit, view.applied, view.term), (Index(90), Index(90), Index(90), Term(6)));
    let mut out = Vec::new();
    core.turn(Vec::new(), std::time::Duration::ZERO, &mut out);
    let append = out.iter().find_map(|effect| match effect {
        Effect::Append { batch, sync: Sync::Disk, .. } => batch.appends.first(),
        _ => None,
    });
    let append = append.expect("the repair is written first");
    assert_eq!(append.reset, Some(start(90, 5)));
    assert_eq!(append.hard_state, Some(hard_state(6, 2, 90)));
}

/// The term that came with the snapshot was held back with the reset: it is taken from the state, without a vote.
#[test]
fn a_repaired_log_is_never_in_an_older_term_than_its_state() {
    let mut core = open(seed(log((4, 1), vec![], hard_state(3, 2, 4)), 90, 5)).expect("opens");
    let mut out = Vec::new();
    core.turn(Vec::new(), std::time::Duration::ZERO, &mut out);
    let hard_states = out.iter().filter_map(|effect| match effect {
        Effect::Append { batch, .. } => batch.appends[0].hard_state,
        _ => None,
    });
    assert_eq!(hard_states.collect::<Vec<_>>(), [hard_state(5, 0, 90)]);
}

/// Founders begin at (1, 1) with the log cut there; an empty joiner can never replay its way to a membership.
#[test]
fn founders_begin_behind_one_and_joiners_know_nobody() {
    let bench = Bench::of(3);
    assert_eq!(bench.view(1).last, Index(1));
    let mut joiner = Bench::of(0);
    joiner.open(ReplicaSeed::joiner(GROUP, ReplicaId(9)));
    joiner.wait_out_refusals();
    joiner.ticks(100);
    let view = joiner.view(9);
    assert_eq!((view.role, view.last, view.term), (Role::Follower, Index(0), Term(0)));
    assert_eq!(view.conf, Conf::default());
}

/// A kept commit covers a change of membership that is not applied yet: no campaign under the old membership.
#[test]
fn nobody_campaigns_over_a_committed_change_it_has_not_applied() {
    let mut bench = Bench::of(1);
    bench.elect(1);
    bench.at(1).holds_applies = true;
    bench.change(1, Change::AddLearner(ReplicaId(2)));
    bench.run();
    bench.tick();
    assert_eq!(bench.view(1).commit, bench.view(1).last);
    bench.restart(1);
    bench.at(1).holds_applies = true;
    bench.ticks(60);
    assert_eq!(bench.view(1).role, Role::Follower, "the change is handed out again, and not applied");
    bench.at(1).holds_applies = false;
    bench.ticks(30);
    assert_eq!(bench.view(1).role, Role::Leader);
    assert_eq!(bench.view(1).conf.learners, [ReplicaId(2)]);
}

/// §2: rows and membership roll back together, and entries apply again.
#[test]
fn what_was_not_flushed_is_applied_again() {
    let mut bench = Bench::of(1);
    bench.elect(1);
    let before = bench.at(1).state.clone();
    for text in ["a", "b"] {
        bench.propose(1, text);
        bench.run();
    }
    let after = bench.view(1).applied;
    bench.at(1).state = before.clone();
    bench.applied.clear();
    bench.restart(1);
    bench.run();
    let again: Vec<_> = bench.applied.iter().map(|(_, entry)| entry.index.0).collect();
    assert_eq!(again.first(), Some(&(before.applied.0 + 1)));
    assert!(bench.view(1).applied >= after || bench.view(1).commit >= after);
}
