//! Answering [`crate::outcome`]: what lies in all groups under one request id.

use super::groups::Question;
use super::message::{Decided, Part};
use super::{Router, ServiceSeat};
use crate::call::Call;
use crate::outcome::{CallOutcome, OutcomeRequest, OutcomeResponse};
use crate::shard::{CALLER_ID_KEPT_NS, Kept, keep, kept_rows};
use bytes::Bytes;
use futures::future::{join_all, try_join_all};
use sdk::runtime::keys;
use sdk::{Error, Key, Read};
use std::sync::Arc;
use std::time::{Duration, Instant};
use wire::error::reasons;
use wire::fit::Fit;
use wire::ids::{GroupId, NodeId};
use wire::rpc::RequestId;
use wire::{Endpoint, Json};

/// A node that is asked only whether the call runs there is not waited for longer.
const RUNNING_TRY: Duration = Duration::from_secs(1);

impl Router {
    pub(super) async fn outcome(&self, call: Call) -> Result<Bytes, Error> {
        let asked: OutcomeRequest = wire::endpoint::decode(&call.body)?;
        if asked.id.is_empty() {
            return Err(reasons::BAD_BODY.refuse("id: which request id?"));
        }
        self.seats_of(&asked.service)?;
        // What is kept is asked for to decide what happens next: never of rows that may be behind.
        let call = Call { stale_ok: false, ..call };
        if asked.fence {
            self.ask_groups(Question::Fence, &call).await?;
        }
        // Before the rows: what is over by now lies there.
        let runs = !asked.fence && self.runs_anywhere(&call, &asked.id).await;
        let found = self.ask_groups(Question::Kept, &call).await?;
        let calls: Vec<Decided> = found.parts.into_iter().flat_map(Part::kept).collect();
        let state = match (runs, calls.is_empty()) {
            (true, _) => "running",
            (false, false) => "done",
            (false, true) => "not_seen",
        };
        let calls = calls.into_iter().map(|decided| self.shown(decided)).collect::<Result<_, _>>()?;
        let told = OutcomeResponse { state: state.into(), definite: asked.fence, calls };
        wire::endpoint::encode(&told).map(Bytes::from)
    }

    /// Is a call of the id under way on this node or another: where it came in, or where it runs? A node that does not
    /// say is passed over: only a fence makes the answer definite.
    async fn runs_anywhere(&self, call: &Call, id: &str) -> bool {
        let inner = &*self.inner;
        if inner.under_way.has(&call.account, id) {
            return true;
        }
        let until = call.deadline.min(Instant::now() + RUNNING_TRY);
        let nodes: Vec<NodeId> = inner.meta.borrow().nodes.iter().map(|row| row.node).collect();
        let others = nodes.into_iter().filter(|node| *node != inner.me);
        let asked = others.map(|node| self.parts_of(Question::Kept, call, node, vec![], until));
        join_all(asked).await.into_iter().any(|told| told.is_ok_and(|parts| parts.running))
    }

    fn seats_of(&self, service: &str) -> Result<Vec<&ServiceSeat>, Error> {
        match (service, self.inner.services.get(service)) {
            ("", _) => Ok(self.inner.services.values().collect()),
            (_, Some(seat)) => Ok(vec![seat]),
            (_, None) => Err(reasons::NO_SUCH_SERVICE.refuse(format!("service: there is no {service:?}"))),
        }
    }

    /// A tombstone of the id in a group led here, laid by each shard that would run such a call: what it ran before has
    /// its reply kept, what comes after finds the tombstone.
    pub(super) async fn fence_in(&self, group: GroupId, call: &Call) -> Result<(), Error> {
        let asked: OutcomeRequest = wire::endpoint::decode(&call.body)?;
        let seats = self.seats_of(&asked.service)?;
        let laid = seats.into_iter().filter_map(|seat| {
            let endpoint = seat.service.endpoints().next()?;
            Some(self.run_in(seat, group, fencing(call, endpoint), "".into(), tombstone(endpoint, call, &asked.id)))
        });
        try_join_all(laid).await.map(drop)
    }

    /// What was decided in `group` under the id, tombstones left out.
    pub(super) async fn kept_in(&self, group: GroupId, call: &Call, until: Instant) -> Result<(Part, bool), Error> {
        let asked: OutcomeRequest = wire::endpoint::decode(&call.body)?;
        // Its own, and those of the calls that a handler made under it.
        let (own, inner) = (keys::once_prefix(&call.account, &asked.id), keys::once_inner(&call.account, &asked.id));
        let key = self.inner.founded.data_key;
        let (mut found, stale) = self
            .read(group, call, until, |rows, now| {
                Ok([kept_rows(rows, &own, &key, now)?, kept_rows(rows, &inner, &key, now)?].concat())
            })
            .await?;
        found.retain(|(service, ..)| asked.service.is_empty() || *service == asked.service);
        Ok((Part::Kept(found), stale))
    }

    fn shown(&self, (service, endpoint, entity, decided): Decided) -> Result<CallOutcome, Error> {
        let known = self.inner.services.get(service.as_str()).and_then(|seat| seat.service.run(&endpoint));
        let (reply, error) = match (decided, known) {
            (Ok(bytes), Some((known, _))) => {
                let strict = (known.response_to_json)(&bytes)?;
                (Fit::of(&(known.response)()).show(strict), serde_json::Value::Null)
            }
            // A service this program no longer has.
            (Ok(_), None) => (serde_json::Value::Null, serde_json::Value::Null),
            (Err(error), _) => (serde_json::Value::Null, serde_json::to_value(error).unwrap_or_default()),
        };
        Ok(CallOutcome { service, endpoint, entity, reply: Json(reply), error: Json(error) })
    }
}

/// The call that lays a tombstone: of no endpoint anybody could call.
fn fencing(call: &Call, of: &Endpoint) -> Call {
    let mut endpoint = of.clone();
    (endpoint.name, endpoint.key, endpoint.sensitive) = ("Fence", "", false);
    endpoint.key_of = |_| Ok(Key::None);
    Call {
        account: call.account.clone(),
        endpoint,
        request_id: RequestId::None,
        deadline: call.deadline,
        trace: call.trace,
        body: Bytes::new(),
        stale_ok: false,
    }
}

fn tombstone(of: &Endpoint, call: &Call, id: &str) -> crate::shard::RunCommand {
    let service = of.service;
    let row = keys::once(&call.account, id, service, "", "");
    Arc::new(move |tx, _| {
        let due = wire::Rfc3339(tx.now().0.saturating_add(CALLER_ID_KEPT_NS));
        keep(service, row.clone(), &Kept::never(), Some(due))?.into_iter().for_each(|op| tx.stage(op));
        Ok(vec![])
    })
}
