//! One replica's handle: opened, read, destroyed here; written through [`Round`](super::Round) and snapshots.

use super::{Error, Generation, ReplicaState, Rows, Staged, Staging, StateHash, hash, keys, layout, snapshot};
use crate::state::{Batch, Engine, Op, Order, View};
use bytes::Bytes;
use std::fmt;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use wire::ids::ReplicaId;

/// A replica's rows and state over the node's engine. Clones are the same replica.
///
/// Reads need no lock and go on while anything is written. Writes have one owner, the node's applier.
#[derive(Clone)]
pub struct ReplicaStore {
    shared: Arc<Shared>,
}

struct Shared {
    engine: Arc<dyn Engine>,
    replica: ReplicaId,
    /// As in the engine, for the applier: readers take theirs from the moment they read.
    state: Mutex<ReplicaState>,
    /// Held while stagings write, flip or end, so that none writes into a generation that is over.
    stagings: Mutex<Stagings>,
}

struct Stagings {
    /// The newest generation any staging was given; never less than the current one.
    newest: Generation,
    destroyed: bool,
}

/// The live replicas in this engine, in order of their ids, destroyed ones left out.
pub fn replicas(engine: &dyn Engine) -> Result<Vec<(ReplicaId, ReplicaState)>, Error> {
    read(engine, |view| {
        let mut found = Vec::new();
        let range = keys::states();
        for (key, row) in view.scan(&range.start..&range.end, Order::Ascending, usize::MAX)? {
            let what = || key.escape_ascii().to_string();
            let replica = keys::replica_of_state(&key)
                .ok_or_else(|| Error::Malformed { what: what(), why: "no replica's key" })?;
            found.extend(layout::state(replica, row)?.map(|state| (replica, state)));
        }
        Ok(found)
    })
}

/// Flushes the engine and returns states that are certainly on disk: how far each replica's log may be purged (P18).
///
/// They are those of the moment *before* the flush; what is applied while it runs may or may not be in it.
pub fn flush(engine: &dyn Engine) -> Result<Vec<(ReplicaId, ReplicaState)>, Error> {
    let states = replicas(engine)?;
    engine.flush()?;
    Ok(states)
}

impl ReplicaStore {
    /// Makes a replica that has never been anywhere, without rows, where `state` says. On disk when this returns.
    pub fn bootstrap(engine: Arc<dyn Engine>, replica: ReplicaId, state: ReplicaState) -> Result<ReplicaStore, Error> {
        if read(&*engine, |view| Ok(view.get(&keys::state(replica))?))?.is_some() {
            return Err(Error::Used(replica));
        }
        // Rows without a state row cannot be; should a bug leave some, they are not this replica's.
        let all = keys::all_rows(replica);
        engine.write(Batch {
            ops: vec![Op::DeleteRange { from: all.start, to: all.end }, put_state(replica, layout::live(&state))],
        })?;
        engine.flush()?;
        Ok(ReplicaStore::new(engine, replica, state))
    }

    /// The replica as the last run left it, its leftovers swept; `None` if it never was here or was destroyed.
    pub fn open(engine: Arc<dyn Engine>, replica: ReplicaId) -> Result<Option<ReplicaStore>, Error> {
        let row = read(&*engine, |view| Ok(view.get(&keys::state(replica))?))?;
        let Some(state) = row.map(|row| layout::state(replica, row)).transpose()?.flatten() else { return Ok(None) };
        let store = ReplicaStore::new(engine, replica, state);
        store.sweep()?;
        Ok(Some(store))
    }

    /// Was this id here and destroyed? Tells a destroyed replica from one whose state is lost.
    pub fn is_destroyed(engine: &dyn Engine, replica: ReplicaId) -> Result<bool, Error> {
        let row = read(engine, |view| Ok(view.get(&keys::state(replica))?))?;
        Ok(row.map(|row| layout::state(replica, row)).transpose()?.is_some_and(|state| state.is_none()))
    }

    fn new(engine: Arc<dyn Engine>, replica: ReplicaId, state: ReplicaState) -> ReplicaStore {
        let stagings = Mutex::new(Stagings { newest: state.generation, destroyed: false });
        ReplicaStore { shared: Arc::new(Shared { engine, replica, state: Mutex::new(state), stagings }) }
    }

    pub fn replica(&self) -> ReplicaId {
        self.shared.replica
    }

    pub fn engine(&self) -> &Arc<dyn Engine> {
        &self.shared.engine
    }

    /// The state as last written here. A reader wants that of its own moment: [`Rows::state`].
    pub fn state(&self) -> ReplicaState {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn set_state(&self, state: ReplicaState) {
        *self.shared.state.lock().unwrap_or_else(PoisonError::into_inner) = state;
    }

    /// Runs `look` on one consistent moment of the replica's rows and state (P4).
    pub fn view<T>(&self, look: impl FnOnce(&Rows<'_>) -> Result<T, Error>) -> Result<T, Error> {
        read(&*self.shared.engine, |view| look(&Rows::new(view, self.shared.replica)?))
    }

    /// Rows and position, in one number: equal on every replica at the same index.
    pub fn hash(&self) -> Result<StateHash, Error> {
        self.view(hash::of)
    }

    /// Hands `send` the chunks of a snapshot of one moment, about `chunk_bytes` each (see [`super::CHUNK_BYTES`]), until it
    /// breaks off. Blocks as long as `send` does, holding one engine snapshot and one chunk; returns whether it got to the
    /// end. Any thread but the core's or an async one.
    pub fn snapshot(&self, chunk_bytes: usize, send: &mut dyn FnMut(Bytes) -> ControlFlow<()>) -> Result<bool, Error> {
        self.view(|rows| snapshot::write(rows, chunk_bytes, send))
    }

    /// Begins to install a snapshot: into a generation of its own, while this one goes on answering and applying.
    pub fn stage(&self) -> Result<Staging, Error> {
        let mut stagings = self.stagings()?;
        stagings.newest.0 = stagings.newest.0.checked_add(1).expect("less than four billion snapshots of one replica");
        Ok(Staging::new(self.clone(), stagings.newest))
    }

    /// Writes rows of a staging, unless its generation is over.
    pub(super) fn write_staged(&self, generation: Generation, ops: Vec<Op>) -> Result<(), Error> {
        let _held = self.stagings()?;
        self.ahead(generation)?;
        Ok(self.shared.engine.write(Batch { ops })?)
    }

    /// Deletes the rows of a staging that is not wanted any more.
    pub(super) fn drop_staged(&self, generation: Generation) -> Result<(), Error> {
        let _held = self.stagings()?;
        self.ahead(generation)?;
        let rows = keys::rows(self.replica(), generation);
        Ok(self.shared.engine.write(Batch { ops: vec![Op::DeleteRange { from: rows.start, to: rows.end }] })?)
    }

    /// Gives up a snapshot that was staged whole.
    pub fn abandon(&self, staged: Staged) -> Result<(), Error> {
        assert_eq!(staged.replica(), self.replica(), "staged by this replica");
        self.drop_staged(staged.state().generation)
    }

    /// Makes a staged snapshot the replica's state, and what was before nothing, in one batch: on disk when this returns.
    ///
    /// Nothing may be applied to the replica meanwhile (RAFT §3). A snapshot that is not ahead is refused and left staged.
    pub fn flip(&self, staged: &Staged) -> Result<ReplicaState, Error> {
        assert_eq!(staged.replica(), self.replica(), "staged by this replica");
        let state = staged.state();
        let held = self.stagings()?;
        self.ahead(state.generation)?;
        let current = self.state();
        if state.applied <= current.applied {
            return Err(Error::Behind { snapshot: state.applied, applied: current.applied });
        }
        let old = keys::rows_before(self.replica(), state.generation);
        let ops =
            vec![Op::DeleteRange { from: old.start, to: old.end }, put_state(self.replica(), layout::live(&state))];
        self.shared.engine.write(Batch { ops })?;
        self.set_state(state.clone());
        drop(held);
        self.shared.engine.flush()?;
        Ok(state)
    }

    /// Forgets the replica for good: its rows go, its id stays taken. On disk when this returns; other handles are dead.
    pub fn destroy(self) -> Result<(), Error> {
        let mut stagings = self.stagings()?;
        let all = keys::all_rows(self.replica());
        let ops =
            vec![Op::DeleteRange { from: all.start, to: all.end }, put_state(self.replica(), layout::destroyed())];
        self.shared.engine.write(Batch { ops })?;
        stagings.destroyed = true;
        drop(stagings);
        Ok(self.shared.engine.flush()?)
    }

    pub(super) fn is_live(&self) -> bool {
        self.stagings().is_ok()
    }

    fn stagings(&self) -> Result<MutexGuard<'_, Stagings>, Error> {
        let stagings = self.shared.stagings.lock().unwrap_or_else(PoisonError::into_inner);
        if stagings.destroyed { Err(Error::Gone(self.replica())) } else { Ok(stagings) }
    }

    /// A staging's generation is over once a newer one is the replica's state.
    fn ahead(&self, staged: Generation) -> Result<(), Error> {
        let current = self.state().generation;
        if staged > current { Ok(()) } else { Err(Error::Superseded { staged, current }) }
    }

    /// Deletes what a crash left of generations that are not the current one: stagings that did not end.
    fn sweep(&self) -> Result<(), Error> {
        let generation = self.state().generation;
        let others = [keys::rows_before(self.replica(), generation), keys::rows_after(self.replica(), generation)];
        let mut ops = Vec::new();
        for range in others {
            // Looked for first: a range delete costs every later read a little.
            let first =
                read(self.engine().as_ref(), |view| Ok(view.scan(&range.start..&range.end, Order::Ascending, 1)?))?;
            if !first.is_empty() {
                ops.push(Op::DeleteRange { from: range.start, to: range.end });
            }
        }
        if !ops.is_empty() {
            self.shared.engine.write(Batch { ops })?;
        }
        Ok(())
    }
}

impl fmt::Debug for ReplicaStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReplicaStore")
            .field("replica", &self.replica())
            .field("state", &self.state())
            .finish_non_exhaustive()
    }
}

fn put_state(replica: ReplicaId, row: Bytes) -> Op {
    Op::Put { key: Bytes::copy_from_slice(&keys::state(replica)), value: row }
}

/// The answer of `look` on one view of the engine.
fn read<T>(engine: &dyn Engine, look: impl FnOnce(&dyn View) -> Result<T, Error>) -> Result<T, Error> {
    let (mut look, mut answer) = (Some(look), None);
    engine.view(&mut |view| answer = look.take().map(|look| look(view)));
    answer.expect("an engine runs the closure of a view once")
}
