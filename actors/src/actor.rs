//! The actor of a shard: a [`Host`] with a mailbox, the node's clock, and rest when nobody calls.

use crate::clock::Clock;
use crate::host::{Ended, Host, Place};
use crate::mailbox::Mailbox;
use crate::shard::Now;
use cluster::group::Group;
use cluster::node::Slot;
use ractor::{Actor, ActorProcessingErr, ActorRef};
use rand::SeedableRng;
use rand::rngs::StdRng;
use sdk::Service;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What an actor of a shard hears beside its mailbox.
pub enum Msg {
    /// There is something in the mailbox.
    Wake,
    /// A proposal ended.
    Settled(Ended),
    /// Look for due rows, and whether to rest.
    Tick,
}

/// What a shard works on, and how.
#[derive(Clone)]
pub struct Seat {
    pub service: Arc<Service>,
    pub group: Arc<dyn Group>,
    pub rows: Arc<Slot>,
    pub mailbox: Arc<Mailbox>,
    pub clock: Arc<Clock>,
    /// The cluster's own.
    pub key: [u8; 32],
    /// A shard with nothing to do goes after this long; the next call brings it back.
    pub idle: Duration,
}

pub struct ShardActor;

pub struct State {
    seat: Seat,
    host: Host,
    used: Instant,
}

impl Actor for ShardActor {
    type Msg = Msg;
    type State = State;
    type Arguments = Seat;

    async fn pre_start(&self, myself: ActorRef<Msg>, seat: Seat) -> Result<State, ActorProcessingErr> {
        let place = Place {
            service: seat.service.clone(),
            group: seat.group.clone(),
            rows: seat.rows.clone(),
            inbox: seat.mailbox.clone(),
            key: seat.key,
        };
        // An actor that is gone left nothing behind: its view closes with the next one's opening.
        let post = Arc::new(move |ended| drop(myself.cast(Msg::Settled(ended))));
        Ok(State { seat, host: Host::new(place, post, StdRng::from_os_rng()), used: Instant::now() })
    }

    async fn handle(&self, myself: ActorRef<Msg>, message: Msg, state: &mut State) -> Result<(), ActorProcessingErr> {
        let now = Now { time: state.seat.clock.now(), instant: Instant::now() };
        match message {
            Msg::Wake => {
                // What comes in from here on sends a wake-up of its own.
                state.seat.mailbox.heard();
                state.used = now.instant;
                state.host.advance(now);
            }
            Msg::Settled(ended) => state.host.settled(ended, now),
            Msg::Tick => {
                state.host.tick(now);
                let rested = now.instant - state.used >= state.seat.idle && state.host.is_idle();
                if rested && state.seat.mailbox.detach(myself.get_id()) {
                    myself.stop(Some("idle".into()));
                }
            }
        }
        Ok(())
    }
}
