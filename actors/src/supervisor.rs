//! Who restarts whom: node → service → shard. A shard that fails takes nobody along; its supervisor starts it again.
//!
//! No actor has a name and none is in a process group: both are process-global, and a simulation runs many nodes in one.

use crate::actor::{Seat, ShardActor};
use ractor::{Actor, ActorCell, ActorId, ActorProcessingErr, ActorRef, SupervisionEvent};
use std::collections::BTreeMap;
use wire::ids::GroupId;

/// Root of a node's actors.
pub struct NodeSupervisor;

/// Starts a supervisor for each service.
pub struct StartService {
    pub seats: BTreeMap<GroupId, Seat>,
    pub started: tokio::sync::oneshot::Sender<ActorRef<StartShard>>,
}

impl Actor for NodeSupervisor {
    type Msg = StartService;
    type State = ();
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<StartService>, (): ()) -> Result<(), ActorProcessingErr> {
        Ok(())
    }

    async fn handle(
        &self,
        myself: ActorRef<StartService>,
        start: StartService,
        (): &mut (),
    ) -> Result<(), ActorProcessingErr> {
        let (service, _) = Actor::spawn_linked(None, ServiceSupervisor, start.seats, myself.get_cell()).await?;
        // The router waits for it, unless the node is being dropped.
        let _ = start.started.send(service);
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        _: ActorRef<StartService>,
        event: SupervisionEvent,
        (): &mut (),
    ) -> Result<(), ActorProcessingErr> {
        if let SupervisionEvent::ActorFailed(who, error) = event {
            // It only starts shards: should it fail, the shards there are go on, and the log says why no new one comes.
            tracing::error!(actor = %who.get_id(), %error, "a service's supervisor failed");
        }
        Ok(())
    }
}

/// Starts and restarts the shards of one service.
pub struct ServiceSupervisor;

/// Have an actor for the service's shard in this group.
pub struct StartShard(pub GroupId);

pub struct Shards {
    seats: BTreeMap<GroupId, Seat>,
    running: BTreeMap<ActorId, GroupId>,
}

impl Actor for ServiceSupervisor {
    type Msg = StartShard;
    type State = Shards;
    type Arguments = BTreeMap<GroupId, Seat>;

    async fn pre_start(
        &self,
        _: ActorRef<StartShard>,
        seats: BTreeMap<GroupId, Seat>,
    ) -> Result<Shards, ActorProcessingErr> {
        Ok(Shards { seats, running: BTreeMap::new() })
    }

    async fn handle(
        &self,
        myself: ActorRef<StartShard>,
        StartShard(group): StartShard,
        shards: &mut Shards,
    ) -> Result<(), ActorProcessingErr> {
        shards.start(&myself, group).await
    }

    async fn handle_supervisor_evt(
        &self,
        myself: ActorRef<StartShard>,
        event: SupervisionEvent,
        shards: &mut Shards,
    ) -> Result<(), ActorProcessingErr> {
        match event {
            SupervisionEvent::ActorFailed(who, error) => {
                tracing::error!(%error, "a shard failed; it is started again when called");
                shards.ended(&myself, &who).await?;
            }
            SupervisionEvent::ActorTerminated(who, ..) => shards.ended(&myself, &who).await?,
            _ => {}
        }
        Ok(())
    }
}

impl Shards {
    /// Whatever waits for it finds another.
    async fn ended(&mut self, myself: &ActorRef<StartShard>, who: &ActorCell) -> Result<(), ActorProcessingErr> {
        let Some(group) = self.running.remove(&who.get_id()) else { return Ok(()) };
        if self.seats.get(&group).is_some_and(|seat| seat.mailbox.lost(who.get_id())) {
            self.start(myself, group).await?;
        }
        Ok(())
    }

    async fn start(&mut self, myself: &ActorRef<StartShard>, group: GroupId) -> Result<(), ActorProcessingErr> {
        let Some(seat) = self.seats.get(&group) else { return Ok(()) };
        if seat.mailbox.is_attached() {
            return Ok(());
        }
        let (actor, _) = Actor::spawn_linked(None, ShardActor, seat.clone(), myself.get_cell()).await?;
        self.running.insert(actor.get_id(), group);
        seat.mailbox.attach(actor);
        Ok(())
    }
}
