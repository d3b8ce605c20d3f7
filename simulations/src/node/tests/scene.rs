//! A world for one schedule: quiet, and every step by hand.

use crate::consensus::Trace;
use crate::node::calls::{Done, Kind, Reply};
use crate::node::checkers::{digest, leftovers};
use crate::node::clients::Style;
use crate::node::life::ShardId;
use crate::node::probe::{Position, Seen};
use crate::node::world::{Event, MS};
use crate::node::{Plan, World};
use std::collections::BTreeSet;
use std::sync::Arc;
use storage::disk::Fate;
use wire::ids::GroupId;
use wire::rpc::RequestId;

pub const PROBE: ShardId = ("probe", GroupId(1));

pub struct Scene {
    pub world: World,
}

impl Scene {
    pub fn new() -> Scene {
        Scene::with(Plan::quiet())
    }

    /// Opened, led and serving.
    pub fn with(plan: Plan) -> Scene {
        let mut scene = Scene { world: World::new(plan, Trace::default()) };
        scene.world.at(0, Event::Restart);
        scene.serve();
        scene
    }

    pub fn serve(&mut self) {
        let until = self.world.now + 10_000 * MS;
        let serves = |world: &World| {
            world.life.as_ref().is_some_and(|life| life.groups.values().all(|group| group.leading().is_some()))
        };
        self.world.run_until(until, serves).unwrap();
        assert!(serves(&self.world), "it serves within ten seconds");
    }

    pub fn run_ms(&mut self, ms: u64) {
        self.world.run_until(self.world.now + ms * MS, |_| false).unwrap();
    }

    pub fn session(&mut self, account: &str) -> usize {
        let client = self.world.clients.len() as u128 + 1;
        self.world.add_client(account.into(), Style::Session { client, next: 1, waits: BTreeSet::new() })
    }

    pub fn caller(&mut self, account: &str) -> usize {
        self.world.add_client(account.into(), Style::Caller { next: 0 })
    }

    pub fn bare(&mut self, account: &str) -> usize {
        self.world.add_client(account.into(), Style::Bare)
    }

    /// Begins a call.
    pub fn begin(&mut self, client: usize, kind: Kind, entity: &str) -> usize {
        self.world.issue(client, kind, entity.into())
    }

    /// Runs until the client has its answer.
    pub fn end(&mut self, call: usize) -> Done {
        let until = self.world.now + 20_000 * MS;
        self.world.run_until(until, |world| world.calls[call].done.is_some()).unwrap();
        self.world.calls[call].done.clone().expect("answered within twenty seconds")
    }

    /// A whole call, which must run; where its item came to lie.
    pub fn add(&mut self, client: usize, kind: Kind, entity: &str) -> Position {
        let call = self.begin(client, kind, entity);
        match self.end(call) {
            Done::Ran(Ok(bytes)) => wire::endpoint::decode(&bytes).unwrap(),
            other => panic!("{other:?}"),
        }
    }

    /// The entity, as a query sees it.
    pub fn look(&mut self, account: &str, entity: &str) -> Seen {
        let client = self.bare(account);
        let call = self.begin(client, Kind::Look, entity);
        match self.end(call) {
            Done::Ran(Ok(bytes)) => wire::endpoint::decode(&bytes).unwrap(),
            other => panic!("{other:?}"),
        }
    }

    /// Another copy of the call arrives now, with another body if told; what it is told.
    pub fn arrive(&mut self, call: usize, request_id: RequestId, body: Option<bytes::Bytes>) -> Reply {
        let mut arrived = self.arriving(call, request_id, body);
        let until = self.world.now + 5_000 * MS;
        while self.world.now < until {
            if let Ok(reply) = arrived.try_recv() {
                return reply;
            }
            self.world.run_until(self.world.now + 10, |_| false).unwrap();
        }
        panic!("no answer in five seconds");
    }

    /// The same, and the answer is for later.
    pub fn arriving(
        &mut self,
        call: usize,
        request_id: RequestId,
        body: Option<bytes::Bytes>,
    ) -> tokio::sync::oneshot::Receiver<Reply> {
        let deadline = self.world.now + 10_000 * MS;
        let number = self.world.attempt(call, request_id, deadline, body, true);
        self.world.deliver(number).unwrap();
        if self.world.attempts[&number].forged.is_none() {
            self.world.calls[call].open -= 1;
        }
        self.world.attempts.remove(&number).expect("delivered just now").from
    }

    /// The machine stops now, and starts again when told to serve.
    pub fn crash(&mut self, fate: Fate) {
        self.world.life = None;
        self.world.disk = self.world.disk.crash(fate);
        self.world.engine = Arc::new(self.world.engine.crash());
        self.world.at(MS, Event::Restart);
        self.run_ms(2);
    }

    pub fn restart(&mut self) {
        self.crash(Fate::Lost);
        self.serve();
    }

    /// Rows that have an end and are still there.
    pub fn ending_rows(&mut self) -> usize {
        let store = self.world.living().stores[&PROBE.1].clone();
        leftovers(&store).unwrap().len()
    }
}

/// The words of a reply, for comparisons in messages.
pub fn digest_of(reply: &Reply) -> u64 {
    reply.as_ref().map_or(0, |bytes| digest(bytes))
}
