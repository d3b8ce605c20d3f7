//! One seed, expanded: everything a run depends on, printed when it fails.

use super::rng::Rng;
use cluster::consensus::{Mutant, Mutants};
use std::fmt;

/// Which shape of world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One voter, alone.
    Alone,
    /// Three voters that stay.
    Three,
    /// Five voters that stay.
    Five,
    /// A group of one that grows to three and shrinks again.
    Growth,
    /// Five nodes; learners, promotions, swaps, demotions, removals, transfers.
    Membership,
    /// Three voters, leases on, clocks that drift.
    Leases,
}

/// Rules the *driver* would break, as opposed to [`Mutant`], which the core breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sabotage {
    /// The vote is forgotten at restart.
    ForgetVote,
    /// The hard state's `commit` is not kept.
    ForgetCommit,
    /// A wiped replica comes back under its old id.
    ReuseIds,
    /// At restart the membership is newer than the applied index.
    NewerConf,
    /// The clock is read before the inbox is drained.
    OldNow,
    /// The log keeps what lay behind a cut.
    StaleTail,
    /// A removed replica is destroyed at once.
    StopRemoved,
}

/// The configuration of one run.
#[derive(Clone)]
pub struct Plan {
    pub seed: u64,
    pub kind: Kind,
    pub nodes: usize,
    pub groups: u64,
    /// Milliseconds of faults, then of healing.
    pub faulty_ms: u64,
    pub healing_ms: u64,
    pub write_every_us: u64,
    pub read_every_us: u64,
    pub lease_read_every_us: u64,
    pub entry_bytes_max: u64,
    pub delay_us: (u64, u64),
    /// Now and then a message is this late.
    pub late_us_max: u64,
    pub late_pm: u64,
    pub drop_pm: u64,
    pub duplicate_pm: u64,
    pub sync_us: (u64, u64),
    pub slow_sync_pm: u64,
    pub slow_sync_us_max: u64,
    pub apply_us_max: u64,
    pub flip_us_max: u64,
    pub stream_us_max: u64,
    pub stream_lost_pm: u64,
    pub flush_every_ms: u64,
    pub turn_us_max: u64,
    /// 0 = never, for each of these.
    pub crash_every_ms: u64,
    pub down_ms_max: u64,
    pub pause_every_ms: u64,
    pub pause_ms_max: u64,
    pub cut_every_ms: u64,
    pub cut_ms_max: u64,
    pub change_every_ms: u64,
    pub transfer_every_ms: u64,
    pub window_bytes_max: usize,
    pub promote_lag_max: u64,
    pub leader_may_leave: bool,
    pub drift_ppm_max: u64,
    pub leases: bool,
    pub mutants: Mutants,
    pub mutant: Option<Mutant>,
    pub sabotage: Option<Sabotage>,
}

impl Plan {
    /// The plan a seed stands for.
    pub fn of(seed: u64) -> Plan {
        let kinds = [
            Kind::Three,
            Kind::Growth,
            Kind::Membership,
            Kind::Three,
            Kind::Five,
            Kind::Leases,
            Kind::Membership,
            Kind::Alone,
        ];
        Plan::of_kind(seed, kinds[(seed % kinds.len() as u64) as usize])
    }

    /// The plan a seed stands for in a given kind of world.
    pub fn of_kind(seed: u64, kind: Kind) -> Plan {
        let mut rng = Rng::new(seed);
        let membership = matches!(kind, Kind::Growth | Kind::Membership);
        let nodes = match kind {
            Kind::Alone => 1,
            Kind::Three | Kind::Leases | Kind::Growth => 3,
            Kind::Five | Kind::Membership => 5,
        };
        let calm = rng.chance(150);
        let hasty = rng.chance(500);
        let every = |rng: &mut Rng, calm: bool, low, high| if calm { 0 } else { rng.between(low, high) };
        Plan {
            seed,
            kind,
            nodes,
            groups: rng.between(1, 2),
            faulty_ms: 20_000,
            healing_ms: 25_000,
            write_every_us: rng.between(10_000, 40_000),
            read_every_us: rng.between(15_000, 60_000),
            lease_read_every_us: rng.between(5_000, 30_000),
            entry_bytes_max: rng.between(16, 300),
            delay_us: (rng.between(50, 500), rng.between(600, 20_000)),
            late_us_max: rng.between(20_000, 1_500_000),
            late_pm: rng.between(0, 30),
            drop_pm: rng.between(0, 60),
            duplicate_pm: rng.between(0, 30),
            sync_us: (rng.between(50, 400), rng.between(500, 15_000)),
            slow_sync_pm: rng.between(0, 20),
            slow_sync_us_max: 900_000,
            apply_us_max: rng.between(100, 30_000),
            flip_us_max: if hasty { rng.between(1_000, 1_500_000) } else { rng.between(1_000, 200_000) },
            stream_us_max: rng.between(5_000, 800_000),
            stream_lost_pm: rng.between(0, 250),
            flush_every_ms: rng.between(200, 3_000),
            turn_us_max: rng.between(10, 2_000),
            crash_every_ms: every(&mut rng, calm, 300, 5_000),
            down_ms_max: if hasty { rng.between(5, 400) } else { rng.between(50, 4_000) },
            pause_every_ms: every(&mut rng, calm, 700, 8_000),
            pause_ms_max: rng.between(100, 2_500),
            cut_every_ms: if nodes == 1 { 0 } else { every(&mut rng, calm, 400, 5_000) },
            cut_ms_max: rng.between(200, 3_000),
            change_every_ms: if membership { rng.between(150, 1_000) } else { 0 },
            transfer_every_ms: if nodes == 1 || rng.chance(200) { 0 } else { rng.between(400, 8_000) },
            window_bytes_max: rng.between(3_000, 40_000) as usize,
            promote_lag_max: rng.between(4, 64),
            leader_may_leave: membership && rng.chance(500),
            drift_ppm_max: if kind == Kind::Leases { 10_000 } else { 200 },
            leases: kind == Kind::Leases,
            mutants: Mutants::default(),
            mutant: None,
            sabotage: None,
        }
    }

    /// The same world with one rule left out of the core.
    pub fn with_mutant(mut self, mutant: Mutant) -> Plan {
        self.mutants = self.mutants.with(mutant);
        self.mutant = Some(mutant);
        self
    }

    /// The same world with one rule left out of the driver.
    pub fn with_sabotage(mut self, sabotage: Sabotage) -> Plan {
        self.sabotage = Some(sabotage);
        self
    }

    pub fn sabotaged(&self, by: Sabotage) -> bool {
        self.sabotage == Some(by)
    }
}

impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plan")
            .field("seed", &self.seed)
            .field("kind", &self.kind)
            .field("nodes", &self.nodes)
            .field("groups", &self.groups)
            .field("faulty_ms, healing_ms", &(self.faulty_ms, self.healing_ms))
            .field(
                "write, read, lease_read every_us",
                &(self.write_every_us, self.read_every_us, self.lease_read_every_us),
            )
            .field("entry_bytes_max", &self.entry_bytes_max)
            .field("delay_us", &self.delay_us)
            .field("late_us_max, late_pm", &(self.late_us_max, self.late_pm))
            .field("drop_pm, duplicate_pm", &(self.drop_pm, self.duplicate_pm))
            .field("sync_us", &self.sync_us)
            .field("slow_sync_pm, slow_sync_us_max", &(self.slow_sync_pm, self.slow_sync_us_max))
            .field(
                "apply, flip, stream, turn us_max",
                &(self.apply_us_max, self.flip_us_max, self.stream_us_max, self.turn_us_max),
            )
            .field("stream_lost_pm", &self.stream_lost_pm)
            .field("flush_every_ms", &self.flush_every_ms)
            .field("crash_every_ms, down_ms_max", &(self.crash_every_ms, self.down_ms_max))
            .field("pause_every_ms, pause_ms_max", &(self.pause_every_ms, self.pause_ms_max))
            .field("cut_every_ms, cut_ms_max", &(self.cut_every_ms, self.cut_ms_max))
            .field("change, transfer every_ms", &(self.change_every_ms, self.transfer_every_ms))
            .field("window_bytes_max, promote_lag_max", &(self.window_bytes_max, self.promote_lag_max))
            .field("leader_may_leave", &self.leader_may_leave)
            .field("drift_ppm_max, leases", &(self.drift_ppm_max, self.leases))
            .field("mutant, sabotage", &(self.mutant, self.sabotage))
            .finish()
    }
}
