//! Ground for a shard: committed rows in a map, and calls made by hand.

use crate::kit;
use crate::shard::{Command, Now, Replies, ReplyTo, Shard, Step};
use bytes::Bytes;
use cluster::entry::Entry;
use cluster::group::Settled;
use sdk::runtime::{Order, Rows, Run};
use sdk::{Error, Request};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;
use wire::Endpoint;
use wire::ids::Term;
use wire::rpc::RequestId;

pub type Answer = oneshot::Receiver<Result<Bytes, Error>>;

#[derive(Default)]
pub struct Committed(pub BTreeMap<Bytes, Bytes>);

impl Committed {
    pub fn apply(&mut self, entry: &Entry) {
        for op in entry.ops.clone() {
            match op {
                storage::state::Op::Put { key, value } => drop(self.0.insert(key, value)),
                storage::state::Op::Delete { key } => drop(self.0.remove(&key)),
                storage::state::Op::DeleteRange { from, to } => self.0.retain(|key, _| *key < from || *key >= to),
            }
        }
    }
}

impl Rows for Committed {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, Error> {
        Ok(self.0.get(key).cloned())
    }

    fn scan(&self, from: &[u8], to: &[u8], order: Order, limit: usize) -> Result<Vec<(Bytes, Bytes)>, Error> {
        let range = self.0.range(Bytes::copy_from_slice(from)..Bytes::copy_from_slice(to));
        let row = |(key, value): (&Bytes, &Bytes)| (key.clone(), value.clone());
        Ok(match order {
            Order::Ascending => range.take(limit).map(row).collect(),
            Order::Descending => range.rev().take(limit).map(row).collect(),
        })
    }
}

/// A proposal not yet settled.
pub struct Proposed {
    pub entry: Entry,
    pub replies: Replies,
}

pub struct Ground {
    pub shard: Shard,
    pub rows: Committed,
    pub start: Instant,
    pub now: Now,
    epoch: u64,
}

pub const TERM: Term = Term(7);
pub const HOUR: Duration = Duration::from_secs(3600);

impl Ground {
    /// With an open view.
    pub fn new() -> Ground {
        let start = Instant::now();
        let now = Now { time: wire::Rfc3339(1_000_000_000_000), instant: start };
        let shard = Shard::new(Arc::new(kit::service()), [3; 32]);
        let mut ground = Ground { shard, rows: Committed::default(), start, now, epoch: 0 };
        ground.open();
        ground
    }

    /// Another view; what the opening's entry says.
    pub fn open(&mut self) -> Entry {
        self.epoch += 1;
        let Step::Propose { entry, .. } = self.shard.open(TERM, self.epoch, self.now) else {
            panic!("an opening is a proposal");
        };
        self.shard.settled(self.epoch, 0, Settled::Applied, Some(&self.rows)).unwrap();
        entry
    }

    pub fn passes(&mut self, time: Duration) {
        self.now = Now { time: self.now.time.plus(time), instant: self.now.instant + time };
    }

    pub fn command<R: Request>(&self, request: &R, request_id: RequestId) -> (Command, Answer) {
        self.command_of("alice", request, request_id)
    }

    pub fn command_of<R: Request>(&self, account: &str, request: &R, request_id: RequestId) -> (Command, Answer) {
        let service = kit::service();
        let Some((_, Run::Command(run))) = service.run(R::ENDPOINT).cloned() else { panic!("no command") };
        let wire::Key::Entity(entity) = request.key() else { panic!("no key") };
        let (reply, answer) = oneshot::channel();
        let command = Command {
            account: account.into(),
            entity: entity.into(),
            endpoint: Endpoint::of::<R>(),
            run,
            request_id,
            body: wire::endpoint::encode(request).unwrap().into(),
            deadline: self.now.instant + HOUR,
            reply: ReplyTo::new(reply),
        };
        (command, answer)
    }

    pub fn run(&mut self, commands: impl IntoIterator<Item = Command>) -> Vec<Step> {
        self.shard.run(commands.into_iter().collect(), &self.rows, self.now, &mut || [5; 32])
    }

    /// Runs one command that must become one proposal.
    pub fn propose<R: Request>(&mut self, request: &R, request_id: RequestId) -> (Proposed, Answer) {
        let (command, answer) = self.command(request, request_id);
        let mut steps = self.run([command]);
        let Some(Step::Propose { entry, replies, .. }) = steps.pop() else { panic!("no proposal") };
        assert!(steps.is_empty());
        (Proposed { entry, replies }, answer)
    }

    /// It is applied, or not; everybody hears.
    pub fn settle(&mut self, proposed: Proposed, how: Settled) {
        let Proposed { entry, replies } = proposed;
        if how == Settled::Applied {
            self.rows.apply(&entry);
        }
        let (epoch, n) = (replies.epoch, replies.n);
        replies.finish(how);
        self.shard.settled(epoch, n, how, None).unwrap();
    }

    /// The whole way of a command that changes something.
    pub fn call<R: Request>(&mut self, request: &R, request_id: RequestId) -> Result<R::Response, Error> {
        let (proposed, answer) = self.propose(request, request_id);
        self.settle(proposed, Settled::Applied);
        told::<R>(answer).expect("answered")
    }
}

/// What the caller heard by now.
pub fn told<R: Request>(mut answer: Answer) -> Option<Result<R::Response, Error>> {
    let reply = answer.try_recv().ok()?;
    Some(reply.and_then(|bytes| wire::endpoint::decode(&bytes)))
}

pub fn bump(entity: &str, by: i64) -> kit::BumpRequest {
    kit::BumpRequest { entity: entity.into(), by }
}

pub fn caller(id: &str) -> RequestId {
    RequestId::Caller(id.into())
}

pub fn session(n: u64, low: u64) -> RequestId {
    RequestId::Session { client: 9, n, low }
}
