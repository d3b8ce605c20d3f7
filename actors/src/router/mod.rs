//! From a call behind the door to the code that answers it: kind, key, group, shard.

mod admission;
mod context;
mod gather;
mod keys;
mod outcome;
mod read;
mod sweeper;
#[cfg(test)]
mod tests;
mod under_way;

use crate::actor::Seat;
use crate::call::{Answer, Call, Dispatch, Pending};
use crate::clock::Clock;
use crate::machine::{Me, NodeMachine};
use crate::mailbox::{Mailbox, Pushed};
use crate::shard::{Command, ReplyTo, RunCommand};
use crate::supervisor::{NodeSupervisor, StartService, StartShard};
use admission::Admission;
use bytes::Bytes;
use cluster::group::Group;
use cluster::meta::Meta;
use ractor::{Actor, ActorRef};
use sdk::runtime::Run;
use sdk::{Error, Here, Service};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};
use storage::replica::ReplicaStore;
use tokio::sync::oneshot;
pub use under_way::Running;
use under_way::UnderWay;
use wire::error::reasons;
use wire::ids::GroupId;
use wire::{Endpoint, Outcome};

/// A group this node has a replica of.
#[derive(Clone)]
pub struct GroupSeat {
    pub handle: Arc<dyn Group>,
    pub store: ReplicaStore,
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
    meta: Meta,
    clock: Arc<Clock>,
    admission: Arc<Admission>,
    under_way: Arc<UnderWay>,
    here: Here,
    root: ActorRef<StartService>,
}

struct ServiceSeat {
    service: Arc<Service>,
    tables: Arc<[&'static str]>,
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
    /// Starts the actors over `groups`, which are led here or will be.
    pub async fn start(
        services: Vec<Service>,
        groups: BTreeMap<GroupId, GroupSeat>,
        meta: Meta,
        me: Me,
    ) -> Result<Router, StartError> {
        Router::start_with(services, groups, meta, me, Patience::default()).await
    }

    /// As [`Router::start`], with other times.
    pub async fn start_with(
        services: Vec<Service>,
        groups: BTreeMap<GroupId, GroupSeat>,
        meta: Meta,
        me: Me,
        patience: Patience,
    ) -> Result<Router, StartError> {
        let clock = Arc::new(Clock::new());
        let actors = |e: &dyn std::fmt::Display| StartError::Actors(e.to_string());
        let (root, _) = NodeSupervisor::spawn(None, NodeSupervisor, ()).await.map_err(|e| actors(&e))?;
        let mut seats = BTreeMap::new();
        for service in services.into_iter().map(Arc::new) {
            let mut shards = BTreeMap::new();
            for group in meta.topology.owners() {
                let Some(GroupSeat { handle, store }) = groups.get(&group).cloned() else { continue };
                if let Some(mark) = cluster::node::mark(&store, service.name())? {
                    clock.not_before(wire::Rfc3339(mark.now_ns));
                }
                let mailbox = Arc::new(Mailbox::default());
                let (service, clock, key, idle) = (service.clone(), clock.clone(), meta.data_key, patience.idle);
                shards.insert(group, Seat { service, group: handle, store, mailbox, clock, key, idle });
            }
            let mailboxes = shards.iter().map(|(group, seat)| (*group, seat.mailbox.clone())).collect();
            let (started, supervisor) = oneshot::channel();
            root.cast(StartService { seats: shards, started }).map_err(|e| actors(&e))?;
            let supervisor = supervisor.await.map_err(|e| actors(&e))?;
            let tables = service.tables().into();
            seats.insert(service.name(), ServiceSeat { service, tables, supervisor, mailboxes });
        }
        let machine = Arc::new(NodeMachine::new(me, clock.clone()));
        if let Some(seat) = groups.get(&GroupId::META) {
            machine.keep_lease(seat.clone()).await;
        }
        let (admission, under_way, here) = (Arc::default(), Arc::default(), Here::new(machine));
        let inner = Arc::new(Inner { services: seats, groups, meta, clock, admission, under_way, here, root });
        sweeper::start(&inner, patience.look_every);
        Ok(Router { inner })
    }

    /// The topology and registry the router works by.
    pub fn meta(&self) -> &Meta {
        &self.inner.meta
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
            Run::Command(run) => self.command(seat, call, run.clone()).await.map(Answer::Reply),
            Run::Query(run) => self.query(call, run).await.map(Answer::Reply),
            Run::Gather { part, wanted, page } => self.gather(call, part, *wanted, *page).await.map(Answer::Reply),
            Run::Local(run) => {
                guarded(&call.endpoint, || run(&self.inner.here, &call.body)).map(|reply| Answer::Reply(reply.into()))
            }
            Run::Handler(run) => self.handler(call, run).await.map(Answer::Reply),
            Run::Stream(run) => Ok(Answer::Items(self.stream(call, run))),
            Run::NotYet(why) => Err(reasons::NOT_YET.refuse(*why)),
        }
    }

    async fn command(&self, seat: &ServiceSeat, call: Call, run: RunCommand) -> Result<Bytes, Error> {
        let entity = self.inner.entity(&call)?;
        let group = self.inner.meta.topology.group_of(&call.account, call.endpoint.service, &entity);
        self.run_in(seat, group, call, entity, run).await
    }

    /// Runs a command on the shard of `group`.
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

impl Inner {
    fn tables(&self, service: &str) -> Arc<[&'static str]> {
        self.services.get(service).map(|seat| seat.tables.clone()).unwrap_or_default()
    }
}
