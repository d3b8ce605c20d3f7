//! Gathers: a page of all groups, merged by the entities' keys.

use super::entity::Answered;
use super::groups::Question;
use super::message::{Line, Part};
use super::{Router, ServiceSeat};
use crate::call::Call;
use sdk::Error;
use sdk::runtime::{GatherScope, Gathered, Run, merge};
use std::time::Instant;
use wire::error::reasons;
use wire::ids::GroupId;

impl Router {
    /// One page. Each group's part is linearizable by itself; together they are not a moment (P10).
    ///
    /// The cursor names the last key of the page: stable while rows come and go around it.
    pub(super) async fn gather(&self, seat: &ServiceSeat, call: Call) -> Result<Answered, Error> {
        let (_, Run::Gather { wanted, page, .. }) = seat.endpoint(call.endpoint.name)? else { return Err(no_gather()) };
        let (limit, cursor) = wanted(&call.body)?;
        GatherScope::behind(&cursor)?;
        let found = self.ask_groups(Question::Lines(seat), &call).await?;
        let parts = found.parts.into_iter().map(|part| match part {
            Part::Lines(lines) => lines.into_iter().map(gathered).collect(),
            Part::Kept(_) | Part::Fenced => vec![],
        });
        let (lines, cursor) = merge(parts.collect(), limit);
        Ok(Answered { reply: page(lines, cursor)?.into(), stale: found.stale })
    }

    /// One group's part of it.
    pub(super) async fn lines(
        &self,
        seat: &ServiceSeat,
        group: GroupId,
        call: &Call,
        until: Instant,
    ) -> Result<(Part, bool), Error> {
        let (_, Run::Gather { part, wanted, .. }) = seat.endpoint(call.endpoint.name)? else { return Err(no_gather()) };
        let (limit, cursor) = wanted(&call.body)?;
        let after = GatherScope::behind(&cursor)?;
        let topology = &self.inner.founded.topology;
        let owns = |entity: &str| topology.group_of(&call.account, call.endpoint.service, entity) == group;
        let (lines, stale) = self
            .read(group, call, until, |rows, now| {
                let scope = GatherScope {
                    account: call.account.clone(),
                    service: call.endpoint.service,
                    rows,
                    now,
                    after: after.clone(),
                    // One more than asked for tells whether there is another page.
                    limit: limit + 1,
                    owns: &owns,
                };
                part(&scope, &call.body)
            })
            .await?;
        let line = |Gathered { entity, item }| Line { entity, item: wire::Bytes(item) };
        Ok((Part::Lines(lines.into_iter().map(line).collect()), stale))
    }
}

fn gathered(Line { entity, item }: Line) -> Gathered {
    Gathered { entity, item: item.0 }
}

fn no_gather() -> Error {
    reasons::NO_SUCH_ENDPOINT.refuse("it is no gather")
}
