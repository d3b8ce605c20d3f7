//! Queries: one linearizable moment of one group's rows (P3, P4), or the rows as they lie here for who said `stale_ok`.

use super::{Router, guarded, no_leader};
use crate::call::Call;
use crate::rows::{Committed, engine_error, group_time};
use bytes::Bytes;
use sdk::runtime::{Rows, Scope};
use sdk::{Error, Time, View};
use std::sync::Arc;
use std::time::Instant;
use storage::replica::ReplicaStore;
use wire::error::reasons;
use wire::ids::{GroupId, Index};

pub(super) type RunQuery = Arc<dyn Fn(&View, &[u8]) -> Result<Vec<u8>, Error> + Send + Sync>;

impl Router {
    /// The reply, and whether the rows it is of may be behind.
    pub(super) async fn query(
        &self,
        group: GroupId,
        entity: &Arc<str>,
        call: &Call,
        run: &RunQuery,
        until: Instant,
    ) -> Result<(Bytes, bool), Error> {
        let tables = self.inner.tables(call.endpoint.service);
        let (reply, stale) = self
            .read(group, call, until, |rows, now| {
                let (account, entity, tables) = (call.account.clone(), entity.clone(), tables.clone());
                let key = self.inner.founded.data_key;
                let scope = Scope { account, service: call.endpoint.service, entity, now, key, tables };
                run(&View::new(scope, rows), &call.body)
            })
            .await?;
        Ok((reply.into(), stale))
    }

    /// Runs `look` on rows at least as new as anything answered before the call, and the group's clock; on older ones only
    /// if the call said `stale_ok`, and tells so.
    pub(super) async fn read<T>(
        &self,
        group: GroupId,
        call: &Call,
        until: Instant,
        look: impl Fn(&dyn Rows, Time) -> Result<T, Error>,
    ) -> Result<(T, bool), Error> {
        let seat = self.inner.groups.get(&group).ok_or_else(no_leader)?;
        let store = seat.rows.get().ok_or_else(no_leader)?;
        let now = self.inner.clock.now();
        let guarded_look = || {
            let found = guarded(&call.endpoint, || view(&store, call.endpoint.service, now, &look));
            // A replica that was taken away meanwhile may have lost its rows, and another one here may not have them yet.
            let is_there = seat.rows.get().is_some_and(|there| there.replica() == store.replica());
            if is_there { found } else { Err(no_leader()) }
        };
        // The only voter reads on the spot: see `cluster::node::Leading::sole_term`.
        if let Some(term) = seat.handle.sole() {
            let found = guarded_look();
            if seat.handle.sole() == Some(term) {
                return found.map(|found| (found, false));
            }
        }
        if call.stale_ok {
            // A replica that was just made has nothing of its group yet: that is not old, it is wrong.
            let begun = store.state().applied > Index(0);
            return if begun { guarded_look().map(|found| (found, true)) } else { Err(no_leader()) };
        }
        match tokio::time::timeout_at(until.into(), cluster::meta::caught_up(&*seat.handle)).await {
            Ok(Ok(())) => guarded_look().map(|found| (found, false)),
            Ok(Err(_)) => Err(no_leader()),
            Err(_) if until < call.deadline => Err(no_leader()),
            Err(_) => Err(reasons::DEADLINE.refuse("the read was not confirmed in time")),
        }
    }
}

fn view<T>(
    store: &ReplicaStore,
    service: &str,
    now: Time,
    look: &impl Fn(&dyn Rows, Time) -> Result<T, Error>,
) -> Result<T, Error> {
    let found = store.view(|rows| Ok(group_time(rows, service, now).and_then(|now| look(&Committed(rows), now))));
    found.unwrap_or_else(|error| Err(engine_error(error)))
}
