//! The actor of a shard: the pure [`Shard`] with a mailbox, a clock and a group around it.

use crate::clock::Clock;
use crate::mailbox::Mailbox;
use crate::rows::{Committed, engine_error};
use crate::shard::{Command, Now, Shard, Step};
use cluster::group::{Group, Settled};
use ractor::{Actor, ActorProcessingErr, ActorRef};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use sdk::Service;
use sdk::runtime::expiry;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};
use storage::replica::ReplicaStore;
use wire::error::reasons;

/// A shard with nothing to do goes after this long; the next call brings it back.
const IDLE: Duration = Duration::from_secs(60);

/// What an actor of a shard hears beside its mailbox.
pub enum Msg {
    /// There is something in the mailbox.
    Wake,
    /// A proposal ended.
    Settled { epoch: u64, n: u64, how: Settled },
    /// Look for due rows, and whether to rest.
    Tick,
}

/// What a shard works on.
#[derive(Clone)]
pub struct Seat {
    pub service: Arc<Service>,
    pub group: Arc<dyn Group>,
    pub store: ReplicaStore,
    pub mailbox: Arc<Mailbox>,
    pub clock: Arc<Clock>,
}

pub struct ShardActor;

pub struct State {
    seat: Seat,
    shard: Shard,
    /// Taken from the mailbox, waiting for the view to open.
    pending: VecDeque<Command>,
    random: StdRng,
    used: Instant,
}

impl Actor for ShardActor {
    type Msg = Msg;
    type State = State;
    type Arguments = Seat;

    async fn pre_start(&self, _: ActorRef<Msg>, seat: Seat) -> Result<State, ActorProcessingErr> {
        let shard = Shard::new(seat.service.clone());
        Ok(State { seat, shard, pending: VecDeque::new(), random: StdRng::from_os_rng(), used: Instant::now() })
    }

    async fn handle(&self, myself: ActorRef<Msg>, message: Msg, state: &mut State) -> Result<(), ActorProcessingErr> {
        match message {
            Msg::Wake => {
                state.pending.extend(state.seat.mailbox.drain());
                state.used = Instant::now();
                state.advance(&myself);
            }
            Msg::Settled { epoch, n, how } => state.settled(&myself, epoch, n, how),
            Msg::Tick => state.tick(&myself),
        }
        Ok(())
    }
}

impl State {
    /// Runs what waits, or opens the view it waits for.
    fn advance(&mut self, myself: &ActorRef<Msg>) {
        if self.pending.is_empty() {
            return;
        }
        if self.shard.is_open() {
            self.run(myself);
        } else if self.shard.is_closed() {
            self.open(myself);
        }
    }

    fn open(&mut self, myself: &ActorRef<Msg>) {
        let Some(term) = self.seat.group.leading() else { return self.refuse_pending() };
        match cluster::node::mark(&self.seat.store, self.seat.service.name()) {
            Ok(mark) => self.shard.not_before(wire::Rfc3339(mark.map_or(0, |mark| mark.now_ns))),
            Err(error) => return self.fail_pending(engine_error(error)),
        }
        // Random, so that no life of any node ever opened a view under it before.
        let step = self.shard.open(term, self.random.random(), self.now());
        self.perform(myself, step);
    }

    fn run(&mut self, myself: &ActorRef<Msg>) {
        let now = self.now();
        let mut commands = Some(std::mem::take(&mut self.pending));
        let (shard, random) = (&mut self.shard, &mut self.random);
        let steps = self.seat.store.view(|rows| {
            let commands = commands.take().unwrap_or_default();
            Ok(shard.run(commands, &Committed(rows), now, &mut || random.random()))
        });
        match steps {
            Ok(steps) => steps.into_iter().for_each(|step| self.perform(myself, step)),
            Err(error) => {
                self.pending = commands.unwrap_or_default();
                self.fail_pending(engine_error(error));
            }
        }
    }

    fn perform(&mut self, myself: &ActorRef<Msg>, step: Step) {
        match step {
            Step::Propose { term, entry, replies } => {
                let (myself, epoch, n) = (myself.clone(), replies.epoch, replies.n);
                let done = move |how| {
                    replies.finish(how);
                    // An actor that is gone left nothing behind: its view closes with the next one's opening.
                    let _ = myself.cast(Msg::Settled { epoch, n, how });
                };
                self.seat.group.propose(term, entry, Box::new(done));
            }
            // The only voter, in the same term still, with nothing under way: what was read is the truth.
            Step::Confirm(replies) if self.shard.term().is_some() && self.seat.group.sole() == self.shard.term() => {
                replies.finish(Settled::Applied);
            }
            Step::Confirm(replies) => self.seat.group.read(Box::new(move |answer| {
                replies.finish(if answer.is_ok() { Settled::Applied } else { Settled::NotRun });
            })),
        }
    }

    fn settled(&mut self, myself: &ActorRef<Msg>, epoch: u64, n: u64, how: Settled) {
        let opened = n == 0;
        let result = if opened {
            let shard = &mut self.shard;
            self.seat.store.view(|rows| Ok(shard.settled(epoch, n, how, Some(&Committed(rows)))))
        } else {
            Ok(self.shard.settled(epoch, n, how, None))
        };
        match result {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                self.shard.close();
                return self.fail_pending(error);
            }
            Err(error) => {
                self.shard.close();
                return self.fail_pending(engine_error(error));
            }
        }
        if opened && how != Settled::Applied {
            self.refuse_pending();
        }
        self.advance(myself);
    }

    fn tick(&mut self, myself: &ActorRef<Msg>) {
        if self.shard.is_closed() && self.has_due_rows() {
            return self.open(myself);
        }
        let now = self.now();
        let shard = &mut self.shard;
        match self.seat.store.view(|rows| Ok(shard.sweep(&Committed(rows), now))) {
            Ok(Ok(Some(step))) => return self.perform(myself, step),
            Ok(Ok(None)) => {}
            Ok(Err(error)) => tracing::error!(%error, "due rows cannot be swept"),
            Err(error) => tracing::error!(%error, "due rows cannot be read"),
        }
        let rested = self.used.elapsed() >= IDLE && self.pending.is_empty() && self.shard.is_idle();
        if rested && self.seat.mailbox.detach() {
            myself.stop(Some("idle".into()));
        }
    }

    fn has_due_rows(&self) -> bool {
        let now = self.seat.clock.now();
        let next = self.seat.store.view(|rows| Ok(expiry::next_due(&Committed(rows), self.seat.service.name())));
        matches!(next, Ok(Ok(Some(due))) if due <= now.0)
    }

    fn now(&self) -> Now {
        Now { time: self.seat.clock.now(), instant: Instant::now() }
    }

    fn refuse_pending(&mut self) {
        self.fail_pending(
            reasons::NO_LEADER.refuse("this node does not lead the entity's group just now").retry_after_ms(200),
        );
    }

    fn fail_pending(&mut self, error: wire::Error) {
        for command in self.pending.drain(..) {
            command.reply.send(Err(error.clone().at(&command.endpoint.id())));
        }
    }
}
