//! Rows in a map: what the Sandbox stands on, and the model that the kit's own tests compare with.

use crate::Result;
use crate::runtime::{Op, Order, Rows};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::ops::Bound;

/// Every row, by key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Memory(BTreeMap<Bytes, Bytes>);

impl Memory {
    /// In order, as one step.
    pub fn apply(&mut self, ops: Vec<Op>) {
        for op in ops {
            match op {
                Op::Put { key, value } => {
                    self.0.insert(key, value);
                }
                Op::Delete { key } => {
                    self.0.remove(&key);
                }
                Op::DeleteRange { from, to } => self.0.retain(|key, _| *key < from || *key >= to),
            }
        }
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn iter(&self) -> impl Iterator<Item = (&Bytes, &Bytes)> {
        self.0.iter()
    }
}

impl Rows for Memory {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>> {
        Ok(self.0.get(key).cloned())
    }

    fn scan(&self, from: &[u8], to: &[u8], order: Order, limit: usize) -> Result<Vec<(Bytes, Bytes)>> {
        if from >= to {
            return Ok(vec![]);
        }
        let bounds = (Bound::Included(from), Bound::Excluded(to));
        let rows = self.0.range::<[u8], _>(bounds).map(|(key, value)| (key.clone(), value.clone()));
        Ok(match order {
            Order::Ascending => rows.take(limit).collect(),
            Order::Descending => rows.rev().take(limit).collect(),
        })
    }
}
