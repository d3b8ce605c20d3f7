//! The second phase: nothing fails any more, so every group must commit, and every member catch up.

use super::checkers::Violation;
use super::world::World;
use cluster::consensus::Ticket;
use std::collections::BTreeMap;
use wire::ids::GroupId;

impl World {
    /// Runs without faults until all is well, or the plan's time is over.
    pub fn heal(&mut self) -> Result<(), Violation> {
        self.end_faults()?;
        self.clients.quiet = true;
        let deadline = self.in_ms(self.plan.healing_ms);
        let mut probes: BTreeMap<GroupId, Ticket> = BTreeMap::new();
        loop {
            self.run_for_ms(250)?;
            self.destroy_removed();
            let mut unwell = Vec::new();
            for group in (0..self.plan.groups).map(GroupId) {
                if let Err(why) = self.is_well(group, &mut probes) {
                    unwell.push(format!("{group}: {why}"));
                }
            }
            if unwell.is_empty() {
                return Ok(());
            }
            if self.now >= deadline {
                return Err(format!(
                    "liveness: {} s after the last fault {}",
                    self.plan.healing_ms / 1000,
                    unwell.join("; ")
                ));
            }
        }
    }

    fn is_well(&mut self, group: GroupId, probes: &mut BTreeMap<GroupId, Ticket>) -> Result<(), String> {
        let Some((node, view)) = self.leader(group) else { return Err("no leader".into()) };
        let probe = probes.get(&group).copied();
        if let Some(ticket) = probe.filter(|ticket| self.is_waiting(*ticket)) {
            return Err(format!("{ticket:?} is not answered"));
        }
        let Some(committed) = probe.and_then(|ticket| self.checkers.outcomes.place_of(ticket)) else {
            let ticket = self.write(node, group).ok_or("the leader is gone")?;
            probes.insert(group, ticket);
            return Err("a first write is under way".into());
        };
        if !view.conf.voters_outgoing.is_empty() {
            return Err(format!("still joint: {:?}", view.conf));
        }
        for member in view.conf.voters.iter().chain(&view.conf.learners) {
            let home = self.homes[member];
            let place = self.place(home, group).filter(|place| place.replica == *member);
            let Some(place) = place else { return Err(format!("{member} is a member and nowhere")) };
            if place.live.applied < committed {
                return Err(format!("{member} has applied {} of {committed}", place.live.applied));
            }
        }
        Ok(())
    }
}
