//! P1: a staged view belongs to one term.

use super::scene::{PROBE, Scene};
use crate::node::Plan;
use crate::node::calls::{Done, Kind};
use cluster::consensus::Input;
use cluster::node::Ask;

/// Words to shards take so long that the next command runs before the shard knows that its ground is gone.
fn slow_words() -> Plan {
    Plan { settle_us: (20_000, 20_000), ..Plan::quiet() }
}

#[test]
fn p1_what_was_staged_on_a_lost_proposal_is_lost_with_it() {
    let mut scene = Scene::with(slow_words());
    let client = scene.bare("alice");
    assert_eq!(scene.add(client, Kind::Append, "e").len, 1);
    scene.run_ms(50);
    *scene.world.living().turned_away.lock().unwrap() = 1;
    let lost = scene.begin(client, Kind::Append, "e");
    scene.run_ms(1);
    // Runs on a view that has the lost item, and is proposed; only the fence can know.
    let built_on_it = scene.begin(client, Kind::Append, "e");
    assert_eq!((scene.end(lost), scene.end(built_on_it)), (Done::NotRun, Done::NotRun));
    scene.run_ms(50);
    assert_eq!(scene.add(client, Kind::Append, "e").len, 2);
    assert_eq!(scene.look("alice", "e").len, 2);
}

#[test]
fn p1_a_lost_term_with_proposals_in_flight() {
    let mut scene = Scene::with(slow_words());
    let client = scene.caller("alice");
    scene.add(client, Kind::Append, "e");
    let before = scene.begin(client, Kind::Append, "e");
    scene.run_ms(1);
    scene.world.living().asks.put(Ask::Input(Input::StepDown { group: PROBE.1 }));
    let behind: Vec<usize> = (0..5).map(|_| scene.begin(client, Kind::Append, "e")).collect();
    // Asked again under their ids until they ran: each once, wherever they stood when the term was lost.
    let all = behind.into_iter().chain([before]).map(|call| scene.end(call)).collect::<Vec<_>>();
    assert!(all.iter().all(|done| matches!(done, Done::Ran(Ok(_)))), "{all:?}");
    assert_eq!(scene.look("alice", "e").len, 7);
}

#[test]
fn p1_a_shard_dropped_in_flight_leaves_what_it_proposed_and_nothing_else() {
    let mut scene = Scene::with(slow_words());
    let client = scene.bare("alice");
    scene.add(client, Kind::Append, "e");
    scene.run_ms(50);
    let proposed = scene.begin(client, Kind::Append, "e");
    scene.world.run_until(scene.world.now + 200, |_| false).unwrap();
    scene.world.drop_shard(PROBE);
    let next = scene.begin(client, Kind::Append, "e");
    assert!(matches!((scene.end(proposed), scene.end(next)), (Done::Ran(Ok(_)), Done::Ran(Ok(_)))));
    assert_eq!(scene.look("alice", "e").items, [1, 2, 3]);
}
