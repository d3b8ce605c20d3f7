//! Calls to one entity: on the node that can answer, from any node, with one hop.

use super::aim::{Aim, Needs, Spot};
use super::message::{self, Asked, Of, Remote, Reply, Told};
use super::mixed::Codec;
use super::tries::{Miss, Tries};
use super::{Router, RunQuery, ServiceSeat};
use crate::call::Call;
use crate::peers::PeerError;
use crate::shard::RunCommand;
use bytes::Bytes;
use sdk::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};
use wire::error::reasons;
use wire::ids::{GroupId, NodeId};
use wire::rpc::{Body, RequestId};

/// A read that takes longer here, or on another node, is asked for elsewhere.
pub(super) const READ_TRY: Duration = Duration::from_secs(1);
/// How often who waits for another node looks whether somebody else leads by now.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// What answers it, by its kind.
#[derive(Clone)]
pub(super) enum RunEntity {
    Command(RunCommand),
    Query(RunQuery),
}

/// A reply, and whether its rows may be behind.
pub(super) struct Answered {
    pub(super) reply: Bytes,
    pub(super) stale: bool,
}

/// A call, and where it belongs.
pub(super) struct Entity<'a> {
    pub(super) seat: &'a ServiceSeat,
    pub(super) call: Call,
    pub(super) entity: Arc<str>,
    pub(super) group: GroupId,
    pub(super) run: RunEntity,
}

impl Entity<'_> {
    fn reads(&self) -> bool {
        matches!(self.run, RunEntity::Query(_))
    }
}

impl Router {
    pub(super) async fn entity(&self, seat: &ServiceSeat, call: Call, run: RunEntity) -> Result<Answered, Error> {
        let entity = self.inner.entity(&call)?;
        let group = self.inner.group_of(&call.account, call.endpoint.service, &entity);
        self.find(Entity { seat, call, entity, group, run }).await
    }

    /// Tries it here and there until it is answered.
    async fn find(&self, asked: Entity<'_>) -> Result<Answered, Error> {
        let inner = &*self.inner;
        inner.budget.earn();
        let (group, reads) = (asked.group, asked.reads());
        let repeatable = reads || asked.call.request_id != RequestId::None;
        let stale_ok = reads && asked.call.stale_ok;
        let mut tries = Tries::new(inner, asked.call.deadline, repeatable, reads);
        let mut aim = Aim::at(group, if reads { Needs::Replica } else { Needs::Leader });
        loop {
            if !stale_ok {
                tries.check_quorum(group)?;
            }
            let spot = aim.next(inner);
            let (node, missed) = match spot {
                Spot::Here => (inner.me, self.entity_here(&asked, tries.until(READ_TRY)).await),
                Spot::There(node) if tries.affords() => (node, self.entity_there(&asked, node, &tries).await),
                Spot::There(_) | Spot::Nowhere => {
                    tries.check_quorum(group)?;
                    tries.pause().await?;
                    aim.again();
                    continue;
                }
            };
            match missed {
                Ok(answered) => return Ok(answered),
                Err(miss) => {
                    let hint = miss.hint;
                    tries.missed(miss)?;
                    aim.missed(node, hint);
                }
            }
        }
    }

    /// `until`: a read that is not confirmed by then can be asked for elsewhere.
    pub(super) async fn entity_here(&self, asked: &Entity<'_>, until: Instant) -> Result<Answered, Miss> {
        let said = match &asked.run {
            RunEntity::Command(run) => {
                let (call, entity) = (asked.call.clone(), asked.entity.clone());
                self.run_in(asked.seat, asked.group, call, entity, run.clone()).await.map(|reply| (reply, false))
            }
            RunEntity::Query(run) => self.query(asked.group, &asked.entity, &asked.call, run, until).await,
        };
        let hint = || self.inner.leader_of(asked.group).filter(|node| *node != self.inner.me);
        said.map(|(reply, stale)| Answered { reply, stale }).map_err(|error| Miss::said(error, hint(), true))
    }

    async fn entity_there(&self, asked: &Entity<'_>, node: NodeId, tries: &Tries<'_>) -> Result<Answered, Miss> {
        let (seat, endpoint) = (asked.seat, &asked.call.endpoint);
        let mut codec = Codec::Binary;
        // Done once under its id, it need not wait for a node that leads no more.
        let once = !asked.reads() && asked.call.request_id != RequestId::None;
        let watched = once && self.inner.leader_of(asked.group) == Some(node);
        loop {
            let message = self.message(asked, codec).map_err(own)?;
            let until = if asked.reads() { tries.until(2 * READ_TRY) } else { asked.call.deadline };
            let sent = self.inner.peers.call(node, message, until);
            let answer = tokio::select! {
                biased;
                answer = sent => answer,
                () = self.deposed(asked.group, node), if watched => {
                    Err(PeerError::Lost("another node leads by now".into()))
                }
            };
            let told: Told<Reply> = match answer {
                Ok(bytes) => wire::endpoint::decode(&bytes).map_err(own)?,
                Err(error) => {
                    self.inner.hints.unset(asked.group, node);
                    return Err(Miss::silent(error, node, tries.is_early()));
                }
            };
            match told.what {
                Ok(Reply { body, stale }) => {
                    if !asked.reads() {
                        self.inner.hints.set(asked.group, node);
                    }
                    let reply = seat.reply_in(endpoint, body).map_err(own)?;
                    return Ok(Answered { reply, stale });
                }
                Err(error) if error.is(&reasons::OTHER_SCHEMA) && codec == Codec::Binary => codec = Codec::Json,
                Err(error) => {
                    self.inner.learn(asked.group, node, told.leader);
                    return Err(Miss::said(error, told.leader, false));
                }
            }
        }
    }

    fn message(&self, asked: &Entity<'_>, codec: Codec) -> Result<Bytes, Error> {
        let body = asked.seat.request_out(&asked.call.endpoint, &asked.call.body, codec)?;
        let message = Asked {
            of: of(&asked.call, body),
            request_id: asked.call.request_id.clone(),
            entity: asked.entity.to_string(),
        };
        message::encode(&if asked.reads() { Remote::Query(message) } else { Remote::Command(message) })
    }

    /// Returns once this node knows another leader of `group` than `node`.
    async fn deposed(&self, group: GroupId, node: NodeId) {
        loop {
            // tidy: sleep because nobody tells when another leader is found; few calls take as long
            tokio::time::sleep(LOOK_EVERY).await;
            if self.inner.leader_of(group).is_some_and(|leader| leader != node) {
                return;
            }
        }
    }
}

impl super::Inner {
    /// `node` does not lead `group`; it says who does.
    pub(super) fn learn(&self, group: GroupId, node: NodeId, leader: Option<NodeId>) {
        match leader.filter(|leader| *leader != node) {
            Some(leader) => self.hints.set(group, leader),
            None => self.hints.unset(group, node),
        }
    }
}

/// What every message says of its call.
pub(super) fn of(call: &Call, body: Body) -> Of {
    Of {
        account: call.account.to_string(),
        service: call.endpoint.service.to_string(),
        endpoint: call.endpoint.name.to_string(),
        body,
        stale_ok: call.stale_ok,
        trace: call.trace.trace,
        span: call.trace.span,
    }
}

/// An error of this program's own making: another node would do no better.
fn own(error: Error) -> Miss {
    Miss { error, hint: None, passes: false, free: true }
}
