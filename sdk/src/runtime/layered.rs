//! Rows with staged writes on top.

use super::delta::{Delta, Staged};
use super::{Order, Rows};
use crate::Result;
use bytes::Bytes;

/// `base` as it will be once `delta` is applied.
pub struct Layered<'a> {
    pub base: &'a dyn Rows,
    pub delta: &'a Delta,
}

impl Rows for Layered<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>> {
        match self.delta.get(key) {
            Staged::Put(value) => Ok(Some(value.clone())),
            Staged::Deleted => Ok(None),
            Staged::Unknown => self.base.get(key),
        }
    }

    fn scan(&self, from: &[u8], to: &[u8], order: Order, limit: usize) -> Result<Vec<(Bytes, Bytes)>> {
        if self.delta.is_empty() {
            return self.base.scan(from, to, order, limit);
        }
        let (mut from, mut to) = (from.to_vec(), to.to_vec());
        let mut found = Vec::new();
        while found.len() < limit && from < to {
            let page = self.base.scan(&from, &to, order, limit)?;
            // Behind a full page there may be more rows beneath: merge only as far as it reaches.
            let reach = (page.len() == limit).then(|| page[limit - 1].0.clone());
            let (low, high) = match (&reach, order) {
                (Some(last), Order::Ascending) => (from.clone(), after(last)),
                (Some(last), Order::Descending) => (last.to_vec(), to.clone()),
                (None, _) => (from.clone(), to.clone()),
            };
            merge(page, self.delta, (&low, &high), order, limit, &mut found);
            match (reach, order) {
                (Some(_), Order::Ascending) => from = high,
                (Some(_), Order::Descending) => to = low,
                (None, _) => break,
            }
        }
        Ok(found)
    }
}

/// The smallest key behind `key`.
fn after(key: &[u8]) -> Vec<u8> {
    [key, &[0]].concat()
}

fn merge(
    page: Vec<(Bytes, Bytes)>,
    delta: &Delta,
    span: (&[u8], &[u8]),
    order: Order,
    limit: usize,
    found: &mut Vec<(Bytes, Bytes)>,
) {
    let beneath = page.into_iter().filter(|(key, _)| delta.get(key) == Staged::Unknown);
    let staged = delta.points(span.0, span.1).filter_map(|(key, value)| Some((key.clone(), value.clone()?)));
    let mut rows: Vec<_> = beneath.chain(staged).collect();
    rows.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    if order == Order::Descending {
        rows.reverse();
    }
    rows.truncate(limit - found.len());
    found.append(&mut rows);
}
