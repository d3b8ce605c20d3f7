//! Snapshots: read at one moment, checked chunk by chunk, staged beside the living generation.

use super::*;
use std::ops::ControlFlow;

/// A leader with rows, and a follower elsewhere that is behind.
fn pair(rows: u64) -> (ReplicaStore, ReplicaStore) {
    let (leader, follower) = (bootstrapped(&memory().1, R1), bootstrapped(&memory().1, R2));
    let ops = (0..rows).map(|n| put(&format!("row {n:05}"), &"x".repeat((n % 50) as usize)));
    apply(&leader, Applied { conf_state: Some(bytes("voters 1 2")), ..at(100, 3) }, ops);
    apply(&follower, at(2, 1), [put("old", "1"), put("row 00001", "old")]);
    (leader, follower)
}

#[test]
fn a_snapshot_installs_whole() {
    for (rows, chunk_bytes) in [(0, 1000), (1, 1000), (1000, 1000), (1000, CHUNK_BYTES), (1000, 1)] {
        let (leader, follower) = pair(rows);
        let chunks = chunks_of(&leader, chunk_bytes);
        let header = SnapshotHeader { applied: Index(100), applied_term: Term(3), conf_state: bytes("voters 1 2") };
        assert_eq!(SnapshotHeader::of_first(&chunks[0]), Ok(header.clone()));
        let staged = install(&follower, &chunks);
        assert_eq!((staged.header(), staged.rows(), staged.replica()), (&header, rows, R2));
        assert_eq!(line(&follower), "old=1 row 00001=old", "staged is not installed");
        follower.flip(&staged).expect("flipped");
        assert_eq!(follower.hash().expect("read"), leader.hash().expect("read"));
        let expected = ReplicaState { generation: Generation(1), ..leader.state() };
        assert_eq!(
            (follower.state(), follower.view(|rows| Ok(rows.state().clone()))),
            (expected.clone(), Ok(expected))
        );
        assert_eq!(strays(&**follower.engine()), [""; 0], "the old generation is gone");
    }
}

#[test]
fn chunks_are_about_as_large_as_asked() {
    let (leader, _) = pair(20_000);
    let chunks = chunks_of(&leader, CHUNK_BYTES);
    assert!(chunks.len() > 3);
    for chunk in &chunks[1..chunks.len() - 2] {
        assert!((CHUNK_BYTES..CHUNK_BYTES + 200).contains(&chunk.len()), "{} bytes", chunk.len());
    }
}

#[test]
fn p16_the_replica_applies_and_answers_while_a_snapshot_is_staged() {
    let (leader, follower) = pair(100);
    let chunks = chunks_of(&leader, 500);
    let mut staging = follower.stage().expect("staged");
    let mut staged = None;
    for (n, chunk) in chunks.into_iter().enumerate() {
        staged = staging.feed(chunk).expect("taken");
        apply(&follower, at(3 + n as u64, 1), [put("n", &n.to_string())]);
        assert_eq!(line(&follower), format!("n={n} old=1 row 00001=old"));
    }
    follower.flip(&staged.expect("whole")).expect("flipped");
    assert_eq!(follower.hash().expect("read"), leader.hash().expect("read"));
    apply(&follower, at(101, 3), [put("after", "1")]);
    apply(&leader, at(101, 3), [put("after", "1")]);
    assert_eq!(follower.hash().expect("read"), leader.hash().expect("read"));
}

#[test]
fn p4_a_reader_keeps_its_generation_through_a_flip() {
    let (leader, follower) = pair(10);
    let staged = install(&follower, &chunks_of(&leader, CHUNK_BYTES));
    follower
        .view(|rows| {
            follower.flip(&staged).expect("flipped");
            assert_eq!((rows.state().generation, rows.get(b"old")?), (Generation(0), Some(bytes("1"))));
            assert_eq!(rows.scan(b""..&[0xff], Order::Ascending, 99)?.len(), 2);
            Ok(())
        })
        .expect("read");
}

#[test]
fn a_snapshot_is_of_one_moment() {
    let (leader, follower) = pair(1000);
    let (expected, mut chunks) = (leader.hash().expect("read"), Vec::new());
    let mut index = 100;
    let ended = leader.snapshot(1000, &mut |chunk| {
        index += 1;
        apply(
            &leader,
            at(index, 3),
            [put("row 00999", "changed meanwhile"), Op::DeleteRange { from: bytes("row 005"), to: bytes("row 008") }],
        );
        chunks.push(chunk);
        ControlFlow::Continue(())
    });
    assert!(ended.expect("read"));
    let staged = install(&follower, &chunks);
    follower.flip(&staged).expect("flipped");
    assert_eq!(follower.hash().expect("read"), expected);
    assert_ne!(leader.hash().expect("read"), expected);
}

#[test]
fn a_sender_may_stop_at_any_chunk() {
    let (leader, _) = pair(100);
    let all = chunks_of(&leader, 500).len();
    for stop in 1..all {
        let mut sent = 0;
        let ended = leader.snapshot(500, &mut |_| {
            sent += 1;
            if sent == stop { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        assert_eq!((ended, sent), (Ok(false), stop));
    }
}

/// Feeds until the first refusal and returns it; the staging must then stay over, and leave nothing once abandoned.
fn refused(follower: &ReplicaStore, chunks: Vec<Bytes>) -> &'static str {
    let before = (follower.state(), line(follower));
    let mut staging = follower.stage().expect("staged");
    let last = chunks.last().cloned().expect("chunks");
    let why = chunks.into_iter().find_map(|chunk| match staging.feed(chunk) {
        Ok(staged) => {
            assert!(staged.is_none(), "not whole");
            None
        }
        Err(Error::Chunk { why, .. }) => Some(why),
        Err(error) => panic!("{error}"),
    });
    if why.is_some() {
        assert!(matches!(staging.feed(last), Err(Error::Chunk { .. })), "over is over");
    }
    staging.abandon().expect("abandoned");
    assert_eq!(strays(&**follower.engine()), [""; 0]);
    assert_eq!((follower.state(), line(follower)), before);
    why.unwrap_or("not refused, only not whole")
}

#[test]
fn bad_streams_are_refused_and_leave_nothing() {
    let (leader, follower) = pair(100);
    let chunks = chunks_of(&leader, 1000);
    apply(&leader, at(101, 3), [put("row 00000", "newer")]);
    let newer = chunks_of(&leader, 1000);
    let without = |n: usize| [&chunks[..n], &chunks[n + 1..]].concat();
    let end = chunks.len() - 1;
    assert!(end > 3);
    let table = [
        (without(0), "not the one that follows"),
        (without(2), "not the one that follows"),
        (chunks[..end].to_vec(), "not refused, only not whole"),
        ([&chunks[..3], &chunks[2..]].concat(), "not the one that follows"),
        ([&chunks[..2], &newer[2..]].concat(), "of another snapshot"),
        (vec![chunks[0].slice(..3)], "too short"),
    ];
    for (n, (chunks, why)) in table.into_iter().enumerate() {
        assert_eq!(refused(&follower, chunks), why, "row {n}");
    }
    // Every single bit of the stream.
    for n in 0..chunks.len() {
        for bit in (0..chunks[n].len() * 8).step_by(if n == 0 || n == end { 1 } else { 97 }) {
            let mut broken = chunks[n].to_vec();
            broken[bit / 8] ^= 1 << (bit % 8);
            let stream = [&chunks[..n], &[broken.into()]].concat();
            assert_eq!(
                refused(&follower, stream),
                "damaged on its way: its checksum does not match",
                "chunk {n} bit {bit}"
            );
        }
    }
}

/// A chunk with a right checksum and a wrong content, as a sender with a bug would make it.
fn resealed(chunk: &Bytes, change: impl FnOnce(&mut Vec<u8>)) -> Bytes {
    let mut forged = chunk[..chunk.len() - 4].to_vec();
    change(&mut forged);
    let sum = crc32fast::hash(&forged);
    forged.extend(sum.to_be_bytes());
    forged.into()
}

#[test]
fn wrong_content_under_a_right_checksum_is_refused() {
    let (leader, follower) = pair(3);
    let chunks = chunks_of(&leader, CHUNK_BYTES);
    assert_eq!(chunks.len(), 3);
    let with = |n: usize, change: &dyn Fn(&mut Vec<u8>)| {
        let mut stream = chunks.clone();
        stream[n] = resealed(&chunks[n], change);
        refused(&follower, stream)
    };
    assert_eq!(with(1, &|body| *body.last_mut().expect("bytes") ^= 1), "its rows are not those that were sent");
    assert_eq!(with(1, &|body| body.truncate(30)), "it ends too early");
    assert_eq!(with(1, &|body| body[22..26].fill(0xff)), "it ends too early");
    assert_eq!(with(1, &|body| body.extend_from_within(22..)), "its rows are out of order");
    assert_eq!(with(1, &|body| body[1] = 0), "its kind is out of place");
    assert_eq!(with(1, &|body| body[1] = 7), "its kind is unknown");
    assert_eq!(with(2, &|body| body[29] ^= 1), "its rows are not those that were sent");
    let mut staging = follower.stage().expect("staged");
    let newer = staging.feed(resealed(&chunks[0], |body| body[0] = 2)).expect_err("newer");
    assert_eq!(newer, Error::Newer { what: "snapshot chunk 0".into(), version: 2, known: 1 });
}

#[test]
fn a_snapshot_that_is_not_ahead_is_not_flipped_to() {
    let (leader, follower) = pair(10);
    let staged = install(&follower, &chunks_of(&leader, CHUNK_BYTES));
    apply(&follower, at(100, 3), [put("already", "there")]);
    let error = follower.flip(&staged).expect_err("behind");
    assert_eq!(error, Error::Behind { snapshot: Index(100), applied: Index(100) });
    assert!(!error.is_fatal());
    follower.abandon(staged).expect("abandoned");
    assert_eq!(strays(&**follower.engine()), [""; 0]);
    assert_eq!(line(&follower), "already=there old=1 row 00001=old");
}

#[test]
fn of_two_stagings_the_one_left_behind_is_over() {
    let (leader, follower) = pair(10);
    let chunks = chunks_of(&leader, 1);
    let mut lost = follower.stage().expect("staged");
    chunks[..5].iter().for_each(|chunk| assert!(lost.feed(chunk.clone()).expect("taken").is_none()));
    let staged = install(&follower, &chunks);
    follower.flip(&staged).expect("flipped");
    let over = Error::Superseded { staged: Generation(1), current: Generation(2) };
    assert_eq!(lost.feed(chunks[5].clone()).expect_err("over"), over);
    assert_eq!(lost.abandon().expect_err("nothing left to delete"), over);
    assert_eq!(
        follower.flip(&staged).expect_err("once"),
        Error::Superseded { staged: Generation(2), current: Generation(2) }
    );
    assert_eq!(strays(&**follower.engine()), [""; 0]);
    assert_eq!(follower.hash().expect("read"), leader.hash().expect("read"));
}

#[test]
fn a_damaged_row_ends_a_snapshot_and_a_hash() {
    let (memory, engine) = memory();
    let store = bootstrapped(&engine, R1);
    apply(&store, at(2, 1), (0..50).map(|n| put(&format!("{n:02}"), "value")));
    memory.flip_row(&keys::row(&keys::rows_prefix(R1, Generation(0)), b"31"), 5);
    assert!(matches!(store.hash(), Err(Error::Engine(error)) if error.is_damage()));
    assert!(
        matches!(store.snapshot(10, &mut |_| ControlFlow::Continue(())), Err(Error::Engine(error)) if error.is_damage())
    );
}
