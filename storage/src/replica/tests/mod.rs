//! Replicas over the memory engine: what comes back after a crash at any moment, and what never may.

mod apply;
mod crash;
mod life;
mod snapshot;

use super::*;
use crate::state::{Batch, Engine, Memory, Op, Order, Stats, View};
use std::sync::{Arc, Mutex};
use wire::ids::ReplicaId;

const R1: ReplicaId = ReplicaId(0x0102);
const R2: ReplicaId = ReplicaId(0x0103);

fn bytes(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}

fn put(key: &str, value: &str) -> Op {
    Op::Put { key: bytes(key), value: bytes(value) }
}

fn start() -> ReplicaState {
    ReplicaState { applied: Index(1), applied_term: Term(1), conf_state: bytes("voters 1"), ..ReplicaState::default() }
}

fn at(index: u64, term: u64) -> Applied {
    Applied { index: Index(index), term: Term(term), conf_state: None }
}

fn memory() -> (Arc<Memory>, Arc<dyn Engine>) {
    let memory = Arc::new(Memory::new());
    (memory.clone(), memory)
}

fn bootstrapped(engine: &Arc<dyn Engine>, replica: ReplicaId) -> ReplicaStore {
    ReplicaStore::bootstrap(engine.clone(), replica, start()).expect("bootstrapped")
}

fn apply(store: &ReplicaStore, applied: Applied, ops: impl IntoIterator<Item = Op>) {
    let mut round = Round::new();
    round.apply(store, applied, ops);
    round.write().expect("written");
}

/// A replica's rows on one line.
fn line(store: &ReplicaStore) -> String {
    let rows = store.view(|rows| Ok(rows.scan(b""..&[0xff; 9], Order::Ascending, usize::MAX)?)).expect("read");
    let pair = |(key, value): &(Bytes, Bytes)| format!("{}={}", key.escape_ascii(), value.escape_ascii());
    rows.iter().map(pair).collect::<Vec<_>>().join(" ")
}

fn reopened(engine: Memory, replica: ReplicaId) -> ReplicaStore {
    ReplicaStore::open(Arc::new(engine), replica).expect("opened").expect("there")
}

/// Every key of the engine that is not in a live generation, to see that nothing is left behind.
fn strays(engine: &dyn Engine) -> Vec<String> {
    let live = replicas(engine).expect("read");
    let mut found = Vec::new();
    engine.view(&mut |view| {
        for (key, _) in view.scan(&[2]..&[3], Order::Ascending, usize::MAX).expect("scanned") {
            if !live.iter().any(|(replica, state)| key.starts_with(&keys::rows_prefix(*replica, state.generation))) {
                found.push(key.escape_ascii().to_string());
            }
        }
    });
    found
}

fn chunks_of(store: &ReplicaStore, chunk_bytes: usize) -> Vec<Bytes> {
    let mut chunks = Vec::new();
    let ended = store.snapshot(chunk_bytes, &mut |chunk| {
        chunks.push(chunk);
        std::ops::ControlFlow::Continue(())
    });
    assert!(ended.expect("read"));
    chunks
}

fn install(store: &ReplicaStore, chunks: &[Bytes]) -> Staged {
    let mut staging = store.stage().expect("staged");
    let mut staged = None;
    for chunk in chunks {
        assert!(staged.is_none(), "the end is the last chunk");
        staged = staging.feed(chunk.clone()).expect("taken");
    }
    staged.expect("whole")
}

/// A memory engine that keeps every state a crash could leave, taken after each single write and flush.
#[derive(Default)]
struct Watched {
    memory: Memory,
    images: Mutex<Vec<Memory>>,
}

impl Watched {
    fn keep(&self) {
        let kept = (0..=self.memory.unflushed()).map(|batches| self.memory.crash_keeping(batches));
        self.images.lock().expect("one thread").extend(kept);
    }

    fn images(&self) -> Vec<Memory> {
        std::mem::take(&mut *self.images.lock().expect("one thread"))
    }
}

impl Engine for Watched {
    fn write(&self, batch: Batch) -> Result<(), crate::state::Error> {
        self.memory.write(batch)?;
        self.keep();
        Ok(())
    }
    fn view(&self, read: &mut dyn FnMut(&dyn View)) {
        self.memory.view(read);
    }
    fn flush(&self) -> Result<(), crate::state::Error> {
        self.memory.flush()?;
        self.keep();
        Ok(())
    }
    fn stats(&self) -> Stats {
        self.memory.stats()
    }
}
