//! P13: the group's clock. P15: sweeps. P18: what the log may forget.

use super::scene::{PROBE, Scene};
use crate::node::Plan;
use crate::node::calls::Kind;
use crate::node::world::{Event, MS};

const SECOND_NS: i64 = 1_000_000_000;

#[test]
fn p13_a_clock_set_ahead_expires_nothing_at_once() {
    let mut scene = Scene::new();
    let client = scene.bare("alice");
    let before = scene.add(client, Kind::Lend { ttl_ms: 60_000 }, "e").now_ns;
    scene.world.clocks.wall_off_ns += 86_400 * SECOND_NS;
    for _ in 0..200 {
        assert_eq!(scene.look("alice", "e").lent.len(), 1);
    }
    let now_ns = scene.add(client, Kind::Append, "e").now_ns;
    assert!(now_ns - before < 2 * SECOND_NS, "it leapt {} ns", now_ns - before);
}

#[test]
fn p13_the_clock_never_goes_back_not_even_over_restarts() {
    let mut scene = Scene::new();
    let client = scene.bare("alice");
    let mut last = 0;
    for _ in 0..6 {
        let position = scene.add(client, Kind::Lend { ttl_ms: 1 }, "e");
        assert!(position.now_ns >= last, "{} after {last}", position.now_ns);
        last = position.now_ns;
        scene.world.clocks.wall_off_ns -= 3_600 * SECOND_NS;
        // Twice: the first opening of a view after a restart leaves a mark, too.
        scene.restart();
        scene.add(client, Kind::Append, "other");
        scene.restart();
    }
}

#[test]
fn p13_a_query_after_a_restart_is_not_before_what_was_committed() {
    let mut scene = Scene::new();
    let client = scene.bare("alice");
    scene.run_ms(1000);
    let committed = scene.add(client, Kind::Append, "e").now_ns;
    scene.world.clocks.wall_off_ns -= 3_600 * SECOND_NS;
    // What was flushed, and so the marks read at the start, is from the founding.
    scene.restart();
    assert!(scene.look("alice", "e").now_ns >= committed);
}

#[test]
fn p15_a_sweep_is_bounded_and_in_the_end_nothing_is_left() {
    let mut scene = Scene::new();
    let client = scene.bare("alice");
    let calls: Vec<usize> = (0..700).map(|n| scene.begin(client, Kind::Lend { ttl_ms: 1 }, &format!("e{n}"))).collect();
    calls.into_iter().for_each(|call| drop(scene.end(call)));
    scene.run_ms(10);
    let mut before = scene.ending_rows();
    assert_eq!(before, 2 * 700, "a row and its place in the index each");
    let life = scene.world.lives;
    while before > 0 {
        scene.world.plan.sweep_every_ms = 3_600_000;
        scene.world.at(0, Event::Sweep(life));
        scene.run_ms(20);
        let left = scene.ending_rows();
        assert!(left < before && before - left <= 2 * 256, "one sweep took {} rows", before - left);
        before = left;
    }
}

#[test]
fn p15_sessions_end_ten_minutes_after_their_last_call_also_where_nobody_calls_again() {
    let mut scene = Scene::with(Plan { sweep_every_ms: 1000, ..Plan::quiet() });
    for _ in 0..40 {
        let client = scene.session("alice");
        let calls: Vec<usize> = (0..10).map(|_| scene.begin(client, Kind::Append, "e")).collect();
        calls.into_iter().for_each(|call| drop(scene.end(call)));
    }
    assert!(scene.ending_rows() > 256);
    // The shard is not asked for after this restart: it must find by itself what there is to forget.
    scene.restart();
    scene.run_ms(2_000);
    scene.world.sleep(11 * 60_000 * MS);
    scene.run_ms(10_000);
    assert_eq!(scene.ending_rows(), 0);
}

#[test]
fn p18_the_log_forgets_only_what_is_flushed() {
    let mut scene = Scene::with(Plan { window_bytes_max: 8 << 10, ..Plan::quiet() });
    let client = scene.bare("alice");
    for _ in 0..120 {
        scene.add(client, Kind::Fill { rows: 2, bytes: 200 }, "e");
    }
    assert_eq!(scene.world.counts.purges, 0, "purged what only the log has");
    scene.restart();
    assert_eq!(scene.look("alice", "e").len, 120);
    scene.world.plan.flush_every_ms = 50;
    scene.world.at(0, Event::Flush(scene.world.lives));
    for _ in 0..120 {
        scene.add(client, Kind::Fill { rows: 2, bytes: 200 }, "e");
    }
    assert!(scene.world.counts.purges > 0, "nothing was purged");
    for _ in 0..3 {
        scene.restart();
        assert_eq!(scene.look("alice", "e").len, 240);
        assert!(scene.world.living().stores[&PROBE.1].state().applied.0 > 100);
    }
}
