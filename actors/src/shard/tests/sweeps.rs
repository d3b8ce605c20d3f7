//! P15: sweeps are entries, bounded, of what is due alone.

use super::ground::{Ground, Proposed, bump, session};
use crate::kit::FadeRequest;
use crate::shard::Step;
use cluster::group::Settled;
use std::time::Duration;
use wire::rpc::RequestId;

/// How many effects a sweep has; it is applied.
fn sweep(ground: &mut Ground) -> usize {
    match ground.shard.sweep(&ground.rows, ground.now).unwrap() {
        None => 0,
        Some(Step::Propose { entry, replies, .. }) => {
            let ops = entry.ops.len();
            ground.settle(Proposed { entry, replies }, Settled::Applied);
            ops
        }
        Some(Step::Confirm { .. }) => panic!("a sweep without effects"),
    }
}

#[test]
fn p15_due_rows_go_in_bounded_portions_and_no_others() {
    let mut ground = Ground::new();
    for n in 0..600 {
        let ttl_ms = if n < 300 { 10 } else { 60_000 };
        ground.call(&FadeRequest { entity: format!("e{n}"), ttl_ms }, RequestId::None).unwrap();
    }
    let all = ground.rows.0.len();
    assert_eq!(sweep(&mut ground), 0, "nothing is due");
    ground.passes(Duration::from_millis(10));
    assert_eq!((sweep(&mut ground), sweep(&mut ground), sweep(&mut ground)), (512, 88, 0));
    assert_eq!(ground.rows.0.len(), all - 600);
}

#[test]
fn p15_sessions_end_ten_minutes_after_their_last_call_in_bounded_portions() {
    let mut ground = Ground::new();
    for n in 1..=400 {
        ground.call(&bump("e", 1), session(n, 1)).unwrap();
    }
    ground.passes(Duration::from_secs(599));
    assert_eq!(sweep(&mut ground), 0);
    ground.passes(Duration::from_secs(1));
    assert_eq!((sweep(&mut ground), sweep(&mut ground), sweep(&mut ground)), (256, 144, 0));
    assert_eq!(ground.rows.0.len(), 1, "the count alone");
    assert!(ground.shard.is_idle());
}

#[test]
fn p15_a_sweep_that_was_lost_is_made_again() {
    let mut ground = Ground::new();
    ground.call(&bump("e", 1), session(1, 1)).unwrap();
    ground.passes(Duration::from_secs(600));
    let lost = ground.shard.sweep(&ground.rows, ground.now).unwrap();
    let Some(Step::Propose { entry, replies, .. }) = lost else { panic!("the session is over") };
    ground.settle(Proposed { entry, replies }, Settled::NotRun);
    ground.open();
    assert_eq!(sweep(&mut ground), 0, "it counts its rest from the view's opening");
    ground.passes(Duration::from_secs(600));
    assert_eq!(sweep(&mut ground), 1);
}
