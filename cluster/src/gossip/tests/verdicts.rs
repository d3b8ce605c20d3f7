//! Who is judged alive, without a clock.

use super::super::judge::{Heard, Judge, LifeId};
use super::super::member::{Health, Member};
use super::super::{TUNING, Twin};
use std::net::SocketAddr;
use std::time::Duration;
use wire::ids::{Incarnation, NodeId};

const TICK: Duration = TUNING.tick;

fn id(node: u64, incarnation: u64, place: u8) -> LifeId {
    let address = SocketAddr::from(([10, 0, node as u8, place], 7070));
    LifeId { node: NodeId(node), incarnation: Incarnation(incarnation), address }
}

fn heard(id: LifeId, heartbeat: u64) -> Heard {
    let member = Member {
        node: id.node,
        incarnation: id.incarnation,
        listen: id.address.to_string(),
        http: String::new(),
        version: String::new(),
        zone: String::new(),
    };
    Heard { id, heartbeat, member, topology_version: 0 }
}

fn judge() -> Judge {
    Judge::new(id(1, 5, 0), TUNING)
}

/// So many ticks in which these lives beat; their heartbeats rise from `from`.
fn beat(judge: &mut Judge, ids: &[LifeId], from: u64, ticks: u64) {
    for tick in 0..ticks {
        judge.look(TICK, ids.iter().map(|id| heard(*id, from + tick)));
    }
}

/// So many ticks in which chitchat knows them and nothing is heard.
fn silence(judge: &mut Judge, ids: &[LifeId], at: u64, ticks: u32) {
    for _ in 0..ticks {
        judge.look(TICK, ids.iter().map(|id| heard(*id, at)));
    }
}

fn verdicts(judge: &Judge) -> Vec<(u64, u64, Health)> {
    let others = judge.others();
    others.iter().map(|seen| (seen.member.node.0, seen.member.incarnation.0, seen.health)).collect()
}

const SUSPECT: u32 = (TUNING.suspect.as_millis() / TUNING.tick.as_millis()) as u32;

#[test]
fn who_was_never_heard_is_neither_alive_nor_dead() {
    let (mut judge, stale) = (judge(), id(2, 1, 0));
    silence(&mut judge, &[stale], 400, 10 * SUSPECT);
    assert_eq!(verdicts(&judge), []);
    // One rise, long after: another node brought old news.
    silence(&mut judge, &[stale], 401, 10 * SUSPECT);
    assert_eq!(verdicts(&judge), []);
    beat(&mut judge, &[stale], 402, 2);
    assert_eq!(verdicts(&judge), [(2, 1, Health::Alive)]);
}

#[test]
fn silence_makes_dead_and_two_heartbeats_make_alive() {
    let (mut judge, peer) = (judge(), id(2, 1, 0));
    beat(&mut judge, &[peer], 1, 20);
    silence(&mut judge, &[peer], 20, SUSPECT);
    assert_eq!(verdicts(&judge), [(2, 1, Health::Alive)], "not yet");
    silence(&mut judge, &[peer], 20, 1);
    assert_eq!(verdicts(&judge), [(2, 1, Health::Dead)]);
    assert_eq!(judge.others()[0].since, Duration::ZERO);
    silence(&mut judge, &[peer], 21, 5);
    assert_eq!(verdicts(&judge), [(2, 1, Health::Dead)], "one heartbeat may be old news");
    silence(&mut judge, &[peer], 22, 1);
    assert_eq!(verdicts(&judge), [(2, 1, Health::Alive)]);
}

#[test]
fn a_late_look_blames_nobody() {
    let (mut judge, peer) = (judge(), id(2, 1, 0));
    beat(&mut judge, &[peer], 1, 20);
    silence(&mut judge, &[peer], 20, SUSPECT);
    // This process was stopped for a minute, just before it would have called the peer dead.
    assert!(judge.look(Duration::from_secs(60), [heard(peer, 20)]));
    silence(&mut judge, &[peer], 20, SUSPECT / 2);
    assert_eq!(verdicts(&judge), [(2, 1, Health::Alive)], "half its time anew");
    silence(&mut judge, &[peer], 20, 1);
    assert_eq!(verdicts(&judge), [(2, 1, Health::Dead)], "but no more");
}

#[test]
fn on_a_starving_node_nobody_dies() {
    let (mut judge, peer) = (judge(), id(2, 1, 0));
    beat(&mut judge, &[peer], 1, 20);
    for _ in 0..100 {
        assert!(judge.look(2 * TUNING.late, [heard(peer, 20)]));
    }
    assert_eq!(verdicts(&judge), [(2, 1, Health::Alive)]);
}

#[test]
fn the_dead_are_forgotten_in_their_time() {
    let (mut judge, peer) = (judge(), id(2, 1, 0));
    beat(&mut judge, &[peer], 1, 20);
    let minutes = |judge: &mut Judge, minutes: u32| silence(judge, &[], 0, minutes * 600);
    minutes(&mut judge, 15);
    assert_eq!(verdicts(&judge), [(2, 1, Health::Dead)]);
    minutes(&mut judge, 1);
    assert_eq!(verdicts(&judge), []);
}

#[test]
fn a_later_life_stands_for_the_node_once_it_was_heard() {
    let (mut judge, old, new) = (judge(), id(2, 1, 0), id(2, 2, 0));
    beat(&mut judge, &[old], 1, 20);
    judge.look(TICK, [heard(old, 20), heard(new, 1)]);
    assert_eq!(verdicts(&judge), [(2, 1, Health::Alive)]);
    judge.look(TICK, [heard(old, 20), heard(new, 2)]);
    assert_eq!(verdicts(&judge), [(2, 2, Health::Alive)]);
    // Even if only the older one is left, as a copy of a data folder would be.
    for tick in 0..2 * u64::from(SUSPECT) {
        judge.look(TICK, [heard(old, 21 + tick), heard(new, 2)]);
    }
    assert_eq!(verdicts(&judge), [(2, 2, Health::Dead)]);
}

#[test]
fn of_copies_a_living_one_stands_for_the_node() {
    let (mut judge, first, second) = (judge(), id(2, 1, 0), id(2, 1, 1));
    beat(&mut judge, &[first, second], 1, 20);
    assert_eq!(judge.others().len(), 1);
    for tick in 0..2 * u64::from(SUSPECT) {
        judge.look(TICK, [heard(first, 20), heard(second, 21 + tick)]);
    }
    let seen = judge.others();
    assert_eq!(verdicts(&judge), [(2, 1, Health::Alive)]);
    assert_eq!(seen[0].member.listen, second.address.to_string());
}

#[test]
fn a_good_bye_is_final_for_that_life() {
    let (mut judge, old, new) = (judge(), id(2, 1, 0), id(2, 2, 0));
    beat(&mut judge, &[old], 1, 20);
    judge.left(NodeId(2), Incarnation(1));
    beat(&mut judge, &[old], 21, 1);
    assert_eq!(verdicts(&judge), [(2, 1, Health::Dead)]);
    beat(&mut judge, &[old], 22, 20);
    assert_eq!(verdicts(&judge), [(2, 1, Health::Dead)], "its heartbeats still come around");
    beat(&mut judge, &[new], 1, 3);
    assert_eq!(verdicts(&judge), [(2, 2, Health::Alive)]);
}

#[test]
fn a_twin_is_told_of_and_not_seen_as_another() {
    let mut judge = judge();
    let (earlier, copy, later) = (id(1, 4, 1), id(1, 5, 1), id(1, 6, 2));
    beat(&mut judge, &[earlier], 1, 5);
    assert_eq!(judge.twin(), None, "our own former life");
    beat(&mut judge, &[earlier, copy], 6, 5);
    assert_eq!(judge.twin().map(|twin| twin.address), Some(copy.address));
    beat(&mut judge, &[copy, later], 20, 5);
    let Some(Twin { incarnation, .. }) = judge.twin() else { panic!("no twin") };
    assert_eq!(incarnation, Incarnation(6));
    assert_eq!(verdicts(&judge), []);
}

#[test]
fn a_hundred_lives_of_a_node_leave_no_more_than_chitchat_holds() {
    let mut judge = judge();
    for life in 1..=100 {
        // chitchat knows the life before until it has been silent for a while.
        let (now, before) = (id(2, life, 0), id(2, life - 1, 0));
        for tick in 0..2 * u64::from(SUSPECT) {
            judge.look(TICK, [heard(now, 1 + tick), heard(before, 2 * u64::from(SUSPECT))]);
            assert!(judge.lives() <= 2, "{} lives", judge.lives());
        }
    }
    assert_eq!(verdicts(&judge), [(2, 100, Health::Alive)]);
}
