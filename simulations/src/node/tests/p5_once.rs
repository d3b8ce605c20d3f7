//! P5: a request id stands for one call, once.

use super::scene::{PROBE, Scene, digest_of};
use crate::node::Plan;
use crate::node::calls::{Done, Kind};
use wire::Outcome;
use wire::error::reasons;
use wire::rpc::RequestId;

const HOUR_US: u64 = 3_600_000_000;

fn body_of(kind: Kind, entity: &str, token: u64) -> Option<bytes::Bytes> {
    Some(kind.request(entity, token).1)
}

#[test]
fn p5_a_second_arrival_while_the_first_is_staged_waits_for_it() {
    let mut scene = Scene::with(Plan { sync_us: (50_000, 50_000), ..Plan::quiet() });
    let client = scene.caller("alice");
    scene.add(client, Kind::Append, "e");
    let call = scene.begin(client, Kind::Append, "e");
    scene.run_ms(5);
    let id = scene.world.calls[call].request_id.clone();
    let mut second = scene.arriving(call, id, None);
    scene.run_ms(20);
    assert!(second.try_recv().is_err(), "answered before the first is on disk");
    let Done::Ran(first) = scene.end(call) else { panic!("it runs") };
    scene.run_ms(200);
    assert_eq!(digest_of(&second.try_recv().expect("answered by now")), digest_of(&first));
    assert_eq!(scene.look("alice", "e").len, 2);
}

#[test]
fn p5_another_payload_is_refused_with_422_staged_or_committed() {
    let mut scene = Scene::with(Plan { sync_us: (50_000, 50_000), ..Plan::quiet() });
    for client in [scene.caller("alice"), scene.session("alice")] {
        let call = scene.begin(client, Kind::Append, "e");
        scene.run_ms(1_000);
        let id = scene.world.calls[call].request_id.clone();
        // For a session the id is good as long as the client waits for the call; here it says that it does.
        for body in [body_of(Kind::Append, "e", 99), body_of(Kind::Append, "e", 98)] {
            let error = scene.arrive(call, id.clone(), body).unwrap_err();
            assert!(error.is(&reasons::ID_REUSED) && error.code == 422, "{error:?}");
        }
    }
    assert_eq!(scene.look("alice", "e").len, 2);
}

#[test]
fn p5_a_late_copy_below_the_sessions_low_does_not_run() {
    let mut scene = Scene::new();
    let client = scene.session("alice");
    let first = scene.begin(client, Kind::Append, "e");
    scene.end(first);
    let old_id = scene.world.calls[first].request_id.clone();
    for _ in 0..3 {
        scene.add(client, Kind::Append, "e");
    }
    let error = scene.arrive(first, old_id.clone(), None).unwrap_err();
    // Nobody may take it for "did not happen".
    assert!(error.is(&reasons::ID_REUSED) && error.outcome == Outcome::Unknown, "{error:?}");
    scene.restart();
    assert!(scene.arrive(first, old_id, None).unwrap_err().is(&reasons::ID_REUSED), "known after a restart too");
    assert_eq!(scene.look("alice", "e").len, 4);
    let rows = scene.ending_rows();
    assert!(rows <= 2, "{rows} replies are kept for a session that waits for none but its last");
}

#[test]
fn p5_a_sessions_reply_survives_a_restart_and_a_dropped_shard() {
    let mut scene = Scene::new();
    let client = scene.session("alice");
    let call = scene.begin(client, Kind::Append, "e");
    let Done::Ran(first) = scene.end(call) else { panic!("it runs") };
    let id = scene.world.calls[call].request_id.clone();
    scene.restart();
    assert_eq!(digest_of(&scene.arrive(call, id.clone(), None)), digest_of(&first));
    scene.world.drop_shard(PROBE);
    assert_eq!(digest_of(&scene.arrive(call, id, None)), digest_of(&first));
    assert_eq!(scene.look("alice", "e").len, 1);
}

#[test]
fn p5_a_refusal_stays_refused_under_its_id() {
    let mut scene = Scene::new();
    let client = scene.caller("alice");
    let call = scene.begin(client, Kind::Refuse, "e");
    let Done::Ran(first @ Err(_)) = scene.end(call) else { panic!("it refuses") };
    let id = scene.world.calls[call].request_id.clone();
    scene.add(client, Kind::Append, "e");
    scene.restart();
    // The words too: they tell the state of that moment.
    assert_eq!(scene.arrive(call, id, None), first);
}

#[test]
fn p5_a_callers_id_survives_a_restart_and_is_over_after_24_hours() {
    let mut scene = Scene::with(Plan { sweep_every_ms: 1000, ..Plan::quiet() });
    let client = scene.caller("alice");
    let call = scene.begin(client, Kind::Append, "e");
    let Done::Ran(first) = scene.end(call) else { panic!("it runs") };
    let id = scene.world.calls[call].request_id.clone();
    scene.restart();
    assert_eq!(digest_of(&scene.arrive(call, id.clone(), None)), digest_of(&first));
    scene.world.sleep(24 * HOUR_US - 60_000_000);
    assert_eq!(digest_of(&scene.arrive(call, id.clone(), None)), digest_of(&first), "a minute before");
    scene.world.sleep(60_000_000);
    scene.run_ms(3_000);
    assert_eq!(scene.ending_rows(), 0, "swept");
    assert_ne!(digest_of(&scene.arrive(call, id, None)), digest_of(&first), "a new call");
}

#[test]
fn p5_ids_of_accounts_endpoints_and_entities_are_apart() {
    let mut scene = Scene::new();
    let (alice, alic) = (scene.caller("alice"), scene.caller("alic"));
    let id = |scene: &Scene, call: usize| scene.world.calls[call].request_id.clone();
    let first = scene.begin(alice, Kind::Append, "e");
    scene.end(first);
    let same = id(&scene, first);
    let theirs = scene.begin(alic, Kind::Append, "e");
    scene.end(theirs);
    for (client, kind, entity) in [(alic, Kind::Append, "e"), (alice, Kind::Peek, "e"), (alice, Kind::Append, "f")] {
        let call = scene.begin(client, kind, entity);
        assert!(scene.arrive(call, same.clone(), None).is_ok());
    }
    assert!(matches!(same, RequestId::Caller(_)));
}
