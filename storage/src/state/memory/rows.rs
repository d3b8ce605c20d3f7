//! One moment of the memory engine: stored rows in key order, cloned in O(1).

use crate::state::{Error, Order, View};
use bytes::Bytes;
use imbl::OrdMap;
use std::ops::{Bound, ControlFlow, Range};

#[derive(Clone, Debug, Default)]
pub struct Rows {
    map: OrdMap<Bytes, Bytes>,
    bytes: u64,
}

impl Rows {
    pub fn get(&self, key: &[u8]) -> Option<Bytes> {
        self.map.get(key).cloned()
    }

    /// The key at `choice` modulo their number.
    pub fn nth_key(&self, choice: u64) -> Option<Bytes> {
        let at = choice.checked_rem(self.map.len() as u64)?;
        self.map.keys().nth(at as usize).cloned()
    }

    pub fn put(&mut self, key: Bytes, stored: Bytes) {
        let (key_len, len) = (key.len(), stored.len());
        let before = self.map.insert(key, stored).map_or(0, |old| key_len + old.len());
        self.bytes = self.bytes + (key_len + len) as u64 - before as u64;
    }

    pub fn delete(&mut self, key: &[u8]) {
        if let Some(old) = self.map.remove(key) {
            self.bytes -= (key.len() + old.len()) as u64;
        }
    }

    pub fn delete_range(&mut self, from: &[u8], to: &[u8]) {
        if from >= to {
            return;
        }
        let doomed: Vec<Bytes> = self.range(from..to).map(|(key, _)| key.clone()).collect();
        for key in doomed {
            self.delete(&key);
        }
    }

    /// (rows, bytes)
    pub fn size(&self) -> (u64, u64) {
        (self.map.len() as u64, self.bytes)
    }

    /// `range` must hold its start before its end.
    fn range(&self, range: Range<&[u8]>) -> impl DoubleEndedIterator<Item = (&Bytes, &Bytes)> {
        self.map.range::<_, [u8]>((Bound::Included(range.start), Bound::Excluded(range.end)))
    }
}

impl View for Rows {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, Error> {
        Ok(Rows::get(self, key))
    }

    fn visit(
        &self,
        range: Range<&[u8]>,
        order: Order,
        row: &mut dyn FnMut(Bytes, Bytes) -> ControlFlow<()>,
    ) -> Result<(), Error> {
        if range.is_empty() {
            return Ok(());
        }
        let mut rows = self.range(range);
        while let Some((key, stored)) = match order {
            Order::Ascending => rows.next(),
            Order::Descending => rows.next_back(),
        } {
            if row(key.clone(), stored.clone()).is_break() {
                break;
            }
        }
        Ok(())
    }
}
