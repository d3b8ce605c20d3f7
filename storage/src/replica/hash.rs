//! Rows in one number, to compare replicas and to end a snapshot with.

use super::{Error, Rows};
use std::fmt;
use std::ops::ControlFlow;
use wire::ids::{Index, Term};
use xxhash_rust::xxh3::Xxh3;

/// What all replicas of a group must agree on at one index.
///
/// The membership is left out: it is agreed on as well, but its encoding keeps no order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StateHash {
    pub index: Index,
    pub term: Term,
    pub rows: u64,
    pub hash: u128,
}

impl fmt::Display for StateHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {} rows {:032x}", self.index, self.term, self.rows, self.hash)
    }
}

pub(super) fn of(rows: &Rows<'_>) -> Result<StateHash, Error> {
    let mut running = Running::default();
    rows.visit_all(&mut |key, value| {
        running.row(&key, &value);
        ControlFlow::Continue(())
    })?;
    let state = rows.state();
    Ok(StateHash { index: state.applied, term: state.applied_term, rows: running.rows, hash: running.hash() })
}

/// The hash of rows seen so far, in their order.
#[derive(Default)]
pub struct Running {
    hash: Xxh3,
    pub rows: u64,
}

impl Running {
    pub fn row(&mut self, key: &[u8], value: &[u8]) {
        for part in [key, value] {
            self.hash.update(&(part.len() as u64).to_be_bytes());
            self.hash.update(part);
        }
        self.rows += 1;
    }

    pub fn hash(&self) -> u128 {
        self.hash.digest128()
    }
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} rows {:032x}", self.rows, self.hash())
    }
}
