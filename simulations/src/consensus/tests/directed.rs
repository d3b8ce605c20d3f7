//! Schedules, each named after the bug it traps. Random faults found few of these (RAFT.md §10).
//!
//! Each story holds with all rules on; with its rule left out (feature `mutants`) the checkers must object.

use super::stage::{GROUP, quiet, tell};
use crate::consensus::checkers::Violation;
use crate::consensus::{Kind, Plan, Sabotage, World};
use cluster::consensus::{Change, Input, Mutant};

/// The story holds; without the rule, it does not.
fn traps(plan: &Plan, without: impl Fn(Plan) -> Plan, story: impl Fn(&mut World) -> Result<(), Violation> + Copy) {
    if let Err(why) = tell(plan.clone(), story) {
        panic!("with all rules on: {why}");
    }
    let wrong = without(plan.clone());
    if wrong.mutant.is_none() || cfg!(feature = "mutants") {
        assert!(tell(wrong, story).is_err(), "nobody noticed that the rule is missing");
    }
}

/// §4, P27: a sole voter wins and speaks in one ready; the crash takes its vote, it leads the same term again with
/// other entries, and the learner takes them for the same.
#[test]
fn sole_voter_leaks_an_unsynced_term_when_a_group_grows_from_one_to_two() {
    traps(
        &quiet(1, Kind::Growth),
        |plan| plan.with_mutant(Mutant::SoleVoterSends),
        |world| {
            world.lead(0)?;
            let learner = world.join(1, GROUP);
            world.change_until(0, Change::AddLearner(learner))?;
            world.writes(0, 20)?;
            world.run_for_ms(2_000)?;
            world.crash_losing_all(0);
            world.nodes[0].stalled_until = world.in_ms(60_000);
            world.restart(0)?;
            world.run_for_ms(100)?;
            assert!(world.leads(0), "it leads, and nothing of that is on its disk");
            world.writes(0, 3)?;
            world.run_for_ms(300)?;
            world.crash_losing_all(0);
            world.nodes[0].stalled_until = 0;
            world.restart(0)?;
            world.lead(0)?;
            world.writes(0, 6)
        },
    );
}

/// §1.3, §4: a follower left as sole voter campaigns before its tail is synced.
#[test]
fn a_follower_left_as_sole_voter_campaigns_over_its_unsynced_tail() {
    let plan = Plan { leader_may_leave: true, apply_us_max: 1, ..quiet(2, Kind::Growth) };
    traps(
        &plan,
        |plan| plan.with_mutant(Mutant::SoleVoterTicks),
        |world| {
            world.lead(0)?;
            let second = world.join(1, GROUP);
            world.change_until(0, Change::AddLearner(second))?;
            world.change_until(0, Change::Promote(second))?;
            world.run_for_ms(500)?;
            let first = world.replica(0);
            world.change(0, GROUP, Change::Remove(first));
            // Until the removal is on the follower's disk; what follows it will not be.
            let last = world.view(0, GROUP).map(|view| view.last);
            while world.view(1, GROUP).map(|view| view.last) == last || !world.log_is_idle(1) {
                world.run_until(world.now + 50_000)?;
            }
            world.nodes[1].stalled_until = world.in_ms(4_000);
            (0..3).for_each(|_| assert!(world.write(0, GROUP).is_some()));
            world.run_for_ms(3_900)
        },
    );
}

/// §4, P26: a leader demoted so that one other voter remains answers reads at once, without a quorum.
#[test]
fn a_demoted_leader_reads_without_a_quorum() {
    let story = |world: &mut World| {
        world.lead(0)?;
        let second = world.join(1, GROUP);
        world.change_until(0, Change::AddLearner(second))?;
        world.change_until(0, Change::Promote(second))?;
        world.run_for_ms(500)?;
        let first = world.replica(0);
        world.change(0, GROUP, Change::Demote(first));
        world.run_for_ms(30)?;
        world.isolate(0, world.in_ms(8_000));
        for _ in 0..250 {
            if world.leads(1) {
                world.write(1, GROUP);
            }
            world.read(0, GROUP);
            world.run_for_ms(8)?;
        }
        Ok(())
    };
    let mut found = 0;
    for seed in 0..20 {
        let plan = Plan { leader_may_leave: true, ..quiet(seed, Kind::Growth) };
        tell(plan.clone(), story).expect("it steps down by itself");
        let wrong = tell(plan.with_mutant(Mutant::NonVoterLeads), story);
        found += usize::from(wrong.is_err_and(|why| why.contains("stale read")));
    }
    assert!(found > 0 || cfg!(not(feature = "mutants")), "{found} of 20");
}

/// §3: a snapshot is lost on the way and nobody says so.
#[test]
fn a_lost_snapshot_leaves_its_follower_behind_for_ever() {
    let plan = Plan { healing_ms: 12_000, ..quiet(4, Kind::Three) };
    traps(
        &plan,
        |plan| plan.with_mutant(Mutant::NoSnapshotDeadline),
        |world| {
            world.lead(0)?;
            world.crash(2);
            world.writes(0, 200)?;
            world.run_for_ms(1_000)?;
            world.plan.stream_lost_pm = 1_000;
            world.silent_losses = true;
            world.restart(2)?;
            world.run_for_ms(1_200)?;
            world.plan.stream_lost_pm = 0;
            Ok(())
        },
    );
}

/// §4: two become one; the removed replica is stopped at once; the crash forgets the commit; nobody is left to ask.
#[test]
fn a_removed_replica_is_still_needed_after_a_crash() {
    let plan = Plan { flush_every_ms: 60_000, ..quiet(5, Kind::Growth) };
    traps(
        &plan,
        |plan| plan.with_sabotage(Sabotage::StopRemoved),
        |world| {
            world.lead(0)?;
            let second = world.join(1, GROUP);
            world.change_until(0, Change::AddLearner(second))?;
            world.change_until(0, Change::Promote(second))?;
            world.flush(0, GROUP, false);
            world.run_for_ms(500)?;
            world.nodes[1].stalled_until = 0;
            world.change(0, GROUP, Change::Remove(second));
            // Committed and applied; neither the commit nor the state is on the leader's disk.
            while world.view(0, GROUP).is_some_and(|view| view.conf.voters.len() == 2) {
                world.run_until(world.now + 20_000)?;
            }
            world.nodes[0].stalled_until = world.in_ms(60_000);
            world.run_for_ms(2)?;
            world.destroy_removed();
            world.run_for_ms(5)?;
            world.crash_losing_all(0);
            world.nodes[0].stalled_until = 0;
            world.restart(0)?;
            world.run_for_ms(3_000)
        },
    );
}

/// §2: the commit index is lost at every restart; in the end someone campaigns under a membership two steps old.
/// Random membership worlds find it; this one shows that the kept commit alone forbids the campaign.
#[test]
fn a_lost_commit_lets_an_old_membership_campaign() {
    let plan = quiet(6, Kind::Growth);
    let story = |world: &mut World| {
        world.lead(0)?;
        let second = world.join(1, GROUP);
        world.change_until(0, Change::AddLearner(second))?;
        world.run_for_ms(100)?;
        world.crash(0);
        let kept = world.nodes[0].log.recover(world.replica(0)).hard_state.commit;
        let applied = world.place(0, GROUP).expect("a place").flushed.applied;
        if kept < applied { Err(format!("commit {kept} was not kept, {applied} was applied")) } else { Ok(()) }
    };
    tell(plan, story).expect("the commit is kept");
}

/// §4: ids are used once. A wiped voter under its old id has forgotten what it promised.
#[test]
fn a_wiped_replica_under_its_old_id_forgets_what_it_acknowledged() {
    let plan = quiet(7, Kind::Three);
    let story = |world: &mut World| {
        world.lead(0)?;
        world.run_for_ms(1_000)?;
        world.isolate(2, world.in_ms(60_000));
        world.writes(0, 10)?;
        world.run_for_ms(500)?;
        world.crash(1);
        if world.plan.sabotaged(Sabotage::ReuseIds) {
            world.wipe(1);
        }
        world.crash(0);
        world.network.heal();
        world.restart(1)?;
        world.run_for_ms(8_000)?;
        let leader = world.leader(GROUP).map(|(node, _)| node);
        if let Some(node) = leader {
            world.writes(node, 20)?;
        }
        Ok(())
    };
    tell(plan.clone(), story).expect("with its log it remembers");
    assert!(tell(plan.with_sabotage(Sabotage::ReuseIds), story).is_err());
}

/// Our own find: the library's `batch_append` merges entries into an empty append of another index, and the follower
/// acknowledges what it does not have.
#[test]
fn batched_appends_acknowledge_entries_that_never_came() {
    let mut found = 0;
    for seed in 0..12 {
        let plan =
            Plan { turn_us_max: 2_000, drop_pm: 40, late_pm: 30, late_us_max: 200_000, ..quiet(seed, Kind::Three) };
        let story = |world: &mut World| {
            world.lead(0)?;
            for _ in 0..300 {
                world.write(0, GROUP);
                world.run_for_ms(1)?;
            }
            world.input(0, Input::Tick);
            Ok(())
        };
        tell(plan.clone(), story).expect("without it nothing is lost");
        found += usize::from(cfg!(feature = "mutants") && tell(plan.with_mutant(Mutant::BatchAppend), story).is_err());
    }
    assert!(found > 0 || cfg!(not(feature = "mutants")), "{found} of 12");
}

/// §2: a vote forgotten over a restart elects two leaders in one term. The refusal window is no cure: it only delays.
#[test]
fn a_forgotten_vote_elects_two_leaders_in_one_term() {
    let story = |world: &mut World| {
        world.lead(0)?;
        world.run_for_ms(1_500)?;
        let (term, far) = (world.view(0, GROUP).map(|view| view.term), world.in_ms(60_000));
        // 1 asks for votes in the next term; 0 never hears of that term.
        world.network.cut(1, 0, far);
        let to = world.replica(1);
        world.input(0, Input::Transfer { group: GROUP, to });
        while world.view(1, GROUP).map(|view| view.term) == term {
            world.run_until(world.now + 10_000)?;
        }
        world.isolate(0, far);
        world.input(0, Input::StepDown { group: GROUP });
        while world.view(2, GROUP).map(|view| view.term) == term || !world.log_is_idle(2) {
            world.run_until(world.now + 10_000)?;
        }
        // 2 has voted, durably; its answer is on the way, and 1 will lead alone.
        world.run_until(world.now + 100_000)?;
        world.isolate(1, far);
        world.run_for_ms(10)?;
        world.crash(2);
        world.restart(2)?;
        world.run_for_ms(1_250)?;
        world.network.heal();
        world.isolate(1, far);
        world.run_for_ms(4_000)
    };
    let mut found = 0;
    for seed in 0..30 {
        tell(quiet(seed, Kind::Three), story).expect("with its vote it remembers");
        let wrong = tell(quiet(seed, Kind::Three).with_sabotage(Sabotage::ForgetVote), story);
        found += usize::from(wrong.is_err_and(|why| why.contains("election safety")));
    }
    assert!(found > 0, "in {found} of 30");
    println!("found in {found} of 30");
}
