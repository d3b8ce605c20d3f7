//! Worker numbers: leased by the node that leads the meta group, to itself and to the others.

use super::aim::{Aim, Needs, Spot};
use super::message::{self, Remote, Told};
use super::tries::{Miss, Tries};
use super::{Router, no_leader};
use cluster::meta::{self, MetaError};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use sdk::Error;
use std::time::Instant;
use wire::Outcome;
use wire::error::reasons;
use wire::ids::{GroupId, Incarnation, NodeId};

impl Router {
    /// A worker number for this life of this node, from whoever leads the meta group.
    pub(crate) async fn lease(&self, incarnation: Incarnation, deadline: Instant) -> Result<u16, Error> {
        let inner = &*self.inner;
        let mut tries = Tries::new(inner, deadline, true, false);
        let mut aim = Aim::at(GroupId::META, Needs::Leader);
        loop {
            let (node, said) = match aim.next(inner) {
                Spot::Here => {
                    let said = self.lease_here(inner.me, incarnation).await;
                    (inner.me, said.map_err(|error| Miss::said(error, None, true)))
                }
                Spot::There(node) if tries.affords() => {
                    (node, self.lease_there(node, incarnation, &tries, deadline).await)
                }
                Spot::There(_) | Spot::Nowhere => {
                    tries.pause().await?;
                    aim.again();
                    continue;
                }
            };
            match said {
                Ok(number) => return Ok(number),
                Err(miss) => {
                    let hint = miss.hint;
                    tries.missed(miss)?;
                    aim.missed(node, hint);
                }
            }
        }
    }

    async fn lease_there(
        &self,
        node: NodeId,
        incarnation: Incarnation,
        tries: &Tries<'_>,
        deadline: Instant,
    ) -> Result<u16, Miss> {
        let own = |error| Miss::said(error, None, true);
        let message = message::encode(&Remote::Lease(incarnation)).map_err(own)?;
        let answer = self.inner.peers.call(node, message, deadline).await;
        let bytes = answer.map_err(|error| Miss::silent(error, node, tries.is_early()))?;
        let told: Told<u16> = wire::endpoint::decode(&bytes).map_err(own)?;
        told.what.map_err(|error| {
            self.inner.learn(GroupId::META, node, told.leader);
            Miss::said(error, told.leader, false)
        })
    }

    /// Only where meta is led.
    pub(super) async fn lease_here(&self, node: NodeId, incarnation: Incarnation) -> Result<u16, Error> {
        let seat = self.inner.groups.get(&GroupId::META).ok_or_else(no_leader)?;
        let store = seat.rows.get().filter(|_| seat.handle.leading().is_some()).ok_or_else(no_leader)?;
        let (epoch, now) = (StdRng::from_os_rng().random(), self.inner.clock.now().0);
        meta::lease(&*seat.handle, &store, node, incarnation, epoch, now).await.map_err(|error| match error {
            MetaError::NotLeading => no_leader(),
            // Asked again, this life gets the number it has.
            MetaError::Settled(how) => {
                let detail = format!("the worker number was not written: {how:?}");
                reasons::LEADER_LOST.refuse(detail).with_outcome(Outcome::Unknown)
            }
            other => reasons::STORAGE.refuse(other.to_string()),
        })
    }
}
