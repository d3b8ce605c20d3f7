//! Reading the rows of one entity.

use crate::runtime::keys::RowKey;
use crate::runtime::{Order, Rows, broken_row, value::Value};
use crate::table::key_bytes;
use crate::tx::Scope;
use crate::{Limit, Reason, Result, Row, Table, TableKey, Time};
use bytes::Bytes;
use serde::{Serialize, de::DeserializeOwned};

/// What commands and queries have in common. A row at or behind its due moment is not there.
pub trait Read {
    #[doc(hidden)]
    fn scope(&self) -> &Scope;
    #[doc(hidden)]
    fn raw_get(&self, key: &RowKey) -> Result<Option<Bytes>>;
    #[doc(hidden)]
    fn raw_scan(&self, from: &[u8], to: &[u8], order: Order, limit: usize) -> Result<Vec<(Bytes, Bytes)>>;

    /// The key this call is about.
    fn key(&self) -> &str {
        &self.scope().entity
    }

    /// Now, on the group's clock, which never goes back.
    fn now(&self) -> Time {
        self.scope().now
    }

    /// The row, if it is there.
    fn get<V: Serialize + DeserializeOwned>(&self, row: &Row<V>) -> Result<Option<V>>
    where
        Self: Sized,
    {
        self.live(row.name(), &[])?.map(|stored| row.layout.decode(&stored)).transpose()
    }

    /// The row, or the service's word for its absence.
    fn need<V: Serialize + DeserializeOwned>(&self, row: &Row<V>, absent: Reason, detail: &str) -> Result<V>
    where
        Self: Sized,
    {
        self.get(row)?.ok_or_else(|| absent.because(detail))
    }

    /// The row, or the default of its type.
    fn get_or_default<V: Serialize + DeserializeOwned + Default>(&self, row: &Row<V>) -> Result<V>
    where
        Self: Sized,
    {
        Ok(self.get(row)?.unwrap_or_default())
    }

    /// When the row will be gone; `None` = never, or it is not there.
    fn due<V: Serialize + DeserializeOwned>(&self, row: &Row<V>) -> Result<Option<Time>>
    where
        Self: Sized,
    {
        Ok(self.live(row.name(), &[])?.filter(|v| v.due_ns != 0).map(|v| wire::Rfc3339(v.due_ns)))
    }

    /// The table's row under `key`, if it is there.
    fn get_at<K: TableKey, V: Serialize + DeserializeOwned>(&self, table: &Table<K, V>, key: &K) -> Result<Option<V>>
    where
        Self: Sized,
    {
        self.live(table.name(), &key_bytes(key))?.map(|stored| table.layout.decode(&stored)).transpose()
    }

    /// As [`Read::due`], in a table.
    fn due_at<K: TableKey, V: Serialize + DeserializeOwned>(&self, table: &Table<K, V>, key: &K) -> Result<Option<Time>>
    where
        Self: Sized,
    {
        Ok(self.live(table.name(), &key_bytes(key))?.filter(|v| v.due_ns != 0).map(|v| wire::Rfc3339(v.due_ns)))
    }

    /// The rows of a table in key order, or a part of them.
    fn scan<'a, K: TableKey, V: Serialize + DeserializeOwned>(&'a self, table: &'a Table<K, V>) -> Scan<'a, K, V>
    where
        Self: Sized,
    {
        let prefix = self.scope().row_key(table.name());
        let (from, to) = (prefix.as_bytes().to_vec(), prefix.end());
        Scan { reader: self, table, prefix, from, to, order: Order::Ascending }
    }

    #[doc(hidden)]
    fn live(&self, table: &'static str, row_key: &[u8]) -> Result<Option<Value>> {
        let key = self.scope().row_key(table).row(row_key);
        let stored = self.raw_get(&key)?.map(|bytes| Value::decode(table, bytes)).transpose()?;
        Ok(stored.filter(|value| !value.is_due(self.scope().now.0)))
    }
}

/// How many rows a scan looks at in one go, once it has met expired ones.
const READ_ON_ROWS: usize = 16;
const READ_ON_ROWS_MAX: usize = 256;

/// The page size that a request asks for; ≤ 0 = the default.
pub(crate) fn page_limit(sizes: Limit, limit: i64) -> Result<usize> {
    if limit > i64::from(sizes.max) {
        return Err(wire::error::reasons::BAD_BODY.refuse(format!("limit: {limit} is over {}", sizes.max)));
    }
    Ok(if limit <= 0 { sizes.default as usize } else { limit as usize })
}

/// A part of a table, about to be read.
pub struct Scan<'a, K, V> {
    reader: &'a dyn Read,
    table: &'a Table<K, V>,
    prefix: RowKey,
    from: Vec<u8>,
    to: Vec<u8>,
    order: Order,
}

impl<K: TableKey, V: Serialize + DeserializeOwned> Scan<'_, K, V> {
    /// Only keys ≥ `key`.
    pub fn from(mut self, key: &K) -> Self {
        self.from = self.prefix.clone().row(&key_bytes(key)).as_bytes().to_vec();
        self
    }

    /// Only keys behind `key`.
    pub fn after(mut self, key: &K) -> Self {
        self = self.from(key);
        self.from.push(0);
        self
    }

    /// Only keys < `key`.
    pub fn before(mut self, key: &K) -> Self {
        self.to = self.prefix.clone().row(&key_bytes(key)).as_bytes().to_vec();
        self
    }

    /// Greatest key first.
    pub fn backwards(mut self) -> Self {
        self.order = Order::Descending;
        self
    }

    /// Up to `limit` live rows.
    pub fn take(mut self, limit: usize) -> Result<Vec<(K, V)>> {
        let mut found = Vec::new();
        let mut wanted = limit;
        // Due rows still lie there until swept: read on until enough live ones are found.
        while found.len() < limit && self.from < self.to {
            let page = self.reader.raw_scan(&self.from, &self.to, self.order, wanted)?;
            let more = page.len() == wanted;
            if let Some((last, _)) = page.last() {
                match self.order {
                    Order::Ascending => self.from = [last, &[0][..]].concat(),
                    Order::Descending => self.to = last.to_vec(),
                }
            }
            for (key, bytes) in page {
                found.extend(self.open(&key, bytes)?);
            }
            if !more {
                break;
            }
            wanted = limit.clamp(READ_ON_ROWS, READ_ON_ROWS_MAX);
        }
        found.truncate(limit);
        Ok(found)
    }

    /// A page of live rows and the cursor of the next one, empty at the end. `limit` and `cursor` are the request's:
    /// ≤ 0 and empty are the defaults, a limit over the most and a cursor of another list are refused.
    pub fn page(mut self, sizes: Limit, limit: i64, cursor: &str) -> Result<(Vec<(K, V)>, String)> {
        let limit = page_limit(sizes, limit)?;
        if let Some(last) = self.table.behind(cursor)? {
            let last = self.prefix.clone().row(&key_bytes(&last)).as_bytes().to_vec();
            match self.order {
                Order::Ascending => self.from = self.from.max([&last[..], &[0]].concat()),
                Order::Descending => self.to = self.to.min(last),
            }
        }
        let table = self.table;
        let mut rows = self.take(limit + 1)?;
        let more = rows.len() > limit;
        rows.truncate(limit);
        let cursor = rows.last().filter(|_| more).map(|(key, _)| table.cursor(key)).unwrap_or_default();
        Ok((rows, cursor))
    }

    /// The first live row.
    pub fn first(self) -> Result<Option<(K, V)>> {
        Ok(self.take(1)?.pop())
    }

    fn open(&self, key: &[u8], bytes: Bytes) -> Result<Option<(K, V)>> {
        let name = self.table.layout.name;
        let stored = Value::decode(name, bytes)?;
        if stored.is_due(self.reader.scope().now.0) {
            return Ok(None);
        }
        let row_key = &key[self.prefix.as_bytes().len()..];
        let (key, _) = K::read(row_key).ok_or_else(|| broken_row(name, "its key does not decode"))?;
        Ok(Some((key, self.table.layout.decode(&stored)?)))
    }
}

/// What a query reads from: committed rows of one moment, nothing staged (P4). It has no way to write.
pub struct View<'a> {
    scope: Scope,
    rows: &'a dyn Rows,
}

impl<'a> View<'a> {
    #[doc(hidden)]
    pub fn new(scope: Scope, rows: &'a dyn Rows) -> View<'a> {
        View { scope, rows }
    }
}

impl Read for View<'_> {
    fn scope(&self) -> &Scope {
        &self.scope
    }
    fn raw_get(&self, key: &RowKey) -> Result<Option<Bytes>> {
        self.rows.get(key.as_bytes())
    }
    fn raw_scan(&self, from: &[u8], to: &[u8], order: Order, limit: usize) -> Result<Vec<(Bytes, Bytes)>> {
        self.rows.scan(from, to, order, limit)
    }
}
