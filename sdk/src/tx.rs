//! What a command works on: its entity's rows, as all commands before it leave them.

use crate::read::Read;
use crate::runtime::keys::{self, RowKey};
use crate::runtime::{Delta, Layered, Op, Order, Rows, value::Value};
use crate::table::{Layout, key_bytes};
use crate::{Result, Row, Table, TableKey, Time};
use bytes::Bytes;
use hmac::{Hmac, Mac};
use rand::{RngCore, SeedableRng, rngs::StdRng};
use serde::{Serialize, de::DeserializeOwned};
use sha2::Sha256;
use std::sync::Arc;

/// Whose rows a function sees, and when it is.
#[derive(Clone)]
pub struct Scope {
    pub account: Arc<str>,
    pub service: &'static str,
    pub entity: Arc<str>,
    pub now: Time,
    /// The cluster's own key; never in rows, replies or logs.
    pub key: [u8; 32],
    /// The tables the service declares.
    pub tables: Arc<[&'static str]>,
}

impl Scope {
    /// Prefix of the entity's rows in `table`. An undeclared table is the author's mistake: it would be missed by
    /// `delete_all`, gathers and exports, so it fails at the first touch, in the author's first test.
    pub(crate) fn row_key(&self, table: &'static str) -> RowKey {
        assert!(
            self.tables.contains(&table),
            "service {} does not declare table {table}: add .row() or .table()",
            self.service
        );
        RowKey::entity(&self.account, self.service, table, &self.entity)
    }
}

/// A command's view and its effects. Nothing happens until the command returns `Ok`; then all of it does, or none.
pub struct Tx<'a> {
    scope: Scope,
    base: &'a dyn Rows,
    delta: Delta,
    random: StdRng,
    reply_until: Option<Time>,
}

impl<'a> Tx<'a> {
    #[doc(hidden)]
    pub fn new(scope: Scope, base: &'a dyn Rows, seed: [u8; 32]) -> Tx<'a> {
        Tx { scope, base, delta: Delta::default(), random: StdRng::from_seed(seed), reply_until: None }
    }

    /// What [`Tx::keep_reply_until`] said.
    #[doc(hidden)]
    pub fn reply_until(&self) -> Option<Time> {
        self.reply_until
    }

    #[doc(hidden)]
    pub fn into_delta(self) -> Delta {
        self.delta
    }

    /// Writes the row, over whatever was there; it does not expire.
    pub fn put<V: Serialize + DeserializeOwned>(&mut self, row: &Row<V>, value: &V) -> Result<()> {
        self.write(&row.layout, &[], value, 0)
    }

    /// As [`Tx::put`]; the row is gone for every reader from `due` on, to the nanosecond. `None` = it stays, so that
    /// `put_until(row, value, tx.due(row)?)` keeps the end that the row had.
    pub fn put_until<V: Serialize + DeserializeOwned>(
        &mut self,
        row: &Row<V>,
        value: &V,
        due: impl Into<Option<Time>>,
    ) -> Result<()> {
        assert!(row.layout.expiring, "row {} is not declared .expiring()", row.name());
        self.write(&row.layout, &[], value, due_ns(due.into()))
    }

    /// No error when there is none.
    pub fn delete<V: Serialize + DeserializeOwned>(&mut self, row: &Row<V>) -> Result<()> {
        self.erase(&row.layout, &[])
    }

    /// As [`Tx::put`], in a table.
    pub fn put_at<K: TableKey, V: Serialize + DeserializeOwned>(
        &mut self,
        table: &Table<K, V>,
        key: &K,
        value: &V,
    ) -> Result<()> {
        self.write(&table.layout, &key_bytes(key), value, 0)
    }

    /// As [`Tx::put_until`], in a table.
    pub fn put_at_until<K: TableKey, V: Serialize + DeserializeOwned>(
        &mut self,
        table: &Table<K, V>,
        key: &K,
        value: &V,
        due: impl Into<Option<Time>>,
    ) -> Result<()> {
        assert!(table.layout.expiring, "table {} is not declared .expiring()", table.name());
        self.write(&table.layout, &key_bytes(key), value, due_ns(due.into()))
    }

    /// As [`Tx::delete`], in a table.
    pub fn delete_at<K: TableKey, V: Serialize + DeserializeOwned>(
        &mut self,
        table: &Table<K, V>,
        key: &K,
    ) -> Result<()> {
        self.erase(&table.layout, &key_bytes(key))
    }

    /// Every row of the table with `from ≤ key < to`: one effect, however many there are. (Their places in the due index
    /// go when they are due: to find them now would mean to read every row.)
    pub fn delete_range<K: TableKey, V: Serialize + DeserializeOwned>(
        &mut self,
        table: &Table<K, V>,
        from: &K,
        to: &K,
    ) {
        let prefix = self.scope.row_key(table.name());
        let bound = |key: &K| prefix.clone().row(&key_bytes(key)).into_bytes();
        self.delta.stage(0, Op::DeleteRange { from: bound(from), to: bound(to) });
    }

    /// The whole table of this entity.
    pub fn delete_table<K: TableKey, V: Serialize + DeserializeOwned>(&mut self, table: &Table<K, V>) {
        self.erase_all(table.name());
    }

    /// Everything this entity has, in every table of the service.
    pub fn delete_all(&mut self) {
        for table in self.scope.tables.clone().iter() {
            self.erase_all(table);
        }
    }

    /// A random number. Commands run once, on the leader, and their effects are what is replicated: random is fine.
    pub fn random(&mut self) -> u64 {
        self.random.next_u64()
    }

    /// A new id nobody else has: a random UUID (version 4).
    pub fn new_id(&mut self) -> String {
        let mut bytes = [0; 16];
        self.random.fill_bytes(&mut bytes);
        uuid(bytes)
    }

    /// Fills `out` with bytes nobody can guess.
    pub fn fill(&mut self, out: &mut [u8]) {
        self.random.fill_bytes(out);
    }

    /// A digest of `bytes` that only this cluster can make, and another one in every entity: what a row keeps of a secret
    /// that is too short to be hashed plainly.
    pub fn keyed_digest(&self, bytes: &[u8]) -> [u8; 32] {
        let Scope { account, service, entity, key, .. } = &self.scope;
        let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
        for part in [&b"digest"[..], account.as_bytes(), service.as_bytes(), entity.as_bytes(), bytes] {
            mac.update(&(part.len() as u64).to_le_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }

    /// The reply carries something that ends at `due`: what is kept of it under the call's request id goes then, if not
    /// before.
    pub fn keep_reply_until(&mut self, due: Time) {
        self.reply_until = Some(due);
    }

    /// For the runtime's own rows.
    #[doc(hidden)]
    pub fn stage(&mut self, op: Op) {
        self.delta.stage(0, op);
    }

    fn erase_all(&mut self, table: &'static str) {
        let prefix = self.scope.row_key(table);
        self.delta.stage(0, Op::DeleteRange { to: prefix.end().into(), from: prefix.into_bytes() });
    }

    fn write<V: Serialize + DeserializeOwned>(
        &mut self,
        layout: &Layout<V>,
        row_key: &[u8],
        value: &V,
        due_ns: i64,
    ) -> Result<()> {
        let key = self.scope.row_key(layout.name).row(row_key);
        let value = layout.encode(value, due_ns)?;
        self.forget_due(layout, &key)?;
        if due_ns != 0 {
            self.delta
                .stage(0, Op::Put { key: keys::due(self.scope.service, due_ns, key.as_bytes()), value: Bytes::new() });
        }
        self.delta.stage(0, Op::Put { key: key.into_bytes(), value });
        Ok(())
    }

    fn erase<V: Serialize + DeserializeOwned>(&mut self, layout: &Layout<V>, row_key: &[u8]) -> Result<()> {
        let key = self.scope.row_key(layout.name).row(row_key);
        self.forget_due(layout, &key)?;
        self.delta.stage(0, Op::Delete { key: key.into_bytes() });
        Ok(())
    }

    /// Takes the row that is about to go out of the due index.
    fn forget_due<V: Serialize + DeserializeOwned>(&mut self, layout: &Layout<V>, key: &RowKey) -> Result<()> {
        if !layout.expiring {
            return Ok(());
        }
        if let Some(old) = self.raw_get(key)? {
            let due_ns = Value::decode(layout.name, old)?.due_ns;
            if due_ns != 0 {
                self.delta.stage(0, Op::Delete { key: keys::due(self.scope.service, due_ns, key.as_bytes()) });
            }
        }
        Ok(())
    }

    fn layered(&self) -> Layered<'_> {
        Layered { base: self.base, delta: &self.delta }
    }
}

impl Read for Tx<'_> {
    fn scope(&self) -> &Scope {
        &self.scope
    }
    fn raw_get(&self, key: &RowKey) -> Result<Option<Bytes>> {
        self.layered().get(key.as_bytes())
    }
    fn raw_scan(&self, from: &[u8], to: &[u8], order: Order, limit: usize) -> Result<Vec<(Bytes, Bytes)>> {
        self.layered().scan(from, to, order, limit)
    }
}

/// In a row's header 0 stands for "never", so the first nanosecond of 1970 becomes the one before.
fn due_ns(due: Option<Time>) -> i64 {
    due.map_or(0, |due| if due.0 == 0 { -1 } else { due.0 })
}

/// RFC 9562 version 4 from sixteen random bytes.
pub fn uuid(mut bytes: [u8; 16]) -> String {
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let mut text = String::with_capacity(36);
    for (i, byte) in bytes.iter().enumerate() {
        if matches!(i, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        text.push_str(&format!("{byte:02x}"));
    }
    text
}
