//! One seed, expanded: everything a run depends on, printed when it fails.

use super::mutants::Mutant;
use crate::consensus::Rng;

/// The configuration of one run. Times end in their unit; `_pm` is in a thousand.
#[derive(Clone, Debug)]
pub struct Plan {
    pub seed: u64,
    pub groups: u16,
    /// Milliseconds of faults; then everything must heal.
    pub faulty_ms: u64,
    pub clients: usize,
    /// Calls one client has under way at most.
    pub pipeline: u64,
    pub think_us: (u64, u64),
    pub patience_us: (u64, u64),
    pub network_us: (u64, u64),
    pub lost_calls_pm: u64,
    pub lost_replies_pm: u64,
    /// A copy of a call arrives again, this much later at most.
    pub copies_pm: u64,
    pub copies_late_us_max: u64,
    pub tick_ms: u64,
    pub turn_us: (u64, u64),
    pub sync_us: (u64, u64),
    pub slow_sync_pm: u64,
    pub slow_sync_us_max: u64,
    pub apply_us: (u64, u64),
    /// From the applier or the loop back to a shard.
    pub settle_us: (u64, u64),
    pub wake_us: (u64, u64),
    pub flush_every_ms: u64,
    pub sweep_every_ms: u64,
    pub window_bytes_max: usize,
    pub uncommitted_bytes_max: u64,
    pub apply_bytes_max: u64,
    pub segment_bytes: u32,
    /// A proposal is turned away at the loop's door, in a thousand.
    pub refuse_pm: u64,
    /// 0 = never, for each of these.
    pub crash_every_ms: u64,
    pub down_ms_max: u64,
    pub step_down_every_ms: u64,
    pub drop_shard_every_ms: u64,
    pub wall_jump_every_ms: u64,
    pub disk_error_every_ms: u64,
    pub mutant: Option<Mutant>,
}

impl Plan {
    /// The plan a seed stands for.
    pub fn of(seed: u64) -> Plan {
        let mut rng = Rng::new(seed ^ 0x0DE5);
        let calm = rng.chance(50);
        let mut every = |pm: u64, low: u64, high: u64| {
            let (happens, ms) = (rng.chance(pm), rng.between(low, high));
            if happens && !calm { ms } else { 0 }
        };
        let crash_every_ms = every(900, 200, 2500);
        let step_down_every_ms = every(600, 150, 2500);
        let drop_shard_every_ms = every(500, 50, 1500);
        let wall_jump_every_ms = every(500, 100, 2000);
        let disk_error_every_ms = every(200, 500, 3000);
        let refuse_pm = every(300, 1, 30);
        let lossy = rng.chance(700) && !calm;
        let mut pm = |most: u64| {
            let pm = rng.between(0, most);
            if lossy { pm } else { 0 }
        };
        let (lost_calls_pm, lost_replies_pm, copies_pm) = (pm(60), pm(120), pm(150));
        Plan {
            seed,
            groups: rng.between(1, 2) as u16,
            faulty_ms: rng.between(3000, 6000),
            clients: rng.between(3, 6) as usize,
            pipeline: rng.between(1, 6),
            think_us: (0, rng.between(2_000, 60_000)),
            patience_us: (rng.between(5_000, 100_000), rng.between(100_000, 800_000)),
            network_us: (20, rng.between(50, 5_000)),
            lost_calls_pm,
            lost_replies_pm,
            copies_pm,
            copies_late_us_max: rng.between(1_000, 1_500_000),
            tick_ms: *rng.pick(&[5, 10, 20, 50]).unwrap_or(&10),
            turn_us: (1, rng.between(2, 500)),
            sync_us: (rng.between(20, 200), rng.between(200, 10_000)),
            slow_sync_pm: rng.between(0, 40),
            slow_sync_us_max: rng.between(10_000, 900_000),
            apply_us: (1, rng.between(5, 5_000)),
            settle_us: (1, rng.between(2, 5_000)),
            wake_us: (1, rng.between(2, 1_000)),
            flush_every_ms: rng.between(50, 2_000),
            sweep_every_ms: rng.between(50, 1_000),
            window_bytes_max: rng.between(8 << 10, 256 << 10) as usize,
            uncommitted_bytes_max: *rng
                .pick(&[2 << 10, 16 << 10, 256 << 10, 32 << 20, 32 << 20])
                .unwrap_or(&(32 << 20)),
            apply_bytes_max: *rng.pick(&[1 << 10, 64 << 10, 1 << 20]).unwrap_or(&(1 << 20)),
            segment_bytes: (rng.between(1, 3) << 20) as u32,
            refuse_pm,
            crash_every_ms,
            down_ms_max: rng.between(1, 300),
            step_down_every_ms,
            drop_shard_every_ms,
            wall_jump_every_ms,
            disk_error_every_ms,
            mutant: None,
        }
    }

    /// Nothing fails and nothing is slow: the ground of directed tests.
    pub fn quiet() -> Plan {
        Plan {
            seed: 0,
            groups: 1,
            faulty_ms: 0,
            clients: 0,
            pipeline: 1,
            think_us: (1000, 1000),
            patience_us: (10_000_000, 10_000_000),
            network_us: (20, 20),
            lost_calls_pm: 0,
            lost_replies_pm: 0,
            copies_pm: 0,
            copies_late_us_max: 0,
            tick_ms: 10,
            turn_us: (5, 5),
            sync_us: (500, 500),
            slow_sync_pm: 0,
            slow_sync_us_max: 0,
            apply_us: (20, 20),
            settle_us: (10, 10),
            wake_us: (5, 5),
            flush_every_ms: 0,
            sweep_every_ms: 0,
            window_bytes_max: 16 << 20,
            uncommitted_bytes_max: 32 << 20,
            apply_bytes_max: 1 << 20,
            segment_bytes: 1 << 20,
            refuse_pm: 0,
            crash_every_ms: 0,
            down_ms_max: 1,
            step_down_every_ms: 0,
            drop_shard_every_ms: 0,
            wall_jump_every_ms: 0,
            disk_error_every_ms: 0,
            mutant: None,
        }
    }

    /// The same world with one rule left out.
    pub fn with_mutant(self, mutant: Mutant) -> Plan {
        Plan { mutant: Some(mutant), ..self }
    }

    pub fn has(&self, mutant: Mutant) -> bool {
        self.mutant == Some(mutant)
    }
}
