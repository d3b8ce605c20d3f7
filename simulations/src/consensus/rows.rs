//! The state side of a node: applies in order, flushes, snapshots, flips.

use super::checkers::Violation;
use super::disk::State;
use super::node::Job;
use super::world::{Event, MS, World};
use cluster::consensus::{Happening, Input, SnapshotHandle, SnapshotId};
use wire::ids::{GroupId, ReplicaId};

/// The value in an entry's bytes.
pub fn value_of(bytes: &[u8]) -> u64 {
    bytes.iter().take(8).fold(0, |value, byte| value << 8 | u64::from(*byte))
}

impl World {
    pub fn add_job(&mut self, node: usize, group: GroupId, job: Job) {
        let flips = matches!(job, Job::Flip { .. });
        let jobs = self.nodes[node].jobs.entry(group).or_default();
        jobs.push_back(job);
        if jobs.len() == 1 {
            self.begin_job(node, group, flips);
        }
    }

    fn begin_job(&mut self, node: usize, group: GroupId, flips: bool) {
        let most = if flips { self.plan.flip_us_max } else { self.plan.apply_us_max };
        let when = self.now + self.rng.below(most) * 1000;
        self.at(when, Event::JobDone { node, life: self.nodes[node].life, group });
    }

    pub fn job_done(&mut self, node: usize, group: GroupId) -> Result<(), Violation> {
        let Some(jobs) = self.nodes[node].jobs.get_mut(&group) else { return Ok(()) };
        let Some(job) = jobs.pop_front() else { return Ok(()) };
        let next = jobs.front().map(|next| matches!(next, Job::Flip { .. }));
        match job {
            Job::Apply(entries) => {
                let Some(place) = self.nodes[node].places.get_mut(&group) else { return Ok(()) };
                for entry in &entries {
                    if entry.index.0 != place.live.applied.0 + 1 {
                        return Err(format!("n{node} applies {} of {group} after {}", entry.index, place.live.applied));
                    }
                    if let Happening::Members(conf) = &entry.what {
                        self.clients.membership(group, &place.live.conf, conf, entry.index);
                    }
                    place.live.apply(entry.index, entry.term, &entry.what);
                    self.checkers.agreement.applied(group, place.replica, &place.live)?;
                    match &entry.what {
                        Happening::Entry(bytes) => {
                            self.checkers.outcomes.applied(group, entry.index, value_of(bytes), entry.ticket)?;
                        }
                        Happening::Members(_) => self.changes += 1,
                        Happening::Nothing => {}
                    }
                }
                let index = place.live.applied;
                self.input(node, Input::Applied { group, index });
            }
            Job::Flip { generation, applied, conf } => {
                let Some(place) = self.nodes[node].places.get_mut(&group) else { return Ok(()) };
                let Some(state) = place.staged.remove(&generation) else {
                    return Err(format!("n{node} flips {group} to {generation:?}, which is not staged"));
                };
                if (state.applied, state.term) != (applied.index, applied.term) || state.conf != conf {
                    return Err(format!("n{node} flips {group} to {state:?}, told {applied:?} {conf:?}"));
                }
                self.installs += 1;
                place.live = state.clone();
                place.flushed = state;
                self.checkers.agreement.applied(group, place.replica, &place.live)?;
                self.input(node, Input::Flipped { group, generation });
            }
        }
        if let Some(flips) = next {
            self.begin_job(node, group, flips);
        }
        Ok(())
    }

    pub fn schedule_flush(&mut self, node: usize, group: GroupId) {
        let when = self.now + self.rng.between(self.plan.flush_every_ms / 2, self.plan.flush_every_ms) * MS;
        self.at(when, Event::Flush { node, life: self.nodes[node].life, group, again: true });
    }

    /// Begins a flush of what the state shows now.
    pub fn flush(&mut self, node: usize, group: GroupId, again: bool) {
        let Some(place) = self.nodes[node].places.get(&group) else { return };
        let (replica, state) = (place.replica, place.live.clone());
        let when = self.now + self.rng.between(1, 30) * MS;
        self.at(when, Event::Flushed { node, life: self.nodes[node].life, group, replica, state });
        if again {
            self.schedule_flush(node, group);
        }
    }

    pub fn flushed(&mut self, node: usize, group: GroupId, replica: ReplicaId, state: State) {
        let place = self.nodes[node].places.get_mut(&group);
        let Some(place) = place.filter(|place| place.replica == replica) else { return };
        if state.applied > place.flushed.applied {
            let index = state.applied;
            place.flushed = state;
            self.input(node, Input::Flushed { group, index });
        }
    }

    pub fn built(&mut self, node: usize, group: GroupId) {
        let id = SnapshotId(self.nodes[node].next_serial());
        let Some(state) = self.nodes[node].places.get(&group).map(|place| place.live.clone()) else { return };
        let handle = SnapshotHandle { group, id, index: state.applied, term: state.term, conf: state.conf.clone() };
        self.nodes[node].snapshots.insert(id, state);
        self.input(node, Input::SnapshotBuilt(handle));
    }

    /// The replica is destroyed: its rows and what waited for them go.
    pub fn clear_place(&mut self, node: usize, group: GroupId, replica: ReplicaId) {
        if self.nodes[node].places.get(&group).is_some_and(|place| place.replica == replica) {
            self.nodes[node].places.remove(&group);
            self.nodes[node].jobs.remove(&group);
        }
    }
}
