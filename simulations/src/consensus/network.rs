//! The network: delays, reorders, doubles, drops and cuts, also one way.

use super::plan::Plan;
use super::rng::Rng;
use std::collections::BTreeMap;

/// Which ways are cut, and until when.
#[derive(Default)]
pub struct Network {
    cut_until: BTreeMap<(usize, usize), u64>,
    pub perfect: bool,
}

impl Network {
    /// Nothing passes from `from` to `to` until then.
    pub fn cut(&mut self, from: usize, to: usize, until: u64) {
        let end = self.cut_until.entry((from, to)).or_default();
        *end = (*end).max(until);
    }

    /// Everything passes again.
    pub fn heal(&mut self) {
        self.cut_until.clear();
    }

    pub fn is_cut(&self, from: usize, to: usize, now: u64) -> bool {
        self.cut_until.get(&(from, to)).is_some_and(|until| now < *until)
    }

    /// When copies of a message sent now arrive: none, one or two times.
    pub fn deliveries(&self, from: usize, to: usize, now: u64, plan: &Plan, rng: &mut Rng) -> Vec<u64> {
        let usual = rng.between(plan.delay_us.0, plan.delay_us.1) * 1000;
        if self.perfect {
            return vec![now + usual];
        }
        let late = if rng.chance(plan.late_pm) { rng.below(plan.late_us_max) * 1000 } else { 0 };
        if self.is_cut(from, to, now) || rng.chance(plan.drop_pm) {
            return Vec::new();
        }
        let mut arrivals = vec![now + usual + late];
        if rng.chance(plan.duplicate_pm) {
            arrivals.push(now + usual + rng.below(plan.late_us_max) * 1000);
        }
        arrivals
    }
}
