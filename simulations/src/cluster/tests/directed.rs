//! The traps of LESSONS §0, each as a schedule over a few seeds, with what must have been met.

use crate::cluster::faults::move_to;
use crate::cluster::world::MS;
use crate::cluster::{Mutant, Plan, World};
use crate::consensus::Trace;
use cluster::topology::Stage;
use std::panic::catch_unwind;
use wire::ids::{GroupId, NodeId, ReplicaId};

const GROUP: GroupId = GroupId(1);
const LONG: u64 = 20_000 * MS;

/// A world of so many nodes in which nothing is left to do.
fn settled(plan: Plan) -> World {
    let nodes = plan.nodes;
    let mut world = World::new(plan, Trace::default());
    world.start();
    until(&mut world, |world| world.counts.joins as usize == nodes - 1 && world.unrest().is_none());
    world
}

fn until(world: &mut World, enough: impl Fn(&World) -> bool) {
    world.run_until(world.now + LONG, &enough).expect("nothing is violated");
    assert!(enough(world), "it comes to that: {:?}", world.unrest());
}

/// The replica of the group on a node, as meta has placed it.
fn on(world: &World, node: u64) -> Option<ReplicaId> {
    let meta = world.machines.iter().filter_map(|at| at.meta.as_ref()).max_by_key(|meta| meta.version())?;
    let here = meta.topology.of(GROUP).find(|p| p.node == NodeId(node) && p.stage == Stage::Here);
    here.map(|placed| placed.replica)
}

/// An operator moves a replica, as soon as meta is led.
fn moves(world: &mut World, replica: ReplicaId, to: u64) {
    until(world, |world| (0..world.machines.len()).any(|at| world.leads_meta(at)));
    assert!(world.script(move |meta| move_to(meta, replica, NodeId(to))));
    until(world, |world| on(world, to).is_some());
}

fn has(world: &World, machine: usize) -> Option<ReplicaId> {
    Some(world.machines[machine].life.as_ref()?.slots[&GROUP].get()?.replica())
}

fn cut_off(world: &mut World, machine: usize, ms: u64) {
    let until = world.now + ms * MS;
    for other in (0..world.machines.len()).filter(|other| *other != machine) {
        world.wires.cut(machine, other, until);
        world.wires.cut(other, machine, until);
    }
}

#[test]
fn a_replica_that_moved_away_comes_back_under_a_new_id_and_is_cut_off_in_mid_replay() {
    for seed in 0..5 {
        let mut world = settled(Plan { chunk_us: (2_000, 9_000), chunk_bytes: 60, ..Plan::calm(seed, 4) });
        let free = (1..=4).find(|node| on(&world, *node).is_none()).expect("three of four have it");
        let home = (2..=4).find(|node| *node != free).expect("a node that is not the founder's");
        let old = on(&world, home).expect("placed");
        moves(&mut world, old, free);
        until(&mut world, |world| on(world, free).is_some() && has(world, home as usize - 1).is_none());
        let there = on(&world, free).expect("placed");
        moves(&mut world, there, home);
        let machine = home as usize - 1;
        until(&mut world, |world| has(world, machine).is_some() && !world.streams.is_empty());
        world.run_until(world.now + 15 * MS, |_| false).expect("nothing is violated");
        assert_ne!(has(&world, machine), Some(old), "an id is used once");
        cut_off(&mut world, machine, 2_500);
        world.run_until(world.now + 1_000 * MS, |_| false).expect("nothing is violated");
        world.crash(machine, 10 * MS);
        world.heal().expect("it heals");
    }
}

#[test]
fn a_voter_restarts_while_an_old_leader_is_cut_off() {
    for seed in 0..10 {
        let mut world = settled(Plan::calm(seed, 3));
        let (old, view) = world.leader(GROUP).expect("led");
        cut_off(&mut world, old, 3_000);
        world.run_until(world.now + 20 * MS, |_| false).expect("nothing is violated");
        world.crash((old + 1) % 3, MS);
        until(&mut world, |world| world.leader(GROUP).is_some_and(|(_, now)| now.term > view.term && now.serving));
        let reads = world.counts.reads;
        world.run_until(world.now + 1_000 * MS, |_| false).expect("no read is behind");
        assert!(world.counts.reads > reads, "the new leader is read from");
        world.heal().expect("it heals");
    }
}

#[test]
fn it_grows_from_one_to_three_with_all_crashing_at_any_step() {
    for step in 0..25 {
        let mut world = World::new(Plan { down_ms_max: 10, ..Plan::calm(step, 3) }, Trace::default());
        world.start();
        for crash in 1..=3 {
            world.run_until(crash * (250 + step * 31) * MS, |_| false).expect("nothing is violated");
            (0..3).for_each(|machine| world.crash(machine, 5 * MS));
        }
        world.heal().expect("it heals");
    }
}

#[test]
fn a_snapshot_cut_off_half_way_is_begun_again() {
    for seed in 0..5 {
        let slow = Plan { chunk_us: (5_000, 9_000), chunk_bytes: 50, ..Plan::calm(seed, 2) };
        let mut world = World::new(slow, Trace::default());
        world.start();
        until(&mut world, |world| !world.streams.is_empty());
        world.run_until(world.now + 20 * MS, |_| false).expect("nothing is violated");
        cut_off(&mut world, 1, 700);
        until(&mut world, |world| world.counts.broken_snapshots > 0);
        world.heal().expect("it heals");
        assert!(world.counts.flips > 0 && world.counts.snapshots > world.counts.flips.min(1));
    }
}

#[test]
fn a_crash_between_flip_and_log_reset_leaves_one_whole_generation() {
    for seed in 0..10 {
        let mut world = World::new(Plan::calm(seed, 3), Trace::default());
        world.start();
        for flips in 1..=3 {
            until(&mut world, |world| world.counts.flips >= flips);
            // The step that flipped was the last: the loop has not heard of it, so no log was reset.
            let flipped = |at: &usize| {
                let slots = &world.machines[*at].life.as_ref()?.slots;
                slots.values().find(|slot| slot.get().is_some_and(|store| store.state().generation.0 > 0)).map(drop)
            };
            let machine = (1..3).find(|at| flipped(at).is_some()).expect("somebody has installed one");
            world.crash(machine, 5 * MS);
        }
        world.heal().expect("it heals");
    }
}

/// Loses a disk in a world at rest; what becomes of it.
fn lose_a_disk(plan: Plan) -> Result<(), String> {
    let mut world = settled(plan);
    let old = on(&world, 2).expect("placed");
    assert!(world.may_lose(1));
    world.wipe(1, 50 * MS);
    world.run_until(world.now + 5_000 * MS, |_| false)?;
    world.heal()?;
    match on(&world, 2) {
        Some(new) if new != old => Ok(()),
        still => Err(format!("{old} was lost, and {still:?} is there")),
    }
}

#[test]
fn a_node_that_lost_its_disk_is_replaced_and_its_old_replicas_never_count() {
    for seed in 0..5 {
        lose_a_disk(Plan::calm(seed, 3)).expect("replaced");
        // By the library's panic, mostly: the old replica has forgotten what it acknowledged.
        let noticed = catch_unwind(|| lose_a_disk(Plan::calm(seed, 3).with_mutant(Mutant::OldIds)));
        assert!(!matches!(noticed, Ok(Ok(()))), "an old id that counts again is noticed");
    }
}
