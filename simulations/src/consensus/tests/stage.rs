//! A quiet world for hand-written schedules: nothing fails unless the story says so.

use crate::consensus::checkers::Violation;
use crate::consensus::{Kind, Plan, Trace, World};
use cluster::consensus::{Change, Role};
use std::panic::{AssertUnwindSafe, catch_unwind};
use wire::ids::{GroupId, ReplicaId};

pub const GROUP: GroupId = GroupId(0);

/// One group; no random fault, no client.
pub fn quiet(seed: u64, kind: Kind) -> Plan {
    Plan {
        groups: 1,
        delay_us: (100, 2_000),
        late_pm: 0,
        drop_pm: 0,
        duplicate_pm: 0,
        sync_us: (100, 1_000),
        slow_sync_pm: 0,
        apply_us_max: 500,
        flip_us_max: 5_000,
        stream_us_max: 5_000,
        stream_lost_pm: 0,
        turn_us_max: 50,
        flush_every_ms: 500,
        drift_ppm_max: 0,
        window_bytes_max: 8_000,
        ..Plan::of_kind(seed, kind)
    }
}

/// Tells a story in a world of that plan; a panic in the core is a violation too.
pub fn tell(plan: Plan, story: impl Fn(&mut World) -> Result<(), Violation>) -> Result<(), Violation> {
    let told = catch_unwind(AssertUnwindSafe(|| {
        let mut world = World::new(plan, Trace::default());
        story(&mut world)?;
        world.heal()
    }));
    told.unwrap_or_else(|panic| Err(format!("panic: {}", crate::consensus::panic_text(&*panic))))
}

impl World {
    /// Runs until a leader serves; with `node`, until that one does, by transfers.
    pub fn lead(&mut self, node: usize) -> Result<(), Violation> {
        for _ in 0..400 {
            self.run_for_ms(50)?;
            match self.leader(GROUP) {
                Some((at, view)) if at == node && view.serving => return Ok(()),
                Some((at, view)) if view.serving => {
                    let to = self.replica(node);
                    self.input(at, cluster::consensus::Input::Transfer { group: GROUP, to });
                }
                _ => {}
            }
        }
        Err(format!("n{node} does not become the leader"))
    }

    /// The replica of the group on a node.
    pub fn replica(&self, node: usize) -> ReplicaId {
        self.place(node, GROUP).expect("a replica").replica
    }

    pub fn leads(&self, node: usize) -> bool {
        self.view(node, GROUP).is_some_and(|view| view.role == Role::Leader)
    }

    /// Some writes at a node, one after the other.
    pub fn writes(&mut self, node: usize, count: usize) -> Result<(), Violation> {
        for _ in 0..count {
            self.write(node, GROUP);
            self.run_for_ms(5)?;
        }
        Ok(())
    }

    /// A change at the leader on `node`, tried until it is in force there.
    pub fn change_until(&mut self, node: usize, change: Change) -> Result<(), Violation> {
        for _ in 0..200 {
            let before = self.view(node, GROUP).map(|view| view.conf);
            self.change(node, GROUP, change.clone());
            self.run_for_ms(50)?;
            let conf = self.view(node, GROUP).map(|view| view.conf);
            if conf != before && conf.is_some_and(|conf| conf.voters_outgoing.is_empty()) {
                return Ok(());
            }
        }
        Err(format!("n{node} cannot make {change:?}"))
    }
}
