//! How meta is changed: read, change, write, with nobody else's change between.

use super::{Meta, MetaError, NodeRow, WRITER, caught_up, get, key, put, read, tell};
use crate::entry::{Entry, Fence};
use crate::group::{Group, Settled};
use crate::topology::Topology;
use bytes::Bytes;
use futures::channel::oneshot;
use storage::replica::ReplicaStore;
use storage::state::Op;
use wire::ids::Term;

/// Founds a cluster of one: its first node, a topology of `groups` groups beside meta, `data_key`. What is there stays.
///
/// `epoch` is random, used once.
pub async fn found(
    group: &dyn Group,
    store: &ReplicaStore,
    me: &NodeRow,
    topology: Topology,
    data_key: [u8; 32],
    epoch: u64,
    now_ns: i64,
) -> Result<Meta, MetaError> {
    caught_up(group).await?;
    let writing = Writing::open(group, epoch, now_ns).await?;
    if get::<Topology>(store, &key("topology", &[]))?.is_none() {
        let ops = vec![
            put(&key("node/", &me.node.0.to_be_bytes()), me)?,
            put(&key("topology", &[]), &topology)?,
            put(&key("data_key", &[]), &data_key)?,
        ];
        writing.write(1, ops).await?;
    }
    read(store)
}

/// Changes meta by `change`, on its leader; returns what is true from then on. A change that changes nothing writes nothing.
///
/// `epoch` is random, used once. Two at a time: one of them settles as `NotRun`, and may be tried again.
pub async fn amend<T>(
    group: &dyn Group,
    store: &ReplicaStore,
    epoch: u64,
    now_ns: i64,
    change: impl FnOnce(&mut Meta) -> Result<T, String>,
) -> Result<(T, Meta), MetaError> {
    caught_up(group).await?;
    let writing = Writing::open(group, epoch, now_ns).await?;
    let before = read(store)?;
    let mut after = before.clone();
    let answer = change(&mut after).map_err(MetaError::Refused)?;
    if after == before {
        return Ok((answer, before));
    }
    after.topology.version = before.topology.version + 1;
    writing.write(1, difference(&before, &after)?).await?;
    Ok((answer, after))
}

fn difference(before: &Meta, after: &Meta) -> Result<Vec<Op>, MetaError> {
    let row_key = |row: &NodeRow| key("node/", &row.node.0.to_be_bytes());
    let mut ops = vec![put(&key("topology", &[]), &after.topology)?];
    if let Some(rotation) = after.rotation.as_ref().filter(|_| after.rotation != before.rotation) {
        ops.push(put(&key("rotation", &[]), rotation)?);
    }
    for row in after.nodes.iter().filter(|row| before.node(row.node) != Some(row)) {
        ops.push(put(&row_key(row), row)?);
    }
    for row in before.nodes.iter().filter(|row| after.node(row.node).is_none()) {
        ops.push(Op::Delete { key: Bytes::from(row_key(row)) });
    }
    Ok(ops)
}

/// One writer's turn. What is read behind its opening stays true until its own write: nobody else's can slip in between.
pub(super) struct Writing<'a> {
    group: &'a dyn Group,
    term: Term,
    epoch: u64,
    now_ns: i64,
}

impl Writing<'_> {
    pub(super) async fn open(group: &dyn Group, epoch: u64, now_ns: i64) -> Result<Writing<'_>, MetaError> {
        let term = group.leading().ok_or(MetaError::NotLeading)?;
        let writing = Writing { group, term, epoch, now_ns };
        writing.write(0, vec![]).await?;
        Ok(writing)
    }

    pub(super) async fn write(&self, n: u64, ops: Vec<Op>) -> Result<(), MetaError> {
        let (done, settled) = oneshot::channel();
        let fence = Fence { writer: WRITER.into(), epoch: self.epoch, n };
        // The receiver waits below, unless the node is being dropped.
        let done = Box::new(move |how| tell(done, how));
        self.group.propose(self.term, Entry { fence, now_ns: self.now_ns, ops }, done);
        match settled.await.unwrap_or(Settled::Unknown) {
            Settled::Applied => Ok(()),
            how => Err(MetaError::Settled(how)),
        }
    }
}
