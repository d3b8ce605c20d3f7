//! Staged writes: what a command wants to happen to rows, and what several of them want together.

use bytes::Bytes;
use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;

/// One effect on rows, in the order it was staged.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Op {
    Put { key: Bytes, value: Bytes },
    Delete { key: Bytes },
    DeleteRange { from: Bytes, to: Bytes },
}

/// What the staged writes say about a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Staged<'a> {
    Put(&'a Bytes),
    Deleted,
    /// Nothing: ask what lies beneath.
    Unknown,
}

/// Writes staged but not yet visible to queries, each under a stamp (the proposal that carries it).
///
/// Ranges come before points: a point inside a staged range is always newer than the range, since staging a range
/// drops the points it covers.
#[derive(Clone, Debug, Default)]
pub struct Delta {
    points: BTreeMap<Bytes, (u64, Option<Bytes>)>,
    ranges: Vec<(u64, Bytes, Bytes)>,
    /// Keys by stamp, oldest first, so that settling costs what was staged.
    journal: VecDeque<(u64, Vec<Bytes>)>,
}

impl Delta {
    /// Stages `op` under `stamp`; stamps never fall.
    pub fn stage(&mut self, stamp: u64, op: Op) {
        match op {
            Op::Put { key, value } => self.point(stamp, key, Some(value)),
            Op::Delete { key } => self.point(stamp, key, None),
            Op::DeleteRange { from, to } => {
                if from >= to {
                    return;
                }
                let covered: Vec<Bytes> =
                    self.points.range(from.clone()..to.clone()).map(|(key, _)| key.clone()).collect();
                covered.iter().for_each(|key| {
                    self.points.remove(key);
                });
                self.ranges.push((stamp, from, to));
            }
        }
    }

    fn point(&mut self, stamp: u64, key: Bytes, value: Option<Bytes>) {
        match self.journal.back_mut() {
            Some((last, keys)) if *last == stamp => keys.push(key.clone()),
            _ => self.journal.push_back((stamp, vec![key.clone()])),
        }
        self.points.insert(key, (stamp, value));
    }

    /// Forgets what was staged under stamps up to and with `stamp`: it is applied, the rows beneath have it.
    pub fn settle(&mut self, stamp: u64) {
        while self.journal.front().is_some_and(|(first, _)| *first <= stamp) {
            let (_, keys) = self.journal.pop_front().expect("just seen");
            for key in keys {
                if self.points.get(&key).is_some_and(|(staged, _)| *staged <= stamp) {
                    self.points.remove(&key);
                }
            }
        }
        self.ranges.retain(|(staged, ..)| *staged > stamp);
    }

    pub fn get(&self, key: &[u8]) -> Staged<'_> {
        match self.points.get(key) {
            Some((_, Some(value))) => Staged::Put(value),
            Some((_, None)) => Staged::Deleted,
            None if self.ranges.iter().any(|(_, from, to)| from.as_ref() <= key && key < to.as_ref()) => {
                Staged::Deleted
            }
            None => Staged::Unknown,
        }
    }

    /// Staged points with `from ≤ key < to`, in order; `None` = deleted.
    pub fn points(&self, from: &[u8], to: &[u8]) -> impl DoubleEndedIterator<Item = (&Bytes, &Option<Bytes>)> {
        let bounds = if from < to {
            (Bound::Included(from), Bound::Excluded(to))
        } else {
            (Bound::Included(to), Bound::Excluded(to))
        };
        self.points.range::<[u8], _>(bounds).map(|(key, (_, value))| (key, value))
    }

    pub fn is_empty(&self) -> bool {
        self.points.is_empty() && self.ranges.is_empty()
    }

    /// Everything staged as effects: ranges first, then points.
    pub fn into_ops(self) -> Vec<Op> {
        let ranges = self.ranges.into_iter().map(|(_, from, to)| Op::DeleteRange { from, to });
        let points = self.points.into_iter().map(|(key, (_, value))| match value {
            Some(value) => Op::Put { key, value },
            None => Op::Delete { key },
        });
        ranges.chain(points).collect()
    }
}
