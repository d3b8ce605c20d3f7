//! Queries: one linearizable moment of one group's rows (P3, P4).

use super::{GroupSeat, Router, guarded, no_leader};
use crate::call::Call;
use crate::rows::{Committed, engine_error, group_time};
use bytes::Bytes;
use sdk::runtime::{Rows, Scope};
use sdk::{Error, Time, View};
use std::sync::Arc;
use wire::error::reasons;
use wire::ids::GroupId;

type RunQuery = Arc<dyn Fn(&View, &[u8]) -> Result<Vec<u8>, Error> + Send + Sync>;

impl Router {
    pub(super) async fn query(&self, call: Call, run: &RunQuery) -> Result<Bytes, Error> {
        let entity = self.inner.entity(&call)?;
        let group = self.inner.meta.topology.group_of(&call.account, call.endpoint.service, &entity);
        let tables = self.inner.tables(call.endpoint.service);
        let reply = self.read(group, &call, |rows, now| {
            let (account, entity, tables) = (call.account.clone(), entity.clone(), tables.clone());
            let scope =
                Scope { account, service: call.endpoint.service, entity, now, key: self.inner.meta.data_key, tables };
            run(&View::new(scope, rows), &call.body)
        });
        Ok(reply.await?.into())
    }

    /// Runs `look` on rows at least as new as anything answered before the call, and the group's clock.
    pub(super) async fn read<T>(
        &self,
        group: GroupId,
        call: &Call,
        look: impl Fn(&dyn Rows, Time) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let seat = self.inner.groups.get(&group).ok_or_else(no_leader)?;
        let now = self.inner.clock.now();
        let guarded_look = || guarded(&call.endpoint, || view(seat, call.endpoint.service, now, &look));
        // The only voter reads on the spot: see `cluster::node::Leading::sole_term`.
        if let Some(term) = seat.handle.sole() {
            let found = guarded_look();
            if seat.handle.sole() == Some(term) {
                return found;
            }
        }
        match tokio::time::timeout_at(call.deadline.into(), cluster::meta::caught_up(&*seat.handle)).await {
            Ok(Ok(())) => guarded_look(),
            Ok(Err(_)) => Err(no_leader()),
            Err(_) => Err(reasons::DEADLINE.refuse("the read was not confirmed in time")),
        }
    }
}

fn view<T>(
    seat: &GroupSeat,
    service: &str,
    now: Time,
    look: &impl Fn(&dyn Rows, Time) -> Result<T, Error>,
) -> Result<T, Error> {
    let found = seat.store.view(|rows| Ok(group_time(rows, service, now).and_then(|now| look(&Committed(rows), now))));
    found.unwrap_or_else(|error| Err(engine_error(error)))
}
