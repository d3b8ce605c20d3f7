//! What goes wrong, when the plan says so.

use super::life::ShardId;
use super::world::{Event, MS, World};
use cluster::consensus::Input;
use cluster::node::Ask;
use wire::ids::GroupId;

#[derive(Clone, Copy, Debug)]
pub enum Fault {
    Crash,
    /// Leadership of a group goes, with whatever is in flight.
    StepDown,
    /// An actor is gone, its proposals under way, and another comes.
    DropShard,
    /// The machine's clock is set.
    WallJump,
    Disk,
    /// The loop's door turns some proposals away.
    TurnAway,
}

const FAULTS: [Fault; 6] =
    [Fault::Crash, Fault::StepDown, Fault::DropShard, Fault::WallJump, Fault::Disk, Fault::TurnAway];

/// Both ways. A clock that is a day ahead when the node starts is believed, and ids kept for a day are over: no rule
/// forbids that yet.
const WALL_OFF_MAX_NS: i64 = 11 * 3_600 * 1_000_000_000;

impl World {
    pub(super) fn start_faults(&mut self) {
        FAULTS.into_iter().for_each(|fault| self.plan_fault(fault));
    }

    fn plan_fault(&mut self, fault: Fault) {
        let plan = &self.plan;
        let every_ms = match fault {
            Fault::Crash => plan.crash_every_ms,
            Fault::StepDown => plan.step_down_every_ms,
            Fault::DropShard => plan.drop_shard_every_ms,
            Fault::WallJump => plan.wall_jump_every_ms,
            Fault::Disk => plan.disk_error_every_ms,
            Fault::TurnAway => 1000_u64.checked_div(plan.refuse_pm).unwrap_or(0),
        };
        if every_ms > 0 {
            let delay = self.rng.between(every_ms * MS / 4, every_ms * MS * 7 / 4);
            self.at(delay, Event::Fault(fault));
        }
    }

    pub(super) fn strike(&mut self, fault: Fault) -> Result<(), String> {
        if !self.faulty {
            return Ok(());
        }
        self.plan_fault(fault);
        if self.life.is_none() {
            return Ok(());
        }
        match fault {
            Fault::Crash => self.crash(),
            Fault::StepDown => {
                let group = GroupId(self.rng.below(u64::from(self.plan.groups) + 1));
                self.trace.line(self.now, format_args!("{group} steps down"));
                self.living().asks.put(Ask::Input(Input::StepDown { group }));
            }
            Fault::DropShard => {
                let shards: Vec<ShardId> = self.living().hosts.keys().copied().collect();
                if let Some(shard) = self.rng.pick(&shards).copied() {
                    self.drop_shard(shard);
                }
            }
            Fault::WallJump => {
                let spans = [100, 1_000, 60_000, 3_600_000, 20 * 3_600_000];
                let span = self.rng.pick(&spans).copied().unwrap_or(1000) * 1_000_000;
                let by = self.rng.between(0, span) as i64 * if self.rng.chance(500) { 1 } else { -1 };
                let off = (self.clocks.wall_off_ns + by).clamp(-WALL_OFF_MAX_NS, WALL_OFF_MAX_NS);
                self.clocks.wall_off_ns = off;
                self.trace.line(self.now, format_args!("the wall clock is {} ms off", off / 1_000_000));
            }
            Fault::Disk => {
                self.trace.line(self.now, format_args!("the disk will fail"));
                self.fail_disk();
            }
            Fault::TurnAway => {
                let some = self.rng.between(1, 3) as u32;
                *self.living().turned_away.lock().expect("nobody panics with it") = some;
            }
        }
        Ok(())
    }

    /// The shard's actor is gone, what it proposed under way; the next command finds another.
    pub(super) fn drop_shard(&mut self, shard: ShardId) {
        self.counts.shards_dropped += 1;
        self.trace.line(self.now, format_args!("{shard:?} is dropped"));
        self.living().hosts.remove(&shard);
        if !self.living().inbox(shard).is_empty() {
            self.at(1, Event::Wake(self.lives, shard));
        }
    }
}
