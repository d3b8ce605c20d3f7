//! Which connection a call goes over: straight to who leads its entity's group, else to any node.

use crate::Error;
use crate::call::{Envelope, Inner, Sent};
use crate::direct::{Place, Topology};
use crate::link::{Fate, Link};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};
use wire::error::reasons;
use wire::rpc::{Body, RequestId};

/// A node that does not tell the topology in this time is of no help.
const ASK_WITHIN: Duration = Duration::from_secs(2);

impl Inner {
    /// A connection that works; one is made until `deadline` if there is none.
    pub async fn way(self: &Arc<Inner>, place: Option<&Place>, deadline: Instant) -> Result<Arc<Link>, Error> {
        if let Some(place) = place {
            self.look();
            if let Some(link) = self.direct.to(place, &self.pool) {
                return Ok(link);
            }
        }
        if let Some(link) = self.pool.alive() {
            return Ok(link);
        }
        match self.direct.any() {
            Some(link) => {
                self.pool.adopt(link.clone());
                Ok(link)
            }
            None => self.pool.link(deadline).await,
        }
    }

    /// `error` came over `link`: is it a sign that who leads is not who was thought to?
    pub fn heard(&self, error: &wire::Error, link: &Arc<Link>) {
        let away = error.is(&reasons::NO_QUORUM) || error.is(&reasons::STOPPING);
        if away {
            self.direct.avoid(link);
            self.pool.avoid(link);
        }
        if away || error.is(&reasons::NO_LEADER) || error.is(&reasons::LEADER_LOST) {
            self.direct.doubt();
        }
    }

    /// Asks for the topology, now and then, beside the calls.
    fn look(self: &Arc<Inner>) {
        if self.direct.is_due() {
            let inner = self.clone();
            tokio::spawn(async move {
                let (told, link) = inner.ask().await.map_or((None, None), |(told, link)| (Some(told), Some(link)));
                if let Some(topology) = &told {
                    inner.pool.learn(topology.addresses());
                }
                inner.direct.learn(told, link);
            });
        }
    }

    async fn ask(self: &Arc<Inner>) -> Option<(Topology, Arc<Link>)> {
        let deadline = Instant::now() + ASK_WITHIN;
        let request = Sent::Json(b"{}".to_vec());
        let envelope =
            Envelope { service: "_".into(), endpoint: "Topology".into(), request, place: None, stale_ok: false };
        let link = self.way(None, deadline).await.ok()?;
        let frame = envelope.frame(RequestId::None, deadline, true).ok()?;
        let Ok(Fate::Reply(reply)) = timeout_at(deadline, link.call(frame)).await else { return None };
        let Body::Json(text) = reply.body else { return None };
        Some((Topology::of(&serde_json::from_slice(&text.0).ok()?)?, link))
    }
}
