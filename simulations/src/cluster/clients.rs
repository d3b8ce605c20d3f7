//! The load: clients that propose fenced entries to whoever leads, as a shard does, and read through it.

use super::life::EntryId;
use super::world::{Event, World};
use bytes::Bytes;
use cluster::entry::{Entry, Fence};
use cluster::group::{Group, Settled};
use storage::state::Op;
use wire::ids::{GroupId, Term};

/// Rows of clients begin with it; marks and meta have others.
pub const ROW: u8 = 9;
const KEYS: u64 = 12;

/// One writer of one group.
pub struct Client {
    pub group: GroupId,
    /// Its view: on which machine, in which life and term, under which epoch, and how far.
    view: Option<(usize, u64, Term, u64, u64)>,
    sent: u64,
    /// Entries acknowledged and reads answered since faults stopped.
    pub healed: (u64, u64),
}

impl World {
    pub(super) fn start_clients(&mut self) {
        for group in (0..=u64::from(self.plan.groups)).map(GroupId) {
            for _ in 0..if group == GroupId::META { 1 } else { self.plan.clients } {
                self.clients.push(Client { group, view: None, sent: 0, healed: (0, 0) });
                let delay = self.rng.below(1_000_000);
                self.at(delay, Event::Client(self.clients.len() - 1));
            }
        }
    }

    pub(super) fn client_step(&mut self, number: usize) -> Result<(), String> {
        let think = self.delay(self.plan.think_us);
        let slower = if self.clients[number].group == GroupId::META { 5 } else { 1 };
        self.at(think * slower, Event::Client(number));
        let group = self.clients[number].group;
        // Whoever believes to lead, an old leader too.
        let leading = |at: &usize| {
            let life = self.machines[*at].life.as_ref().filter(|_| !self.machines[*at].paused)?;
            Some((*at, life.handles[&group].leading()?))
        };
        let leaders: Vec<(usize, Term)> = (0..self.machines.len()).filter_map(|at| leading(&at)).collect();
        if self.rng.chance(400) {
            let followers = self.rng.chance(300);
            let all: Vec<usize> = (0..self.machines.len()).filter(|at| self.machines[*at].life.is_some()).collect();
            let any = if followers { self.rng.pick(&all).copied() } else { self.rng.pick(&leaders).map(|(at, _)| *at) };
            any.filter(|at| !self.machines[*at].paused).into_iter().for_each(|at| self.read(number, at, group));
        } else if let Some((machine, term)) = self.rng.pick(&leaders).copied() {
            self.propose(number, machine, term);
        }
        Ok(())
    }

    fn propose(&mut self, number: usize, machine: usize, term: Term) {
        let life = self.machines[machine].lives;
        let fits = |view: &(usize, u64, Term, u64, u64)| (view.0, view.1, view.2) == (machine, life, term);
        if !self.clients[number].view.is_some_and(|view| fits(&view)) {
            let epoch = self.epoch();
            self.clients[number].view = Some((machine, life, term, epoch, 0));
            self.propose_one(number, machine, term, epoch, 0);
        }
        for _ in 0..self.rng.between(1, 3) {
            let Some((.., epoch, n)) = &mut self.clients[number].view else { return };
            *n += 1;
            let (epoch, n) = (*epoch, *n);
            self.propose_one(number, machine, term, epoch, n);
        }
        self.plan_parts(machine);
    }

    fn propose_one(&mut self, number: usize, machine: usize, term: Term, epoch: u64, n: u64) {
        self.clients[number].sent += 1;
        let (sent, group) = (self.clients[number].sent, self.clients[number].group);
        let key = Bytes::from(vec![ROW, number as u8, self.rng.below(KEYS) as u8]);
        let mut value = sent.to_be_bytes().to_vec();
        value.resize(8 + self.rng.below(self.plan.value_bytes_max) as usize, sent as u8);
        let ops = match n {
            0 => vec![],
            _ if self.rng.chance(100) => vec![Op::Delete { key }],
            _ => vec![Op::Put { key, value: value.into() }],
        };
        let fence = Fence { writer: format!("client-{number}"), epoch, n };
        let id: EntryId = (group, fence.writer.clone(), epoch, n);
        let now_ns = self.wall_ns();
        let life = self.living(machine);
        let settled = life.settled.clone();
        let done = Box::new(move |how| settled.put((id, how)));
        life.handles[&group].propose(term, Entry { fence, now_ns, ops }, done);
    }

    fn read(&mut self, number: usize, machine: usize, group: GroupId) {
        let floor = self.checkers.history.shown(group);
        let life = self.living(machine);
        let reads = life.reads.clone();
        let done = Box::new(move |answer: Result<(), _>| reads.put((number, floor, answer.is_ok())));
        life.handles[&group].read(done);
        self.plan_parts(machine);
    }

    /// Answers, as soon as the part that gave them is done with its step.
    pub(super) fn hear_clients(&mut self, machine: usize) -> Result<(), String> {
        while let Some((id, how)) = self.machines[machine].life.as_ref().and_then(|life| life.settled.take()) {
            self.checkers.history.settled(&id, how)?;
            self.trace.line(self.now, format_args!("{id:?} {how:?}"));
            let client: usize = id.1.trim_start_matches("client-").parse().map_err(|_| "no client's entry")?;
            let client = &mut self.clients[client];
            match how {
                Settled::Applied => {
                    self.counts.acknowledged += 1;
                    client.healed.0 += u64::from(!self.faulty);
                }
                Settled::NotRun => self.counts.not_run += 1,
                Settled::Unknown => self.counts.unknown += 1,
            }
            if how != Settled::Applied && client.view.is_some_and(|view| view.3 == id.2) {
                client.view = None;
            }
        }
        while let Some((number, floor, held)) = self.machines[machine].life.as_ref().and_then(|life| life.reads.take())
        {
            let group = self.clients[number].group;
            let slot = &self.living(machine).slots[&group];
            let Some(store) = slot.get().filter(|_| held) else { continue };
            let state = store.view(|rows| Ok(rows.state().clone())).map_err(|error| error.to_string())?;
            if state.applied.0 < floor {
                let replica = store.replica();
                return Err(format!(
                    "a read of {group} at {replica} shows {}, and {floor} was shown before it",
                    state.applied
                ));
            }
            self.checkers.history.show(group, state.applied.0);
            self.counts.reads += 1;
            self.clients[number].healed.1 += u64::from(!self.faulty);
        }
        Ok(())
    }
}
