//! Gathers: a page of all groups, merged by the entities' keys.

use super::Router;
use crate::call::Call;
use bytes::Bytes;
use sdk::Error;
use sdk::runtime::{GatherScope, Gathered, merge};
use std::sync::Arc;

type Part = Arc<dyn Fn(&GatherScope, &[u8]) -> Result<Vec<Gathered>, Error> + Send + Sync>;
type Wanted = fn(&[u8]) -> Result<(usize, String), Error>;
type Page = fn(Vec<Gathered>, String) -> Result<Vec<u8>, Error>;

impl Router {
    /// One page. Each group's part is linearizable by itself; together they are not a moment (P10).
    ///
    /// The cursor names the last key of the page: stable while rows come and go around it.
    pub(super) async fn gather(&self, call: Call, part: &Part, wanted: Wanted, page: Page) -> Result<Bytes, Error> {
        let (limit, cursor) = wanted(&call.body)?;
        let after = GatherScope::behind(&cursor)?;
        let topology = &self.inner.meta.topology;
        let mut parts = Vec::new();
        for group in topology.owners() {
            let owns = |entity: &str| topology.group_of(&call.account, call.endpoint.service, entity) == group;
            let found = self.read(group, &call, |rows, now| {
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
            });
            parts.push(found.await?);
        }
        let (lines, cursor) = merge(parts, limit);
        page(lines, cursor).map(Bytes::from)
    }
}
