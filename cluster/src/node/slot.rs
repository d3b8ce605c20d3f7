//! Where a group's rows are on this node: replicas come and go while it runs, and readers hold the place, not the replica.

use std::sync::{Arc, PoisonError, RwLock};
use storage::replica::ReplicaStore;

/// One group's place on this node.
#[derive(Debug, Default)]
pub struct Slot(RwLock<Option<ReplicaStore>>);

impl Slot {
    /// A place that is taken from the start.
    pub fn of(store: ReplicaStore) -> Arc<Slot> {
        Arc::new(Slot(RwLock::new(Some(store))))
    }

    /// The replica's rows, if the group has a replica here now.
    pub fn get(&self) -> Option<ReplicaStore> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn set(&self, store: Option<ReplicaStore>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = store;
    }
}
