//! One seed, expanded: everything a run depends on, printed when it fails.

use super::mutants::Mutant;
use crate::consensus::Rng;

/// The configuration of one run. Times end in their unit; `_pm` is in a thousand; `every` 0 = never.
#[derive(Clone, Debug)]
pub struct Plan {
    pub seed: u64,
    /// The founder, and those that join it.
    pub nodes: usize,
    /// Beside meta.
    pub groups: u16,
    /// Milliseconds of faults; then everything must heal.
    pub faulty_ms: u64,
    /// How long after one another nodes join.
    pub join_every_ms: u64,
    pub clients: usize,
    pub think_us: (u64, u64),
    pub value_bytes_max: u64,
    pub delay_us: (u64, u64),
    pub drop_pm: u64,
    pub duplicate_pm: u64,
    pub late_pm: u64,
    pub late_us_max: u64,
    pub turn_us: (u64, u64),
    pub sync_us: (u64, u64),
    pub slow_sync_pm: u64,
    pub slow_sync_us_max: u64,
    pub apply_us: (u64, u64),
    pub flush_every_ms: u64,
    pub chunk_us: (u64, u64),
    pub chunk_bytes: usize,
    /// A chunk is the last that arrives.
    pub break_chunk_pm: u64,
    pub snapshot_max_ms: u64,
    pub window_bytes_max: usize,
    pub segment_bytes: u32,
    pub crash_every_ms: u64,
    pub down_ms_max: u64,
    /// All machines at once.
    pub power_every_ms: u64,
    pub pause_every_ms: u64,
    pub pause_ms_max: u64,
    pub cut_every_ms: u64,
    pub cut_ms_max: u64,
    /// A replica moves to another node.
    pub move_every_ms: u64,
    /// The number of replicas changes.
    pub resize_every_ms: u64,
    pub wipe_every_ms: u64,
    pub mutant: Option<Mutant>,
}

impl Plan {
    /// The plan a seed stands for.
    pub fn of(seed: u64) -> Plan {
        let mut rng = Rng::new(seed ^ 0xC1A5);
        let calm = rng.chance(50);
        let mut every = |pm: u64, low: u64, high: u64| {
            let (happens, ms) = (rng.chance(pm), rng.between(low, high));
            if happens && !calm { ms } else { 0 }
        };
        let crash_every_ms = every(700, 700, 5000);
        let power_every_ms = every(300, 3000, 12_000);
        let pause_every_ms = every(400, 2000, 8000);
        let cut_every_ms = every(700, 500, 4000);
        let move_every_ms = every(600, 1000, 5000);
        let resize_every_ms = every(300, 3000, 9000);
        let wipe_every_ms = every(400, 3000, 8000);
        let rough = rng.chance(600) && !calm;
        Plan {
            seed,
            nodes: *rng.pick(&[1, 2, 3, 3, 3, 4, 4, 5]).unwrap_or(&3),
            groups: rng.between(1, 2) as u16,
            faulty_ms: rng.between(10_000, 20_000),
            join_every_ms: rng.between(100, 2500),
            clients: rng.between(1, 3) as usize,
            think_us: (2_000, rng.between(20_000, 120_000)),
            value_bytes_max: *rng.pick(&[8, 100, 600]).unwrap_or(&100),
            delay_us: (100, rng.between(300, 8_000)),
            drop_pm: if rough { rng.between(0, 60) } else { 0 },
            duplicate_pm: if rough { rng.between(0, 40) } else { 0 },
            late_pm: if rough { rng.between(0, 50) } else { 0 },
            late_us_max: rng.between(5_000, 400_000),
            turn_us: (5, rng.between(50, 1500)),
            sync_us: (100, rng.between(500, 6_000)),
            slow_sync_pm: if rough { rng.between(0, 20) } else { 0 },
            slow_sync_us_max: 900_000,
            apply_us: (5, rng.between(100, 4_000)),
            flush_every_ms: rng.between(100, 1200),
            chunk_us: (100, rng.between(500, 60_000)),
            chunk_bytes: rng.between(40, 2_000) as usize,
            break_chunk_pm: if rough { rng.between(0, 80) } else { 0 },
            snapshot_max_ms: rng.between(1_500, 3_000),
            window_bytes_max: rng.between(1_000, 20_000) as usize,
            segment_bytes: 64 << 10,
            crash_every_ms,
            down_ms_max: rng.between(1, 3_000),
            power_every_ms,
            pause_every_ms,
            pause_ms_max: *rng.pick(&[1_000, 3_000, 40_000]).unwrap_or(&1_000),
            cut_every_ms,
            cut_ms_max: rng.between(500, 6_000),
            move_every_ms,
            resize_every_ms,
            wipe_every_ms,
            mutant: None,
        }
    }

    /// A world in which nothing goes wrong by itself, for directed tests.
    pub fn calm(seed: u64, nodes: usize) -> Plan {
        Plan {
            nodes,
            groups: 1,
            faulty_ms: 0,
            join_every_ms: 300,
            clients: 2,
            think_us: (2_000, 20_000),
            value_bytes_max: 100,
            delay_us: (100, 800),
            drop_pm: 0,
            duplicate_pm: 0,
            late_pm: 0,
            turn_us: (5, 50),
            sync_us: (100, 500),
            slow_sync_pm: 0,
            apply_us: (5, 100),
            flush_every_ms: 200,
            chunk_us: (100, 500),
            chunk_bytes: 200,
            break_chunk_pm: 0,
            crash_every_ms: 0,
            power_every_ms: 0,
            pause_every_ms: 0,
            cut_every_ms: 0,
            move_every_ms: 0,
            resize_every_ms: 0,
            wipe_every_ms: 0,
            ..Plan::of(seed)
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
