//! From a call behind the door to the code that answers it: kind, key, group, shard.

mod admission;
mod aim;
mod budget;
mod context;
mod entity;
mod gather;
mod groups;
mod keys;
mod lease;
mod message;
mod mixed;
mod outcome;
mod read;
mod serve;
mod start;
mod sweeper;
#[cfg(test)]
mod tests;
mod tries;
mod under_way;

use crate::call::{Answer, Call, Dispatch, Pending};
use crate::clock::Clock;
use crate::mailbox::{Mailbox, Pushed};
use crate::peers::Peers;
use crate::shard::{Command, ReplyTo, RunCommand};
use crate::supervisor::{StartService, StartShard};
use admission::Admission;
use aim::Hints;
use budget::Budget;
use bytes::Bytes;
use cluster::group::Group;
use cluster::meta::Meta;
use cluster::node::Slot;
use entity::{Answered, RunEntity};
use mixed::Schemas;
use ractor::ActorRef;
use read::RunQuery;
use sdk::runtime::Run;
use sdk::{Error, Here, Service};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{oneshot, watch};
pub use under_way::Running;
use under_way::UnderWay;
use wire::error::reasons;
use wire::ids::{GroupId, NodeId};
use wire::{Endpoint, Outcome};

/// A group of the cluster, whether or not it has a replica on this node.
#[derive(Clone)]
pub struct GroupSeat {
    pub handle: Arc<dyn Group>,
    /// Its rows, while a replica is here.
    pub rows: Arc<Slot>,
}

/// What tests make smaller.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// A shard with nothing to do goes after this long; the next call brings it back.
    pub idle: Duration,
    /// How often shards are looked after: due rows, idle ones.
    pub look_every: Duration,
}

impl Default for Patience {
    fn default() -> Patience {
        Patience { idle: Duration::from_secs(60), look_every: Duration::from_secs(1) }
    }
}

/// Clones are the same router.
#[derive(Clone)]
pub struct Router {
    inner: Arc<Inner>,
}

struct Inner {
    services: BTreeMap<&'static str, ServiceSeat>,
    groups: BTreeMap<GroupId, GroupSeat>,
    me: NodeId,
    /// As it was at the start: number of groups and keys never change.
    founded: Arc<Meta>,
    meta: watch::Receiver<Arc<Meta>>,
    peers: Arc<dyn Peers>,
    hints: Hints,
    budget: Budget,
    clock: Arc<Clock>,
    admission: Arc<Admission>,
    under_way: Arc<UnderWay>,
    here: Here,
    root: ActorRef<StartService>,
}

struct ServiceSeat {
    service: Arc<Service>,
    tables: Arc<[&'static str]>,
    schemas: Schemas,
    supervisor: ActorRef<StartShard>,
    mailboxes: BTreeMap<GroupId, Arc<Mailbox>>,
}

/// Why a node's actors did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("actors cannot be started: {0}")]
    Actors(String),
    #[error("reading the clock's marks: {0}")]
    Rows(#[from] storage::replica::Error),
}

impl Router {
    /// The topology and registry the router works by, as they are now.
    pub fn meta(&self) -> Arc<Meta> {
        self.inner.meta.borrow().clone()
    }

    /// The shards that have an actor just now: service and group.
    pub fn active_shards(&self) -> Vec<(&'static str, GroupId)> {
        let shards = self
            .inner
            .services
            .iter()
            .flat_map(|(name, seat)| seat.mailboxes.iter().map(move |(group, m)| (*name, *group, m)));
        shards.filter(|(.., mailbox)| mailbox.is_attached()).map(|(name, group, _)| (name, group)).collect()
    }

    /// Stops every actor once it has handled what it has.
    pub fn stop(&self) {
        self.inner.root.stop_children(Some("the node is stopping".into()));
        self.inner.root.stop(Some("the node is stopping".into()));
    }

    /// As [`Dispatch::call`], for services too: `Internal` endpoints are reachable.
    async fn dispatch(&self, call: Call) -> Result<Answer, Error> {
        if call.endpoint.service == crate::outcome::SERVICE {
            return self.outcome(call).await.map(Answer::Reply);
        }
        let seat = self.inner.services.get(call.endpoint.service);
        let (_, run) = seat
            .and_then(|seat| seat.service.run(call.endpoint.name))
            .ok_or_else(|| reasons::NO_SUCH_ENDPOINT.refuse(format!("no endpoint {}", call.endpoint.id())))?;
        let seat = seat.expect("it has the endpoint");
        // Said here, where it is certain: behind the mailbox nobody would wait for the answer any more (P14).
        if call.deadline <= Instant::now() {
            return Err(reasons::DEADLINE.refuse("the call's time was over before it ran"));
        }
        let _admitted = self.inner.admission.admit(&call.account, call.body.len())?;
        match run {
            Run::Command(run) => self.entity(seat, call, RunEntity::Command(run.clone())).await.map(Answer::from),
            Run::Query(run) => self.entity(seat, call, RunEntity::Query(run.clone())).await.map(Answer::from),
            Run::Gather { .. } => self.gather(seat, call).await.map(Answer::from),
            Run::Local(run) => {
                guarded(&call.endpoint, || run(&self.inner.here, &call.body)).map(|reply| Answer::Reply(reply.into()))
            }
            Run::Handler(run) => self.handler(call, run).await.map(Answer::Reply),
            Run::Stream(run) => Ok(Answer::Items(self.stream(call, run))),
            Run::NotYet(why) => Err(reasons::NOT_YET.refuse(*why)),
        }
    }

    /// Runs a command on the shard of `group`, which must be led here.
    async fn run_in(
        &self,
        seat: &ServiceSeat,
        group: GroupId,
        call: Call,
        entity: Arc<str>,
        run: RunCommand,
    ) -> Result<Bytes, Error> {
        let mailbox = seat.mailboxes.get(&group).ok_or_else(no_leader)?;
        let (reply, answer) = oneshot::channel();
        let deadline = call.deadline;
        let running = self.inner.under_way.begin(&call.account, &call.request_id);
        let command = Command {
            account: call.account,
            entity,
            endpoint: call.endpoint,
            run,
            request_id: call.request_id,
            body: call.body,
            deadline,
            reply: ReplyTo::counted(reply, running),
        };
        match mailbox.push(command) {
            Pushed::Queued => {}
            Pushed::NeedsActor => {
                if seat.supervisor.cast(StartShard(group)).is_err() {
                    let stopping = reasons::STOPPING.refuse("the node is stopping");
                    mailbox.abandon().into_iter().for_each(|waiting| waiting.reply.send(Err(stopping.clone())));
                }
            }
            Pushed::Full => {
                return Err(reasons::OVERLOADED
                    .refuse("too many commands wait for this part of the service")
                    .retry_after_ms(100));
            }
        }
        match tokio::time::timeout_at(deadline.into(), answer).await {
            Ok(Ok(reply)) => reply,
            // Its shard failed with the command in hand.
            Ok(Err(_)) => Err(reasons::LEADER_LOST
                .refuse("the service's actor failed; ask again under the same request id")
                .with_outcome(Outcome::Unknown)),
            Err(_) => Err(reasons::DEADLINE
                .refuse("no answer in time; it may still happen: ask again under the same request id")
                .with_outcome(Outcome::Unknown)),
        }
    }
}

impl Dispatch for Router {
    fn call(&self, call: Call) -> Pending {
        let router = self.clone();
        Box::pin(async move {
            let endpoint = call.endpoint.clone();
            // A handler's calls count under its own id.
            let asks = endpoint.service == crate::outcome::SERVICE;
            let _running = (!asks).then(|| router.inner.under_way.begin(&call.account, &call.request_id));
            if endpoint.internal {
                let detail = format!("no endpoint {}", endpoint.id());
                return Err(reasons::NO_SUCH_ENDPOINT.refuse(detail).at("v1"));
            }
            router.dispatch(call).await.map_err(|error| error.at(&endpoint.id()))
        })
    }
}

/// Runs a service's code; a panic becomes its caller's error.
fn guarded<T>(endpoint: &Endpoint, code: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    catch_unwind(AssertUnwindSafe(code)).unwrap_or_else(|panic| {
        tracing::error!(
            endpoint = endpoint.id(),
            panic = crate::shard::panic_text(panic.as_ref()),
            "an endpoint panicked"
        );
        Err(reasons::PANICKED.refuse(format!("{} failed; nothing was changed", endpoint.id())))
    })
}

fn no_leader() -> Error {
    reasons::NO_LEADER.refuse("this node does not lead the entity's group just now").retry_after_ms(200)
}

impl From<Answered> for Answer {
    fn from(Answered { reply, stale }: Answered) -> Answer {
        if stale { Answer::Stale(reply) } else { Answer::Reply(reply) }
    }
}

impl StartError {
    fn actors(error: &dyn std::fmt::Display) -> StartError {
        StartError::Actors(error.to_string())
    }
}

impl Inner {
    fn group_of(&self, account: &str, service: &str, entity: &str) -> GroupId {
        self.founded.topology.group_of(account, service, entity)
    }

    fn tables(&self, service: &str) -> Arc<[&'static str]> {
        self.services.get(service).map(|seat| seat.tables.clone()).unwrap_or_default()
    }
}
