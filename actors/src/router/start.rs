//! Putting a router together.

use super::admission::Admission;
use super::aim::Hints;
use super::budget::Budget;
use super::under_way::UnderWay;
use super::{GroupSeat, Inner, Patience, Router, ServiceSeat, StartError, sweeper};
use crate::actor::Seat;
use crate::clock::Clock;
use crate::machine::{Me, NodeMachine};
use crate::mailbox::Mailbox;
use crate::peers::Peers;
use crate::supervisor::{NodeSupervisor, StartService};
use cluster::meta::Meta;
use ractor::{Actor, ActorRef};
use sdk::{Here, Service};
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock, Weak};
use std::time::Instant;
use tokio::sync::{oneshot, watch};
use wire::ids::GroupId;

impl Router {
    /// Starts the actors over `groups`: all of the cluster's, wherever their replicas are.
    ///
    /// `meta` may change while it runs, but for what is fixed when a cluster is founded.
    pub async fn start(
        services: Vec<Service>,
        groups: BTreeMap<GroupId, GroupSeat>,
        meta: watch::Receiver<Arc<Meta>>,
        peers: Arc<dyn Peers>,
        me: Me,
    ) -> Result<Router, StartError> {
        Router::start_with(services, groups, meta, peers, me, Patience::default()).await
    }

    /// As [`Router::start`], with other times.
    pub async fn start_with(
        services: Vec<Service>,
        groups: BTreeMap<GroupId, GroupSeat>,
        meta: watch::Receiver<Arc<Meta>>,
        peers: Arc<dyn Peers>,
        me: Me,
        patience: Patience,
    ) -> Result<Router, StartError> {
        let (clock, founded) = (Arc::new(Clock::new()), meta.borrow().clone());
        let (root, _) = NodeSupervisor::spawn(None, NodeSupervisor, ()).await.map_err(|e| StartError::actors(&e))?;
        let mut seats = BTreeMap::new();
        for service in services.into_iter().map(Arc::new) {
            let name = service.name();
            let key = founded.data_key;
            let seat = seat(service, &groups, &clock, key, patience, &root).await?;
            seats.insert(name, seat);
        }
        let machine = Arc::new(NodeMachine::new(me, clock.clone()));
        let (admission, under_way): (Arc<Admission>, Arc<UnderWay>) = Default::default();
        let here = Here::new(machine.clone());
        let (hints, budget) = (Hints::new(groups.keys().copied()), Budget::new(Instant::now()));
        let inner = Arc::new(Inner {
            services: seats,
            groups,
            me: me.node,
            founded,
            meta,
            peers,
            hints,
            budget,
            clock,
            admission,
            under_way,
            here,
            root,
        });
        let router = Router { inner };
        if router.inner.groups.contains_key(&GroupId::META) {
            machine.keep_lease(&router, router.inner.founded.nodes.len() <= 1).await;
        }
        sweeper::start(&router.inner, patience.look_every);
        Ok(router)
    }
}

impl Router {
    /// For tasks that must not keep it alive.
    pub(crate) fn downgrade(&self) -> Watched {
        Watched(Arc::downgrade(&self.inner))
    }
}

/// A router that may be gone.
pub(crate) struct Watched(Weak<Inner>);

impl Watched {
    pub(crate) fn upgrade(&self) -> Option<Router> {
        self.0.upgrade().map(|inner| Router { inner })
    }
}

async fn seat(
    service: Arc<Service>,
    groups: &BTreeMap<GroupId, GroupSeat>,
    clock: &Arc<Clock>,
    key: [u8; 32],
    patience: Patience,
    root: &ActorRef<StartService>,
) -> Result<ServiceSeat, StartError> {
    let mut shards = BTreeMap::new();
    for (group, GroupSeat { handle, rows }) in groups.iter().filter(|(group, _)| **group != GroupId::META) {
        // Where there is a replica here; one that comes later is read when a shard opens its view.
        if let Some(store) = rows.get()
            && let Some(mark) = cluster::node::mark(&store, service.name())?
        {
            clock.not_before(wire::Rfc3339(mark.now_ns));
        }
        let seat = Seat {
            service: service.clone(),
            group: handle.clone(),
            rows: rows.clone(),
            mailbox: Arc::new(Mailbox::default()),
            clock: clock.clone(),
            key,
            idle: patience.idle,
        };
        shards.insert(*group, seat);
    }
    let mailboxes = shards.iter().map(|(group, seat)| (*group, seat.mailbox.clone())).collect();
    let (started, supervisor) = oneshot::channel();
    root.cast(StartService { seats: shards, started }).map_err(|e| StartError::actors(&e))?;
    let supervisor = supervisor.await.map_err(|e| StartError::actors(&e))?;
    let schemas = service.endpoints().map(|endpoint| (endpoint.name, OnceLock::new())).collect();
    Ok(ServiceSeat { tables: service.tables().into(), service, schemas, supervisor, mailboxes })
}
