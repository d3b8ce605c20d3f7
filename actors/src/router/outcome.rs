//! Answering [`crate::outcome`]: what lies in all groups under one request id.

use super::{Router, ServiceSeat};
use crate::call::Call;
use crate::outcome::{CallOutcome, OutcomeRequest, OutcomeResponse};
use crate::shard::{CALLER_ID_KEPT_NS, Kept, keep, kept_rows};
use bytes::Bytes;
use futures::future::try_join_all;
use sdk::runtime::keys;
use sdk::{Error, Key, Read};
use std::sync::Arc;
use wire::error::reasons;
use wire::fit::Fit;
use wire::ids::GroupId;
use wire::rpc::RequestId;
use wire::{Endpoint, Json};

/// A call and what was decided.
type Decided = (String, String, String, Result<Bytes, Error>);

impl Router {
    pub(super) async fn outcome(&self, call: Call) -> Result<Bytes, Error> {
        let asked: OutcomeRequest = wire::endpoint::decode(&call.body)?;
        if asked.id.is_empty() {
            return Err(reasons::BAD_BODY.refuse("id: which request id?"));
        }
        let seats = self.seats_of(&asked.service)?;
        if asked.fence {
            self.fence(&call, &asked.id, &seats).await?;
        }
        // Before the rows: what is over by now lies there.
        let runs = !asked.fence && self.inner.under_way.has(&call.account, &asked.id);
        let mut calls = Vec::new();
        for group in self.inner.meta.topology.owners() {
            calls.extend(self.kept_in(group, &call, &asked).await?);
        }
        let state = match (runs, calls.is_empty()) {
            (true, _) => "running",
            (false, false) => "done",
            (false, true) => "not_seen",
        };
        let calls = calls.into_iter().map(|decided| self.shown(decided)).collect::<Result<_, _>>()?;
        let told = OutcomeResponse { state: state.into(), definite: asked.fence, calls };
        wire::endpoint::encode(&told).map(Bytes::from)
    }

    fn seats_of(&self, service: &str) -> Result<Vec<&ServiceSeat>, Error> {
        match (service, self.inner.services.get(service)) {
            ("", _) => Ok(self.inner.services.values().collect()),
            (_, Some(seat)) => Ok(vec![seat]),
            (_, None) => Err(reasons::NO_SUCH_SERVICE.refuse(format!("service: there is no {service:?}"))),
        }
    }

    /// A tombstone of the id in every group, each laid by the shard that would run such a call: what it ran before has its
    /// reply kept, what comes after finds the tombstone.
    async fn fence(&self, call: &Call, id: &str, seats: &[&ServiceSeat]) -> Result<(), Error> {
        let groups: Vec<GroupId> = self.inner.meta.topology.owners().collect();
        let places = seats.iter().flat_map(|seat| groups.iter().map(move |group| (*seat, *group)));
        let laid = places.filter_map(|(seat, group)| {
            let endpoint = seat.service.endpoints().next()?;
            Some(self.run_in(seat, group, fencing(call, endpoint), "".into(), tombstone(endpoint, call, id)))
        });
        try_join_all(laid).await.map(drop)
    }

    /// What was decided in `group` under the id, tombstones left out.
    async fn kept_in(&self, group: GroupId, call: &Call, asked: &OutcomeRequest) -> Result<Vec<Decided>, Error> {
        // Its own, and those of the calls that a handler made under it.
        let (own, inner) = (keys::once_prefix(&call.account, &asked.id), keys::once_inner(&call.account, &asked.id));
        let key = self.inner.meta.data_key;
        let found = self.read(group, call, |rows, now| {
            Ok([kept_rows(rows, &own, &key, now)?, kept_rows(rows, &inner, &key, now)?].concat())
        });
        Ok(found
            .await?
            .into_iter()
            .filter(|(service, ..)| asked.service.is_empty() || *service == asked.service)
            .collect())
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
