//! Chunks into a new generation of a replica, beside the one that goes on working (P16).

use super::SnapshotHeader;
use super::read::{Body, Chunk};
use crate::replica::hash::Running;
use crate::replica::{Error, Generation, ReplicaState, ReplicaStore, keys};
use crate::state::Op;
use bytes::Bytes;
use std::mem;
use wire::ids::ReplicaId;

/// A snapshot being received. Dropped half-way it leaves rows that [`Staging::abandon`], the next flip or the next start sweeps.
#[derive(Debug)]
pub struct Staging {
    store: ReplicaStore,
    generation: Generation,
    next: u32,
    progress: Progress,
}

#[derive(Debug)]
enum Progress {
    Head,
    Rows {
        header: SnapshotHeader,
        running: Box<Running>,
        last: Option<Bytes>,
    },
    /// An error, or the end: nothing more is taken.
    Over,
}

/// A snapshot received whole and checked, not yet the replica's state.
#[derive(Debug)]
pub struct Staged {
    replica: ReplicaId,
    generation: Generation,
    header: SnapshotHeader,
    rows: u64,
}

impl Staging {
    pub(in crate::replica) fn new(store: ReplicaStore, generation: Generation) -> Staging {
        Staging { store, generation, next: 0, progress: Progress::Head }
    }

    /// Takes the next chunk, one engine batch each; the last one gives the staged snapshot.
    ///
    /// After any error the staging is over: abandon it and begin again from the first chunk.
    pub fn feed(&mut self, chunk: Bytes) -> Result<Option<Staged>, Error> {
        // Taken out, put back only when all went well: an error leaves it over.
        let progress = mem::replace(&mut self.progress, Progress::Over);
        let chunk = Chunk::read(chunk, self.next)?;
        if chunk.number != self.next {
            return Err(self.bad("not the one that follows"));
        }
        match (progress, chunk.body) {
            (Progress::Head, Body::Head { conf_state }) => {
                let header = SnapshotHeader { applied: chunk.header.0, applied_term: chunk.header.1, conf_state };
                self.progress = Progress::Rows { header, running: Box::default(), last: None };
            }
            (Progress::Rows { header, .. }, _) if chunk.header != (header.applied, header.applied_term) => {
                return Err(self.bad("of another snapshot"));
            }
            (Progress::Rows { header, mut running, mut last }, Body::Rows(rows)) => {
                self.write(rows, &mut running, &mut last)?;
                self.progress = Progress::Rows { header, running, last };
            }
            (Progress::Rows { header, running, .. }, Body::End { rows, hash }) => {
                if (rows, hash) != (running.rows, running.hash()) {
                    return Err(self.bad("its rows are not those that were sent"));
                }
                return Ok(Some(Staged { replica: self.store.replica(), generation: self.generation, header, rows }));
            }
            (Progress::Over, _) => return Err(self.bad("the transfer had ended")),
            (Progress::Head, _) | (_, Body::Head { .. }) => return Err(self.bad("its kind is out of place")),
        }
        self.next += 1;
        Ok(None)
    }

    /// What is being received, known after the first chunk.
    pub fn header(&self) -> Option<&SnapshotHeader> {
        match &self.progress {
            Progress::Rows { header, .. } => Some(header),
            Progress::Head | Progress::Over => None,
        }
    }

    /// Deletes what was received.
    pub fn abandon(self) -> Result<(), Error> {
        self.store.drop_staged(self.generation)
    }

    fn write(&self, rows: Vec<(Bytes, Bytes)>, running: &mut Running, last: &mut Option<Bytes>) -> Result<(), Error> {
        let prefix = keys::rows_prefix(self.store.replica(), self.generation);
        let mut ops = Vec::with_capacity(rows.len());
        for (key, value) in rows {
            if last.as_ref().is_some_and(|last| *last >= key) {
                return Err(self.bad("its rows are out of order"));
            }
            running.row(&key, &value);
            ops.push(Op::Put { key: keys::row(&prefix, &key), value });
            *last = Some(key);
        }
        self.store.write_staged(self.generation, ops)
    }

    fn bad(&self, why: &'static str) -> Error {
        Error::Chunk { chunk: self.next, why }
    }
}

impl Staged {
    pub fn replica(&self) -> ReplicaId {
        self.replica
    }

    pub fn header(&self) -> &SnapshotHeader {
        &self.header
    }

    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// What the replica's state is once this is flipped to.
    pub fn state(&self) -> ReplicaState {
        let SnapshotHeader { applied, applied_term, conf_state } = self.header.clone();
        ReplicaState { generation: self.generation, applied, applied_term, conf_state }
    }
}
