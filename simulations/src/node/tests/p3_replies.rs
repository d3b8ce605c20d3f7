//! P3: every reply waits until what it was computed from is on disk and applied. P4: queries never see staged rows.

use super::scene::Scene;
use crate::node::Plan;
use crate::node::calls::{Done, Kind};
use storage::disk::Fate;

fn slow_disk() -> Scene {
    let mut scene = Scene::with(Plan { sync_us: (500_000, 500_000), ..Plan::quiet() });
    let client = scene.bare("alice");
    scene.add(client, Kind::Append, "e");
    scene.run_ms(2_000);
    scene
}

#[test]
fn p3_nothing_is_answered_before_the_fsync_not_even_a_refusal_or_a_look() {
    let mut scene = slow_disk();
    let client = scene.bare("alice");
    let calls = [Kind::Append, Kind::Refuse, Kind::Peek].map(|kind| scene.begin(client, kind, "e"));
    scene.run_ms(400);
    assert!(calls.iter().all(|call| scene.world.calls[*call].done.is_none()), "an answer before the fsync");
    // P4: the query is answered, from committed rows.
    assert_eq!(scene.look("alice", "e").len, 1);
    let [added, refused, peeked] = calls.map(|call| scene.end(call));
    assert!(matches!(added, Done::Ran(Ok(_))) && matches!(peeked, Done::Ran(Ok(_))));
    assert!(matches!(refused, Done::Ran(Err(error)) if error.detail.starts_with("2 ")), "it saw what was staged");
}

#[test]
fn p3_what_a_crash_takes_nobody_was_told_of() {
    let mut scene = slow_disk();
    let client = scene.bare("alice");
    let calls = [Kind::Append, Kind::Refuse, Kind::Peek].map(|kind| scene.begin(client, kind, "e"));
    scene.run_ms(300);
    scene.crash(Fate::Lost);
    assert!(calls.iter().all(|call| scene.world.calls[*call].done == Some(Done::Unknown)));
    scene.serve();
    assert_eq!(scene.look("alice", "e").len, 1);
}

#[test]
fn p3_what_was_answered_is_there_after_every_crash() {
    for fate in [Fate::Kept, Fate::Lost, Fate::Pages] {
        let mut scene = Scene::new();
        let client = scene.session("alice");
        for len in 1..=20 {
            assert_eq!(scene.add(client, Kind::Append, "e").len, len);
            scene.crash(fate);
            scene.serve();
            assert_eq!(scene.look("alice", "e").len, len, "{fate:?}");
        }
    }
}
