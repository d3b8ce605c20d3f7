//! P2: a panic discards that command's overlay only.

use super::scene::Scene;
use crate::node::calls::{Done, Kind};
use wire::error::reasons;

#[test]
fn p2_a_panic_takes_its_own_writes_and_nobody_elses() {
    let mut scene = Scene::new();
    let client = scene.caller("alice");
    let calls = [Kind::Append, Kind::Explode, Kind::Append].map(|kind| scene.begin(client, kind, "e"));
    let [first, panicked, last] = calls.map(|call| scene.end(call));
    assert!(matches!((first, last), (Done::Ran(Ok(_)), Done::Ran(Ok(_)))));
    assert_eq!(panicked, Done::NotRun);
    assert_eq!(scene.world.counts.panics, 1);
    assert_eq!(scene.look("alice", "e").items, [1, 3]);
    scene.restart();
    assert_eq!(scene.look("alice", "e").items, [1, 3]);
}

#[test]
fn p2_an_entity_that_panics_again_and_again_rests_alone() {
    let mut scene = Scene::new();
    let client = scene.bare("alice");
    for _ in 0..3 {
        let call = scene.begin(client, Kind::Explode, "bad");
        scene.end(call);
    }
    let call = scene.begin(client, Kind::Append, "bad");
    let id = scene.world.calls[call].request_id.clone();
    let rests = scene.arrive(call, id, None).unwrap_err();
    assert!(rests.is(&reasons::OVERLOADED) && rests.retry_after_ms > 0, "{rests:?}");
    assert_eq!(scene.add(client, Kind::Append, "good").len, 1);
    let other = scene.bare("alic");
    assert_eq!(scene.add(other, Kind::Append, "bad").len, 1);
    scene.run_ms(500);
    assert_eq!(scene.add(client, Kind::Append, "bad").len, 1);
}
