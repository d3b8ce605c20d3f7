//! Whole nodes' gossip, on loopback.

use super::super::{Counters, Gossip, GossipError, Health, Member, Options, Seeds, TUNING, Tuning};
use crate::trust::{Keyring, Secret};
use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};
use wire::ids::{ClusterId, Incarnation, NodeId};

/// For what takes a moment; far beyond what it takes.
const SOON: Duration = Duration::from_secs(60);

/// Ten times as quick as in earnest, for tests of what happens in the end.
const QUICK: Tuning = Tuning {
    round: Duration::from_millis(20),
    tick: Duration::from_millis(10),
    late: Duration::from_millis(100),
    suspect: Duration::from_millis(400),
    drop: Duration::from_secs(2),
    forget: Duration::from_secs(3600),
    resolve: Duration::from_millis(50),
};

/// As above, but nobody is ever dead for being silent.
const PATIENT: Tuning = Tuning { suspect: Duration::from_secs(3600), ..QUICK };

fn until(what: &str, mut is: impl FnMut() -> bool) {
    let deadline = Instant::now() + SOON;
    while !is() {
        assert!(Instant::now() < deadline, "after {SOON:?} there was still no: {what}");
        // tidy: sleep because what other threads see comes without an event; the loop has a deadline
        thread::sleep(Duration::from_millis(5));
    }
}

fn keyring(secret: u8) -> Keyring {
    Keyring::new(key(secret)).unwrap()
}

fn key(byte: u8) -> Secret {
    let hex = format!("{byte:02x}").repeat(32);
    Secret::parse(&format!("cms_{hex}{:08x}", crc32fast::hash(&[byte; 32]))).unwrap()
}

fn seeds(addresses: &[SocketAddr]) -> Seeds {
    let names: Vec<String> = addresses.iter().map(|address| address.to_string()).collect();
    Arc::new(move || names.clone())
}

fn options(node: u64, life: u64, known: &[&Gossip]) -> Options {
    let known: Vec<_> = known.iter().map(|gossip| gossip.address()).collect();
    Options {
        cluster: ClusterId([5; 16]),
        member: Member {
            node: NodeId(node),
            incarnation: Incarnation(life),
            listen: format!("host{node}:7070"),
            http: format!("host{node}:8080"),
            version: "0.1.0".into(),
            zone: "west".into(),
        },
        bind: SocketAddr::from(([127, 0, 0, 1], 0)),
        advertise: None,
        keyring: keyring(1),
        seeds: seeds(&known),
    }
}

fn start(options: Options, tuning: Tuning) -> Gossip {
    Gossip::tuned(options, tuning).unwrap()
}

fn verdicts(gossip: &Gossip) -> Vec<(u64, u64, Health)> {
    gossip.seen().iter().map(|seen| (seen.member.node.0, seen.member.incarnation.0, seen.health)).collect()
}

fn alive(lives: &[(u64, u64)]) -> Vec<(u64, u64, Health)> {
    lives.iter().map(|(node, life)| (*node, *life, Health::Alive)).collect()
}

fn all_see(gossips: &[&Gossip], lives: &[(u64, u64)]) {
    let wanted = alive(lives);
    for gossip in gossips {
        until(&format!("{wanted:?}"), || verdicts(gossip) == wanted);
    }
}

#[test]
fn nodes_find_each_other_through_one_seed_and_tell_of_themselves() {
    let one = start(options(1, 1, &[]), TUNING);
    let two = start(options(2, 7, &[&one]), TUNING);
    let three = start(options(3, 1, &[&one]), TUNING);
    all_see(&[&one, &two, &three], &[(1, 1), (2, 7), (3, 1)]);
    assert_eq!(three.seen()[1].member, options(2, 7, &[]).member);

    let mut watch = three.watch();
    watch.mark_unchanged();
    two.set_topology_version(41);
    until("topology", || three.seen()[1].topology_version == 41);
    assert!(watch.has_changed().unwrap());
    assert_eq!(watch.borrow()[1].topology_version, 41);
    assert_eq!(two.seen()[1].topology_version, 41, "its own");
    let counters = three.counters();
    assert_eq!((counters.bad_state, counters.bad_message, counters.replayed, counters.entries), (0, 0, 0, 3));
}

#[test]
fn a_killed_node_is_seen_dead_and_its_next_life_alive() {
    let one = start(options(1, 1, &[]), QUICK);
    let two = start(options(2, 1, &[&one]), QUICK);
    let three = start(options(3, 1, &[&one]), QUICK);
    all_see(&[&one, &two, &three], &[(1, 1), (2, 1), (3, 1)]);
    drop(three);
    for gossip in [&one, &two] {
        until("death", || gossip.seen()[2].health == Health::Dead);
    }
    let _again = start(options(3, 2, &[&two]), QUICK);
    all_see(&[&one, &two], &[(1, 1), (2, 1), (3, 2)]);
}

#[test]
fn a_stop_is_seen_without_waiting_for_silence() {
    let one = start(options(1, 1, &[]), PATIENT);
    let two = start(options(2, 1, &[&one]), PATIENT);
    all_see(&[&one, &two], &[(1, 1), (2, 1)]);
    two.stop();
    until("death", || one.seen()[1].health == Health::Dead);
}

#[test]
fn strangers_are_counted_by_kind_and_never_answered() {
    let one = start(options(1, 1, &[]), QUICK);
    let wrong_secret = start(Options { keyring: keyring(2), ..options(2, 1, &[&one]) }, QUICK);
    let wrong_cluster = start(Options { cluster: ClusterId([6; 16]), ..options(3, 1, &[&one]) }, QUICK);
    let raw = UdpSocket::bind("127.0.0.1:0").unwrap();
    let mut other_version = b"CG\x09".to_vec();
    other_version.resize(100, 0);
    raw.send_to(b"noise", one.address()).unwrap();
    raw.send_to(&other_version, one.address()).unwrap();
    let all = |counters: Counters| {
        [counters.wrong_key, counters.wrong_cluster, counters.malformed, counters.wrong_version].iter().all(|n| *n > 0)
    };
    until("each kind", || all(one.counters()));
    assert_eq!((one.counters().sent, one.counters().received), (0, 0));
    for stranger in [&wrong_secret, &wrong_cluster] {
        let counters = stranger.counters();
        assert!(counters.sent > 0);
        assert_eq!((counters.received, counters.introduced, stranger.seen().len()), (0, 0, 1));
    }
    raw.set_nonblocking(true).unwrap();
    assert!(raw.recv_from(&mut [0; 100]).is_err(), "an answer to noise");
}

#[test]
fn what_a_wire_tapper_plays_back_changes_nothing() {
    // All that two says goes to the tapper, who keeps it until two is gone.
    let one = start(options(1, 1, &[]), QUICK);
    let tap = UdpSocket::bind("127.0.0.1:0").unwrap();
    let via_tap: Seeds = seeds(&[tap.local_addr().unwrap()]);
    let two = start(Options { seeds: via_tap, ..options(2, 1, &[]) }, QUICK);
    tap.set_read_timeout(Some(SOON)).unwrap();
    let mut buffer = [0; 2000];
    let mut tapped = || tap.recv_from(&mut buffer).map(|(length, _)| buffer[..length].to_vec()).unwrap();
    let record: Vec<Vec<u8>> = (0..20).map(|_| tapped()).collect();
    drop(two);
    let before = one.counters();
    for datagram in record.iter().chain(&record) {
        tap.send_to(datagram, one.address()).unwrap();
    }
    // Each is answered with a hello, to the tapper; none is taken.
    let count = 2 * record.len() as u64;
    until("hellos", || one.counters().introduced - before.introduced == count);
    assert_eq!(one.counters().received, before.received);
    assert_eq!(one.seen().len(), 1);
}

#[test]
fn seeds_are_asked_again_and_unreachable_ones_end_nothing() {
    let one = start(options(1, 1, &[]), QUICK);
    let names = Arc::new(Mutex::new(vec!["nowhere.invalid:1".to_string(), "255.255.255.255:9".to_string()]));
    let asked = names.clone();
    let two = start(Options { seeds: Arc::new(move || asked.lock().unwrap().clone()), ..options(2, 1, &[]) }, QUICK);
    until("errors", || two.counters().send_errors > 3 && two.counters().unresolved > 1);
    assert_eq!(two.seen().len(), 1);
    names.lock().unwrap().push(one.address().to_string());
    all_see(&[&one, &two], &[(1, 1), (2, 1)]);
    assert_eq!(two.failed(), None);
}

#[test]
fn a_seed_by_name_is_resolved() {
    let one = start(options(1, 1, &[]), QUICK);
    let name = format!("localhost:{}", one.address().port());
    let two = start(Options { seeds: Arc::new(move || vec![name.clone()]), ..options(2, 1, &[]) }, QUICK);
    all_see(&[&one, &two], &[(1, 1), (2, 1)]);
}

#[test]
fn a_hundred_restarts_leave_two_entries() {
    let one = start(options(1, 1, &[]), QUICK);
    for life in 1..=100 {
        let two = start(options(2, life, &[&one]), QUICK);
        until("the next life", || verdicts(&one) == alive(&[(1, 1), (2, life)]));
        match life {
            100 => drop(two),
            _ if life % 2 == 0 => two.stop(),
            _ => drop(two),
        }
        assert_eq!(one.seen().len(), 2);
    }
    let last = start(options(2, 101, &[&one]), QUICK);
    all_see(&[&one, &last], &[(1, 1), (2, 101)]);
    until("entries gone", || one.counters().entries <= 2 && last.counters().entries <= 2);
    all_see(&[&one, &last], &[(1, 1), (2, 101)]);
}

#[test]
fn of_two_lives_at_once_the_later_is_seen_and_the_earlier_is_told() {
    let one = start(options(1, 1, &[]), QUICK);
    let earlier = start(options(2, 4, &[&one]), QUICK);
    all_see(&[&one, &earlier], &[(1, 1), (2, 4)]);
    let later = start(options(2, 5, &[&one]), QUICK);
    all_see(&[&one, &later], &[(1, 1), (2, 5)]);
    until("the twin", || earlier.twin().is_some());
    assert_eq!(earlier.twin().map(|twin| twin.incarnation), Some(Incarnation(5)));
    until("refusals", || one.counters().superseded > 0);
    assert_eq!(later.twin(), None);
}

#[test]
fn copies_of_a_data_folder_tell_each_other() {
    let one = start(options(1, 1, &[]), QUICK);
    let first = start(options(2, 5, &[&one]), QUICK);
    let second = start(options(2, 5, &[&one]), QUICK);
    for (copy, other) in [(&first, &second), (&second, &first)] {
        until("the twin", || copy.twin().is_some());
        assert_eq!(copy.twin().map(|twin| twin.address), Some(other.address()));
    }
    all_see(&[&one], &[(1, 1), (2, 5)]);
}

#[test]
fn the_secret_is_changed_without_a_restart() {
    let (one_keys, two_keys) = (keyring(1), keyring(1));
    let one = start(Options { keyring: one_keys.clone(), ..options(1, 1, &[]) }, QUICK);
    let two = start(Options { keyring: two_keys.clone(), ..options(2, 1, &[&one]) }, QUICK);
    all_see(&[&one, &two], &[(1, 1), (2, 1)]);
    for keys in [&one_keys, &two_keys] {
        keys.replace(key(1), vec![key(2)]).unwrap();
    }
    for keys in [&one_keys, &two_keys] {
        keys.replace(key(2), vec![key(1)]).unwrap();
    }
    for keys in [&one_keys, &two_keys] {
        keys.replace(key(2), vec![]).unwrap();
    }
    let more = |what: &str| {
        let before = one.counters().received;
        until(what, || one.counters().received > before + 20);
    };
    more("words, some of which were sealed before");
    let before = one.counters();
    more("words under the new key");
    assert_eq!(one.counters().wrong_key, before.wrong_key);
    all_see(&[&one, &two], &[(1, 1), (2, 1)]);
}

#[test]
fn each_wrong_option_is_named() {
    let one = start(options(1, 1, &[]), QUICK);
    let refused = |options: Options| Gossip::start(options).err().unwrap();
    let taken = refused(Options { bind: one.address(), ..options(2, 1, &[]) });
    assert!(matches!(taken, GossipError::AddressInUse { bind } if bind == one.address()), "{taken}");
    let everywhere = SocketAddr::from(([0, 0, 0, 0], 0));
    assert!(matches!(
        refused(Options { bind: everywhere, ..options(2, 1, &[]) }),
        GossipError::AdvertiseMissing { .. }
    ));
    let nowhere = Some("nowhere.invalid:1".into());
    assert!(matches!(refused(Options { advertise: nowhere, ..options(2, 1, &[]) }), GossipError::Advertise { .. }));
    let foreign = SocketAddr::from(([192, 0, 2, 1], 0));
    assert!(matches!(refused(Options { bind: foreign, ..options(2, 1, &[]) }), GossipError::Bind { .. }));
    let mut long = options(2, 1, &[]);
    long.member.zone = "z".repeat(65);
    assert!(refused(long).to_string().contains("`zone`"));
}

#[test]
fn an_advertised_port_of_0_is_the_bound_one() {
    let everywhere = SocketAddr::from(([0, 0, 0, 0], 0));
    let one = start(Options { bind: everywhere, advertise: Some("localhost:0".into()), ..options(1, 1, &[]) }, QUICK);
    assert_ne!(one.address().port(), 0);
    let two = start(options(2, 1, &[&one]), QUICK);
    all_see(&[&one, &two], &[(1, 1), (2, 1)]);
}

/// The requirement is a time: ten seconds. What is tested is that nobody dies in it.
#[test]
fn ten_seconds_without_a_free_core_kill_nobody() {
    let one = start(options(1, 1, &[]), TUNING);
    let two = start(options(2, 1, &[&one]), TUNING);
    let three = start(options(3, 1, &[&one]), TUNING);
    let gossips = [&one, &two, &three];
    all_see(&gossips, &[(1, 1), (2, 1), (3, 1)]);
    let burning = Arc::new(AtomicBool::new(true));
    let cores = thread::available_parallelism().map_or(2, |cores| cores.get());
    let burners: Vec<_> = (0..4 * cores)
        .map(|_| {
            let burning = burning.clone();
            thread::spawn(move || while burning.load(Ordering::Relaxed) {})
        })
        .collect();
    let mut watches = gossips.map(|gossip| gossip.watch());
    watches.iter_mut().for_each(|watch| watch.mark_unchanged());
    let deadline = Instant::now() + Duration::from_secs(10);
    while Instant::now() < deadline {
        for watch in &watches {
            assert!(!watch.has_changed().unwrap(), "{:?}", watch.borrow());
        }
        // tidy: sleep because the ten seconds are the input
        thread::sleep(Duration::from_millis(20));
    }
    burning.store(false, Ordering::Relaxed);
    burners.into_iter().for_each(|burner| burner.join().unwrap());
}
