//! No id twice: of one node, and of two nodes in the same milliseconds. And the order that a type promises.

use super::super::formats::{flake, objectid, shortid, uuid, xid};
use super::*;
use std::collections::BTreeSet;

const DRAWS: usize = 100_000;

/// 100,000 of each type, while the clock goes on a millisecond a thousand.
fn drawn(kind: Kind) -> Vec<String> {
    let node = node();
    let mut all = Vec::with_capacity(DRAWS);
    while all.len() < DRAWS {
        all.extend(many(&node, kind, 1000).unwrap());
        node.advance(Duration::from_millis(1));
    }
    all
}

#[test]
fn of_one_node() {
    // A sqid is a snowflake's number: its text is slow to make, and no other than the number's.
    for kind in KINDS.into_iter().filter(|kind| *kind != Kind::Sqid) {
        let ids = drawn(kind);
        assert_eq!(BTreeSet::from_iter(&ids).len(), DRAWS, "{}", kind.name());
    }
}

#[test]
fn sortable_types_are_made_in_order() {
    for kind in [Kind::Ulid, Kind::UuidV7] {
        assert!(drawn(kind).is_sorted(), "{}", kind.name());
    }
    for kind in [Kind::Snowflake, Kind::Bigflake] {
        let numbers: Vec<u128> = drawn(kind).iter().map(|id| id.parse().unwrap()).collect();
        assert!(numbers.is_sorted(), "{}", kind.name());
        let digits = |len: usize| numbers.iter().all(|number| number.to_string().len() == len);
        assert!(digits(if kind == Kind::Snowflake { 19 } else { 32 }), "as texts they are in order too");
    }
    for kind in [Kind::Ksuid, Kind::Xid, Kind::ObjectId] {
        let node = node();
        let later: Vec<String> = std::iter::repeat_with(|| {
            node.advance(Duration::from_secs(1));
            one(&node, kind)
        })
        .take(1000)
        .collect();
        assert!(later.is_sorted(), "{} by second", kind.name());
    }
}

/// The clock of a node goes back (or two calls meet in a moment): what it lends does not.
#[test]
fn within_a_moment_ulids_count_on() {
    let ids = many(&node(), Kind::Ulid, 1000).unwrap();
    let numbers: Vec<u128> = ids.iter().map(|id| ulid_number(id)).collect();
    assert!(numbers.windows(2).all(|pair| pair[1] == pair[0] + 1));
}

fn ulid_number(id: &str) -> u128 {
    use super::super::formats::radix;
    radix::read(id, 26, radix::CROCKFORD).unwrap()
}

/// Two nodes mint in step, at the same moments, with the same counts and the same chance: only what tells nodes apart
/// differs.
#[test]
fn of_two_nodes_that_agree_on_everything_else() {
    type Mint = fn(u64, u16, u64) -> String;
    let ms = 1_795_521_600_000;
    // Node, worker, count.
    let by_worker: [(&str, Mint); 5] = [
        ("snowflake", |_, worker, n| flake::snowflake(1_795_521_600_000, worker, n % 4096).unwrap().to_string()),
        ("shortid", |_, worker, n| shortid::encode(1_795_521_600_000, worker, n % 4096, n as u16).unwrap()),
        ("xid", |node, worker, n| xid::encode(1_795_521_600, node, worker, n).unwrap()),
        ("objectid", |node, worker, n| objectid::encode(1_795_521_600, node << 10 | u64::from(worker), n).unwrap()),
        ("uuidv1", |node, worker, _| uuid::v1(17_955_216_000_000_000, worker, node).unwrap()),
    ];
    for (name, mint) in by_worker {
        // Even nodes of one id: the leased number alone tells them apart.
        for n in 0..4096 {
            assert_ne!(mint(1, 0, n), mint(1, 1, n), "{name}");
            assert_ne!(mint(1, 0, n), mint(2, 31, n), "{name}");
        }
    }
    let bigflakes = |node| (0..4096).map(move |n| flake::bigflake(ms, node, n).unwrap());
    let both: BTreeSet<u128> = bigflakes(1).chain(bigflakes(2)).collect();
    assert_eq!(both.len(), 2 * 4096);
}

/// Fifty thousand of each of two nodes, in one set.
#[test]
fn of_two_nodes_in_one_set() {
    let each = DRAWS as u64 / 2;
    let (secs, ms) = (1_795_521_600, 1_795_521_600_000);
    let mut all: [BTreeSet<String>; 4] = Default::default();
    for (node, worker) in [(0x1234_5678_9abc_def0, 3), (0x1234_5678_9abc_def1, 4)] {
        for n in 0..each {
            let (at, n_of_ms) = (ms + n / 4096, n % 4096);
            all[0].insert(flake::snowflake(at, worker, n_of_ms).unwrap().to_string());
            all[1].insert(shortid::encode(at, worker, n_of_ms, 0).unwrap());
            all[2].insert(xid::encode(secs, node, worker, n).unwrap());
            all[3].insert(objectid::encode(secs, node << 10 | u64::from(worker), n).unwrap());
        }
    }
    assert!(all.iter().all(|ids| ids.len() == DRAWS), "{:?}", all.map(|ids| ids.len()));
}
