//! Gathers: one row of every entity, in the order of their keys, page by page.

use crate::runtime::keys::{self, RowKey};
use crate::runtime::{Order, Rows, broken_row, cursor, value::Value};
use crate::table::Layout;
use crate::{Page, Result, Row, Time};
use serde::{Serialize, de::DeserializeOwned};
use std::sync::Arc;

/// Lists the entities that have a given row. The runtime owns limit, cursor and merge.
pub struct Listing<R: Page, V: 'static> {
    pub(crate) row: &'static Row<V>,
    pub(crate) item: fn(&str, V, &R) -> Option<R::Item>,
    pub(crate) implicit: Option<Implicit<V>>,
    pub(crate) prefix: fn(&R) -> &str,
}

/// An entity, and the row it is listed with.
type Implicit<V> = (&'static str, fn() -> V);

impl<R: Page, V: Serialize + DeserializeOwned> Listing<R, V> {
    /// `item` makes an entity's line from its key and row, or leaves it out.
    pub fn of(row: &'static Row<V>, item: fn(&str, V, &R) -> Option<R::Item>) -> Listing<R, V> {
        Listing { row, item, implicit: None, prefix: |_| "" }
    }

    /// Only entities whose name begins with what the request says; the others are not read.
    pub fn prefix(self, prefix: fn(&R) -> &str) -> Listing<R, V> {
        Listing { prefix, ..self }
    }

    /// An entity that exists without a row, as `V::default()`: listed once, in its place.
    pub fn implicit(mut self, entity: &'static str) -> Listing<R, V>
    where
        V: Default,
    {
        self.implicit = Some((entity, V::default));
        self
    }

    /// One group's part: up to `limit` lines behind `scope.after`.
    pub(crate) fn part(&self, scope: &GatherScope, request: &R) -> Result<Vec<Gathered>> {
        let layout = &self.row.layout;
        let table = RowKey::table(&scope.account, scope.service, layout.name);
        let prefix = (self.prefix)(request);
        let within = RowKey::entities(&scope.account, scope.service, layout.name, prefix);
        let (mut from, to) = (within.as_bytes().to_vec(), within.end());
        if let Some(after) = &scope.after {
            from = from.max(RowKey::entity(&scope.account, scope.service, layout.name, after).end());
        }
        let mut found = Vec::new();
        let mut implicit = self.implicit_here(scope)?.filter(|(entity, _)| entity.starts_with(prefix));
        // In portions: a row may be large though its line is small.
        let portion = scope.limit.min(PORTION_ROWS);
        while found.len() < scope.limit && from < to {
            let page = scope.rows.scan(&from, &to, Order::Ascending, portion)?;
            let more = page.len() == portion;
            for (key, bytes) in page {
                let entity =
                    keys::entity_of(&table, &key).ok_or_else(|| broken_row(layout.name, "its key does not decode"))?;
                if let Some((absent, row)) = implicit.take_if(|(absent, _)| *absent < entity.as_str()) {
                    self.line(absent, row, request, &mut found)?;
                }
                from = [&key, &[0][..]].concat();
                if let Some(value) = live(layout, bytes, scope.now)? {
                    self.line(&entity, value, request, &mut found)?;
                }
            }
            if !more {
                break;
            }
        }
        if let Some((absent, row)) = implicit {
            self.line(absent, row, request, &mut found)?;
        }
        found.truncate(scope.limit);
        Ok(found)
    }

    /// The implicit entity, if it belongs to this group and page and has no row of its own.
    fn implicit_here(&self, scope: &GatherScope) -> Result<Option<(&'static str, V)>> {
        let Some((entity, value)) = self.implicit else { return Ok(None) };
        if !(scope.owns)(entity) || scope.after.as_deref().is_some_and(|after| after >= entity) {
            return Ok(None);
        }
        let key = RowKey::entity(&scope.account, scope.service, self.row.name(), entity);
        let stored = scope.rows.get(key.as_bytes())?;
        let absent = match stored {
            Some(bytes) => live(&self.row.layout, bytes, scope.now)?.is_none(),
            None => true,
        };
        Ok(absent.then(|| (entity, value())))
    }

    fn line(&self, entity: &str, row: V, request: &R, found: &mut Vec<Gathered>) -> Result<()> {
        if let Some(item) = (self.item)(entity, row, request) {
            found.push(Gathered { entity: entity.to_string(), item: wire::endpoint::encode(&item)? });
        }
        Ok(())
    }
}

fn live<V: Serialize + DeserializeOwned>(layout: &Layout<V>, bytes: bytes::Bytes, now: Time) -> Result<Option<V>> {
    let stored = Value::decode(layout.name, bytes)?;
    if stored.is_due(now.0) { Ok(None) } else { layout.decode(&stored).map(Some) }
}

/// Rows a gather holds at once; 16 MiB when each is as large as a row may be.
const PORTION_ROWS: usize = 256;

/// The groups' parts, each asked for `limit + 1` lines, as one page of `limit`, and the cursor of the next page.
pub fn merge(parts: Vec<Vec<Gathered>>, limit: usize) -> (Vec<Gathered>, String) {
    let mut lines: Vec<Gathered> = parts.into_iter().flatten().collect();
    lines.sort_by(|a, b| a.entity.cmp(&b.entity));
    let more = lines.len() > limit;
    lines.truncate(limit);
    let cursor = lines.last().filter(|_| more).map(|line| cursor::write(line.entity.as_bytes())).unwrap_or_default();
    (lines, cursor)
}

/// What a gather sees of one group.
pub struct GatherScope<'a> {
    pub account: Arc<str>,
    pub service: &'static str,
    pub rows: &'a dyn Rows,
    pub now: Time,
    /// Only entities behind this one; [`GatherScope::behind`] reads it from the request's cursor.
    pub after: Option<String>,
    pub limit: usize,
    /// Does this group own the entity?
    pub owns: &'a dyn Fn(&str) -> bool,
}

impl GatherScope<'_> {
    /// The entity behind which the page of this cursor begins; `None` = from the start.
    pub fn behind(cursor: &str) -> Result<Option<String>> {
        if cursor.is_empty() {
            return Ok(None);
        }
        String::from_utf8(cursor::read(cursor)?).map(Some).map_err(|_| cursor::foreign())
    }
}

/// A line of a page, with the key it sorts by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, serde::Deserialize)]
pub struct Gathered {
    pub entity: String,
    /// [`wire::codec`], of the page's item type.
    pub item: Vec<u8>,
}
