//! What is believed of what comes, without a network.

use super::super::counters::Refusal;
use super::super::frame::{HEAD, ROOM, TAG, VERSION};
use super::super::session::{Identity, Incoming, Keys, Session};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use wire::ids::{ClusterId, Incarnation, NodeId};

const CLUSTER: ClusterId = ClusterId([5; 16]);

fn address(node: u64) -> SocketAddr {
    SocketAddr::from(([10, 0, 0, node as u8], 7070))
}

fn keys(keys: &[(u32, u8)]) -> Keys {
    let keys: Vec<_> = keys.iter().map(|(id, byte)| (*id, [*byte; 32])).collect();
    Arc::new(move || keys.clone())
}

/// A life of a node; its token is made of node and life, unless it is a copy.
fn life(node: u64, incarnation: u64) -> Session {
    copy(node, incarnation, 0)
}

fn copy(node: u64, incarnation: u64, copy: u64) -> Session {
    let token = 1_000_000 * node + 1000 * incarnation + copy + 1;
    let identity = Identity { cluster: CLUSTER, node: NodeId(node), incarnation: Incarnation(incarnation), token };
    Session::new(identity, keys(&[(1, 1)]))
}

fn say(from: &mut Session, to: u64, text: &str) -> Vec<u8> {
    from.gossip(address(to), text.as_bytes().to_vec()).unwrap()
}

fn hear(to: &mut Session, from: u64, datagram: &[u8]) -> Result<Incoming, Refusal> {
    to.open(address(from), &mut datagram.to_vec())
}

fn message(text: &str) -> Result<Incoming, Refusal> {
    Ok(Incoming::Gossip(text.as_bytes().to_vec()))
}

/// The answer in it, which must be one.
fn answer(incoming: Result<Incoming, Refusal>) -> (SocketAddr, Vec<u8>) {
    match incoming {
        Ok(Incoming::Introduce(to, datagram) | Incoming::Again(to, datagram)) => (to, datagram),
        other => panic!("no answer: {other:?}"),
    }
}

/// `a`, node 1, says something to `b`, node 2, until it is taken: what `b` heard in the end.
fn meet(a: &mut Session, b: &mut Session) -> Vec<u8> {
    let first = say(a, 2, "hello?");
    let (_, hello) = answer(hear(b, 1, &first));
    let (to, again) = answer(hear(a, 2, &hello));
    assert_eq!(to, address(2));
    assert_eq!(hear(b, 1, &again), message("hello?"));
    again
}

#[test]
fn a_first_word_is_taken_after_a_hello_and_the_next_at_once() {
    let (mut a, mut b) = (life(1, 1), life(2, 1));
    meet(&mut a, &mut b);
    let second = say(&mut a, 2, "two");
    assert_eq!(hear(&mut b, 1, &second), message("two"));
    let back = say(&mut b, 1, "back");
    assert_eq!(hear(&mut a, 2, &back), message("back"), "what b learnt from a's proven words");
}

#[test]
fn a_hello_is_smaller_than_what_it_answers_and_is_itself_never_answered() {
    let (mut a, mut b) = (life(1, 1), life(2, 1));
    let first = say(&mut a, 2, "a message of chitchat");
    let (_, hello) = answer(hear(&mut b, 1, &first));
    assert!(hello.len() < first.len());
    // To a later life of a, that hello is old: nothing follows from it.
    let mut later = life(1, 2);
    assert_eq!(hear(&mut later, 2, &hello), Ok(Incoming::Stale));
}

#[test]
fn what_was_taken_is_a_replay_and_so_is_all_that_is_far_older() {
    let (mut a, mut b) = (life(1, 1), life(2, 1));
    let met = meet(&mut a, &mut b);
    assert_eq!(hear(&mut b, 1, &met), Err(Refusal::Replayed));
    let late = say(&mut a, 2, "late");
    let later = say(&mut a, 2, "later");
    assert_eq!(hear(&mut b, 1, &later), message("later"));
    assert_eq!(hear(&mut b, 1, &late), message("late"), "reordered");
    let held_back = say(&mut a, 2, "held back");
    for _ in 0..1024 {
        let next = say(&mut a, 2, "next");
        assert_eq!(hear(&mut b, 1, &next), message("next"));
    }
    assert_eq!(hear(&mut b, 1, &held_back), message("held back"), "1,024 behind");
    let lost = say(&mut a, 2, "lost");
    for _ in 0..2048 {
        let next = say(&mut a, 2, "next");
        assert_eq!(hear(&mut b, 1, &next), message("next"));
    }
    assert_eq!(hear(&mut b, 1, &lost), Err(Refusal::Replayed));
}

#[test]
fn a_record_means_nothing_to_a_later_life_of_the_receiver_or_to_another_node() {
    let (mut a, mut b) = (life(1, 1), life(2, 1));
    let met = meet(&mut a, &mut b);
    let mut records = vec![met];
    records.extend((0..20).map(|_| say(&mut a, 2, "recorded")));
    for mut receiver in [life(2, 2), copy(2, 1, 7), life(3, 1)] {
        for record in &records {
            let (to, hello) = answer(hear(&mut receiver, 1, record));
            assert_eq!(to, address(1));
            assert!(hello.len() < HEAD + TAG + 9, "no more than a hello");
        }
    }
}

#[test]
fn a_later_life_starts_afresh_and_ends_the_one_before() {
    let (mut old, mut b) = (life(1, 4), life(2, 1));
    meet(&mut old, &mut b);
    let left_over = say(&mut old, 2, "left over");
    meet(&mut life(1, 5), &mut b);
    assert_eq!(hear(&mut b, 1, &left_over), Err(Refusal::Superseded));
    let first = say(&mut life(1, 3), 2, "from a backup");
    assert_eq!(hear(&mut b, 1, &first), Err(Refusal::Superseded));
}

#[test]
fn copies_of_one_life_are_heard_up_to_a_number_and_none_is_forgotten_for_another() {
    let mut b = life(2, 1);
    let taken: Vec<_> = (0..4).map(|n| meet(&mut copy(1, 1, n), &mut b)).collect();
    let mut fifth = copy(1, 1, 4);
    let (_, hello) = answer(hear(&mut b, 1, &say(&mut fifth, 2, "hello?")));
    let (_, again) = answer(hear(&mut fifth, 2, &hello));
    assert_eq!(hear(&mut b, 1, &again), Err(Refusal::Twins));
    for taken in taken {
        assert_eq!(hear(&mut b, 1, &taken), Err(Refusal::Replayed));
    }
}

#[test]
fn each_stranger_is_told_apart_and_none_is_answered() {
    let mut b = life(2, 1);
    let me = |cluster, key| {
        let identity = Identity { cluster, node: NodeId(1), incarnation: Incarnation(1), token: 9 };
        Session::new(identity, keys(&[key]))
    };
    let from = |mut session: Session| say(&mut session, 2, "hello?");
    let refused = |b: &mut Session, datagram: &[u8]| hear(b, 1, datagram);
    assert_eq!(refused(&mut b, &from(me(ClusterId([6; 16]), (1, 1)))), Err(Refusal::WrongCluster));
    assert_eq!(refused(&mut b, &from(me(CLUSTER, (2, 2)))), Err(Refusal::WrongKey));
    assert_eq!(refused(&mut b, &from(me(CLUSTER, (1, 2)))), Err(Refusal::BadSeal), "another key under the same id");
    let mut other_version = from(life(1, 1));
    other_version[2] = VERSION + 1;
    assert_eq!(refused(&mut b, &other_version), Err(Refusal::WrongVersion));
    assert_eq!(refused(&mut b, b"GET / HTTP/1.1\r\n\r\n"), Err(Refusal::Malformed));
}

#[test]
fn no_byte_can_be_changed() {
    let (mut a, mut b) = (life(1, 1), life(2, 1));
    meet(&mut a, &mut b);
    let sound = say(&mut a, 2, "sound");
    for at in 0..sound.len() {
        let mut changed = sound.clone();
        changed[at] ^= 1;
        assert!(hear(&mut b, 1, &changed).is_err(), "byte {at}");
    }
    assert_eq!(hear(&mut b, 1, &sound), message("sound"));
}

#[test]
fn ones_own_words_are_known() {
    let mut a = life(1, 1);
    let said = say(&mut a, 1, "echo");
    assert_eq!(hear(&mut a, 1, &said), Ok(Incoming::Own));
}

#[test]
fn what_does_not_fit_is_refused_and_what_just_fits_is_whole() {
    let (mut a, mut b) = (life(1, 1), life(2, 1));
    meet(&mut a, &mut b);
    let most = a.gossip(address(2), vec![7; ROOM]).unwrap();
    assert_eq!(most.len(), 65_507);
    assert_eq!(hear(&mut b, 1, &most), Ok(Incoming::Gossip(vec![7; ROOM])));
    assert_eq!(a.gossip(address(2), vec![7; ROOM + 1]), Err(Refusal::TooLarge));
}

#[test]
fn keys_change_under_way() {
    let current = Arc::new(Mutex::new(vec![(1, [1; 32])]));
    let shared = current.clone();
    let identity = |node| Identity { cluster: CLUSTER, node: NodeId(node), incarnation: Incarnation(1), token: node };
    let mut a = Session::new(identity(1), Arc::new(move || shared.lock().unwrap().clone()));
    let mut b = Session::new(identity(2), keys(&[(1, 1), (2, 2)]));
    meet(&mut a, &mut b);
    *current.lock().unwrap() = vec![(2, [2; 32]), (1, [1; 32])];
    let rotated = say(&mut a, 2, "rotated");
    assert_eq!(hear(&mut b, 1, &rotated), message("rotated"));
    assert_eq!(hear(&mut b, 1, &rotated), Err(Refusal::Replayed));
    let mut after = Session::new(identity(2), keys(&[(2, 2)]));
    *current.lock().unwrap() = vec![(1, [1; 32])];
    let old = say(&mut a, 2, "old");
    assert_eq!(hear(&mut after, 1, &old), Err(Refusal::WrongKey));
}

#[test]
fn an_answer_from_another_address_than_was_asked_is_understood() {
    let (mut a, mut b) = (life(1, 1), life(2, 1));
    // b is asked at address 2 and answers from address 9: two ways lead to it.
    let first = say(&mut a, 2, "hello?");
    let (_, hello) = answer(hear(&mut b, 1, &first));
    let (to, again) = answer(hear(&mut a, 9, &hello));
    assert_eq!(to, address(2));
    assert_eq!(hear(&mut b, 1, &again), message("hello?"));
    let next = say(&mut a, 2, "next");
    assert_eq!(hear(&mut b, 1, &next), message("next"));
}

#[test]
fn a_good_bye_is_for_those_who_know_us_and_cannot_be_played_back() {
    let (mut a, mut b) = (life(1, 1), life(2, 1));
    assert_eq!(a.byes(), []);
    meet(&mut a, &mut b);
    let byes = a.byes();
    assert_eq!(byes.len(), 1);
    assert_eq!(hear(&mut b, 1, &byes[0].1), Ok(Incoming::Bye(NodeId(1), Incarnation(1))));
    assert_eq!(hear(&mut b, 1, &byes[0].1), Err(Refusal::Replayed));
    assert_eq!(hear(&mut life(2, 2), 1, &byes[0].1), Ok(Incoming::Stale));
}
