//! One replica's rows at one moment.

use super::keys::{self, ROWS_PREFIX};
use super::{Error, ReplicaState, layout, snapshot};
use crate::state::{self, Order, View};
use bytes::Bytes;
use std::ops::{ControlFlow, Range};
use wire::ids::ReplicaId;

/// A [`View`] whose keys are the replica's own row keys, with the state those rows are in.
pub struct Rows<'a> {
    view: &'a dyn View,
    prefix: [u8; ROWS_PREFIX],
    replica: ReplicaId,
    state: ReplicaState,
}

impl<'a> Rows<'a> {
    pub(super) fn new(view: &'a dyn View, replica: ReplicaId) -> Result<Rows<'a>, Error> {
        let row = view.get(&keys::state(replica))?.ok_or(Error::Gone(replica))?;
        let state = layout::state(replica, row)?.ok_or(Error::Gone(replica))?;
        Ok(Rows { view, prefix: keys::rows_prefix(replica, state.generation), replica, state })
    }

    pub fn replica(&self) -> ReplicaId {
        self.replica
    }

    /// How far these rows are.
    pub fn state(&self) -> &ReplicaState {
        &self.state
    }

    /// The rows of this moment as a snapshot; as [`super::ReplicaStore::snapshot`], for whoever holds the moment already.
    pub fn snapshot(&self, chunk_bytes: usize, send: &mut dyn FnMut(Bytes) -> ControlFlow<()>) -> Result<bool, Error> {
        snapshot::write(self, chunk_bytes, send)
    }

    /// Hands `row` every row in key order until it breaks off.
    pub fn visit_all(&self, row: &mut dyn FnMut(Bytes, Bytes) -> ControlFlow<()>) -> Result<(), state::Error> {
        let all = keys::rows(self.replica, self.state.generation);
        self.visit_absolute(&all.start..&all.end, Order::Ascending, row)
    }

    fn visit_absolute(
        &self,
        range: Range<&[u8]>,
        order: Order,
        row: &mut dyn FnMut(Bytes, Bytes) -> ControlFlow<()>,
    ) -> Result<(), state::Error> {
        self.view.visit(range, order, &mut |key, value| row(key.slice(ROWS_PREFIX..), value))
    }
}

impl View for Rows<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, state::Error> {
        self.view.get(&keys::row(&self.prefix, key))
    }

    fn visit(
        &self,
        range: Range<&[u8]>,
        order: Order,
        row: &mut dyn FnMut(Bytes, Bytes) -> ControlFlow<()>,
    ) -> Result<(), state::Error> {
        let (from, to) = (keys::row(&self.prefix, range.start), keys::row(&self.prefix, range.end));
        self.visit_absolute(&from..&to, order, row)
    }
}
