//! One apply round: what several replicas apply becomes one batch of the engine.

use super::{ReplicaState, ReplicaStore, keys, layout};
use crate::state::{self, Batch, Op};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::sync::Arc;
use wire::ids::{Index, ReplicaId, Term};

/// How far a replica is once some operations are in its rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    pub index: Index,
    pub term: Term,
    /// The membership after `index`, if anything up to it changed it.
    pub conf_state: Option<Bytes>,
}

/// Gathers entries of any number of replicas over one engine; nothing is visible before [`Round::write`].
///
/// One round at a time: whoever applies for a node owns all of its replicas' writes.
#[derive(Default)]
pub struct Round {
    ops: Vec<Op>,
    /// In replica order, so that equal rounds are equal batches.
    ends: BTreeMap<ReplicaId, (ReplicaStore, ReplicaState)>,
}

impl Round {
    pub fn new() -> Round {
        Round::default()
    }

    /// Nothing to write yet.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Bytes of keys and values gathered, for a bound on the round.
    pub fn bytes(&self) -> usize {
        let size = |op: &Op| match op {
            Op::Put { key, value } => key.len() + value.len(),
            Op::Delete { key } => key.len(),
            Op::DeleteRange { from, to } => from.len() + to.len(),
        };
        self.ops.iter().map(size).sum()
    }

    /// Adds what the entries up to `applied` do to the replica's rows. Keys are the replica's own row keys.
    ///
    /// # Panics
    /// If the replica is already there, was destroyed, or lies in another engine than the others: the applier's own order is
    /// broken, and what it would write cannot be trusted.
    pub fn apply(&mut self, store: &ReplicaStore, applied: Applied, ops: impl IntoIterator<Item = Op>) {
        if let Some((first, _)) = self.ends.values().next() {
            assert!(Arc::ptr_eq(first.engine(), store.engine()), "a round is one batch of one engine");
        }
        assert!(store.is_live(), "{} applied after it was destroyed", store.replica());
        let (_, state) = self.ends.entry(store.replica()).or_insert_with(|| (store.clone(), store.state()));
        assert!(applied.index > state.applied, "{} applied again at {}", store.replica(), applied.index);
        assert!(applied.term >= state.applied_term, "{}: the log's terms fall at {}", store.replica(), applied.index);
        state.applied = applied.index;
        state.applied_term = applied.term;
        if let Some(conf_state) = applied.conf_state {
            state.conf_state = conf_state;
        }
        let prefix = keys::rows_prefix(store.replica(), state.generation);
        self.ops.extend(ops.into_iter().map(|op| match op {
            Op::Put { key, value } => Op::Put { key: keys::row(&prefix, &key), value },
            Op::Delete { key } => Op::Delete { key: keys::row(&prefix, &key) },
            Op::DeleteRange { from, to } => {
                Op::DeleteRange { from: keys::row(&prefix, &from), to: keys::row(&prefix, &to) }
            }
        }));
    }

    /// Writes rows and state rows in one batch, visible at once, durable with a later flush.
    ///
    /// After an error nothing of the round is applied and every replica is where it was: unless the error is fatal, the
    /// same entries may be applied again.
    pub fn write(self) -> Result<(), state::Error> {
        let Some((store, _)) = self.ends.values().next() else { return Ok(()) };
        let engine = store.engine().clone();
        let mut batch = Batch { ops: self.ops };
        batch.ops.extend(self.ends.iter().map(|(replica, (_, state))| Op::Put {
            key: Bytes::copy_from_slice(&keys::state(*replica)),
            value: layout::live(state),
        }));
        engine.write(batch)?;
        for (store, state) in self.ends.into_values() {
            store.set_state(state);
        }
        Ok(())
    }
}
