//! A shard at work: the pure [`Shard`] between an inbox, a group and a replica's rows.
//!
//! No task, no clock, no thread: the actor around it ([`crate::actor`]) runs it in production, the simulation by hand.

use crate::rows::engine_error;
#[cfg(test)]
mod tests;

pub use crate::rows::{Committed, group_time};
use crate::shard::{Command, Mutants, Now, Shard, Step, sessions_wait};
use cluster::group::{Group, Settled};
use cluster::node::Slot;
use rand::Rng;
use rand::rngs::StdRng;
use sdk::runtime::expiry;
use sdk::{Service, Time};
use std::collections::VecDeque;
use std::sync::Arc;
use storage::replica::ReplicaStore;
use wire::error::reasons;

/// Where commands wait for their shard. Bounded there: nothing is taken out before it can run.
pub trait Inbox: Send + Sync + 'static {
    fn is_empty(&self) -> bool;
    /// Everything that waits, in order.
    fn drain(&self) -> VecDeque<Command>;
}

/// How a proposal of the shard ended; goes back to [`Host::settled`], in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    pub epoch: u64,
    pub n: u64,
    pub how: Settled,
}

/// Brings [`Ended`] back; called on the node's own threads, so it must not block.
pub type Post = Arc<dyn Fn(Ended) + Send + Sync>;

/// What a shard works on.
#[derive(Clone)]
pub struct Place {
    pub service: Arc<Service>,
    pub group: Arc<dyn Group>,
    /// The group's rows, if it has a replica here just now.
    pub rows: Arc<Slot>,
    pub inbox: Arc<dyn Inbox>,
    /// The cluster's own: what sensitive replies are sealed under.
    pub key: [u8; 32],
}

pub struct Host {
    place: Place,
    shard: Shard,
    post: Post,
    random: StdRng,
}

impl Host {
    /// `random` never the same twice: epochs are drawn from it.
    pub fn new(place: Place, post: Post, random: StdRng) -> Host {
        let shard = Shard::new(place.service.clone(), place.key);
        Host { place, shard, post, random }
    }

    /// For the harness alone.
    pub fn with_mutants(mut self, mutants: Mutants) -> Host {
        self.shard.set_mutants(mutants);
        self
    }

    /// Runs what waits, or opens the view it waits for.
    pub fn advance(&mut self, now: Now) {
        if self.place.inbox.is_empty() {
            return;
        }
        // Leadership went, and perhaps came back: a view of another term confirms nothing any more, and while only answers
        // without effects are asked of it no proposal would tell it so.
        if self.shard.opened_in().is_some_and(|term| self.place.group.leading() != Some(term)) {
            self.shard.close();
        }
        if self.shard.is_open() {
            self.run(now);
        } else if self.shard.is_closed() {
            self.open(now);
        }
    }

    /// A proposal ended.
    pub fn settled(&mut self, Ended { epoch, n, how }: Ended, now: Now) {
        let opens = n == 0 && self.shard.is_opening(epoch);
        let store = self.place.rows.get().filter(|_| opens);
        let shard = &mut self.shard;
        let result = match &store {
            Some(store) => store.view(|rows| Ok(shard.settled(epoch, n, how, Some(&Committed(rows))))),
            // An opening without rows, its replica having gone, opens nothing.
            None => Ok(shard.settled(epoch, n, how, None)),
        };
        if let Err(error) = result.unwrap_or_else(|error| Err(engine_error(error))) {
            self.shard.close();
            return self.fail_waiting(error);
        }
        if opens && self.shard.is_closed() {
            return self.refuse_waiting();
        }
        self.advance(now);
    }

    /// Due rows go, and sessions that ended.
    pub fn tick(&mut self, now: Now) {
        let Some(store) = self.place.rows.get() else { return };
        if self.shard.is_closed() {
            if has_work(&store, self.place.service.name(), now.time) {
                self.open(now);
            }
            return;
        }
        let shard = &mut self.shard;
        match store.view(|rows| Ok(shard.sweep(&Committed(rows), now))) {
            Ok(Ok(Some(step))) => self.perform(step),
            Ok(Ok(None)) => {}
            Ok(Err(error)) => tracing::error!(%error, "due rows cannot be swept"),
            Err(error) => tracing::error!(%error, "due rows cannot be read"),
        }
    }

    /// Nothing waits, nothing is under way and nothing is remembered: it may go (P2).
    pub fn is_idle(&self) -> bool {
        self.place.inbox.is_empty() && self.shard.is_idle()
    }

    fn open(&mut self, now: Now) {
        let (Some(term), Some(store)) = (self.place.group.leading(), self.place.rows.get()) else {
            return self.refuse_waiting();
        };
        match cluster::node::mark(&store, self.place.service.name()) {
            Ok(mark) => self.shard.not_before(wire::Rfc3339(mark.map_or(0, |mark| mark.now_ns))),
            Err(error) => return self.fail_waiting(engine_error(error)),
        }
        // Random, so that no life of any node ever opened a view under it before.
        let step = self.shard.open(term, self.random.random(), now);
        self.perform(step);
    }

    fn run(&mut self, now: Now) {
        let Some(store) = self.place.rows.get() else {
            // The replica was taken away with the view open: what it proposed settles on its own.
            self.shard.close();
            return self.refuse_waiting();
        };
        let mut commands = Some(self.place.inbox.drain());
        let (shard, random) = (&mut self.shard, &mut self.random);
        let steps = store.view(|rows| {
            let commands = commands.take().unwrap_or_default();
            Ok(shard.run(commands, &Committed(rows), now, &mut || random.random()))
        });
        match steps {
            Ok(steps) => steps.into_iter().for_each(|step| self.perform(step)),
            Err(error) => fail(commands.unwrap_or_default(), &engine_error(error)),
        }
    }

    fn perform(&mut self, step: Step) {
        match step {
            Step::Propose { term, entry, replies } => {
                let (post, epoch, n) = (self.post.clone(), replies.epoch, replies.n);
                let done = move |how| {
                    replies.finish(how);
                    post(Ended { epoch, n, how });
                };
                self.place.group.propose(term, entry, Box::new(done));
            }
            // The only voter, in the same term still, with nothing under way: what was read is the truth.
            Step::Confirm { term, replies } if self.place.group.sole() == Some(term) => {
                replies.finish(Settled::Applied);
            }
            Step::Confirm { term, replies } => {
                let group = self.place.group.clone();
                self.place.group.read(Box::new(move |answer| {
                    // A follower's round is answered too, by whoever leads now, and says nothing about rows read before
                    // it: only an unbroken term does (P3).
                    let holds = answer.is_ok() && group.leading() == Some(term);
                    replies.finish(if holds { Settled::Applied } else { Settled::NotRun });
                }));
            }
        }
    }

    fn refuse_waiting(&self) {
        self.fail_waiting(
            reasons::NO_LEADER.refuse("this node does not lead the entity's group just now").retry_after_ms(200),
        );
    }

    fn fail_waiting(&self, error: wire::Error) {
        fail(self.place.inbox.drain(), &error);
    }
}

fn fail(commands: VecDeque<Command>, error: &wire::Error) {
    for command in commands {
        command.reply.send(Err(error.clone().at(&command.endpoint.id())));
    }
}

/// Is there anything a shard of `service` would do unasked: rows that are due, sessions that may have ended?
pub fn has_work(store: &ReplicaStore, service: &str, now: Time) -> bool {
    let found = store.view(|rows| {
        let rows = Committed(rows);
        let due = expiry::next_due(&rows, service).map(|next| next.is_some_and(|due| due <= now.0));
        Ok(due.and_then(|due| Ok(due || sessions_wait(&rows, service)?)))
    });
    matches!(found, Ok(Ok(true)))
}
