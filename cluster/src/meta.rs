//! What the meta group holds: the node registry, the topology, the cluster's keys. Written like any other rows.

mod lease;

pub use lease::{LEASE, lease};

use crate::entry::{Entry, Fence};
use crate::group::{Group, Settled};
use crate::topology::Topology;
use bytes::Bytes;
use futures::channel::oneshot;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use storage::replica::ReplicaStore;
use storage::state::{Op, View};
use wire::codec;
use wire::ids::{Incarnation, NodeId, Term};

/// Name of the writer in meta's log, and tag of its rows.
const WRITER: &str = "meta";
const ROW: u8 = 1;

/// A node as the registry knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeRow {
    pub node: NodeId,
    pub incarnation: Incarnation,
    /// Where other nodes and Rust clients reach it.
    pub listen: String,
    /// Where its HTTP door is.
    pub http: String,
    pub version: String,
    /// Where it stands, for placement: replicas of a group go to different zones. Empty = not said.
    pub zone: String,
}

/// All of it at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meta {
    pub topology: Topology,
    pub nodes: Vec<NodeRow>,
    /// Ids of calls are made under it (P12). Never leaves the cluster.
    pub data_key: [u8; 32],
}

/// Why meta could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum MetaError {
    #[error("the meta group has no leader here")]
    NotLeading,
    #[error("writing the registry came to nothing: {0:?}")]
    Settled(Settled),
    #[error("reading the registry: {0}")]
    Rows(#[from] storage::replica::Error),
    #[error("a registry row does not decode: {0}")]
    Codec(#[from] codec::CodecError),
    #[error("the registry lacks its {0}")]
    Missing(&'static str),
}

/// Puts this node into the registry; the first one founds the topology, with `data_key` as its key.
///
/// `epoch` is random, used once.
pub async fn register(
    group: &dyn Group,
    store: &ReplicaStore,
    me: &NodeRow,
    groups: u16,
    data_key: [u8; 32],
    epoch: u64,
    now_ns: i64,
) -> Result<Meta, MetaError> {
    caught_up(group).await?;
    let writing = Writing::open(group, epoch, now_ns).await?;
    let mut ops = vec![put(&key("node/", &me.node.0.to_be_bytes()), me)?];
    if get::<Topology>(store, &key("topology", &[]))?.is_none() {
        ops.push(put(&key("topology", &[]), &Topology::founded(me.node, groups))?);
        ops.push(put(&key("data_key", &[]), &data_key)?);
    }
    writing.write(1, ops).await?;
    read(store)
}

/// One writer's turn. What is read behind its opening stays true until its own write: nobody else's can slip in between.
struct Writing<'a> {
    group: &'a dyn Group,
    term: Term,
    epoch: u64,
    now_ns: i64,
}

impl Writing<'_> {
    async fn open(group: &dyn Group, epoch: u64, now_ns: i64) -> Result<Writing<'_>, MetaError> {
        let term = group.leading().ok_or(MetaError::NotLeading)?;
        let writing = Writing { group, term, epoch, now_ns };
        writing.write(0, vec![]).await?;
        Ok(writing)
    }

    async fn write(&self, n: u64, ops: Vec<Op>) -> Result<(), MetaError> {
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

/// Returns once everything committed before the call is applied here; waits for a leader for a while.
pub async fn caught_up(group: &dyn Group) -> Result<(), MetaError> {
    let (done, read) = oneshot::channel();
    group.read(Box::new(move |answer| tell(done, answer)));
    match read.await {
        Ok(Ok(())) => Ok(()),
        _ => Err(MetaError::NotLeading),
    }
}

/// What this replica of meta has.
pub fn read(store: &ReplicaStore) -> Result<Meta, MetaError> {
    let topology = get(store, &key("topology", &[]))?.ok_or(MetaError::Missing("topology"))?;
    let data_key = get(store, &key("data_key", &[]))?.ok_or(MetaError::Missing("data key"))?;
    let (from, to) = (key("node/", &[]), key("node0", &[]));
    let rows = store.view(|rows| Ok(rows.scan(&from..&to, storage::state::Order::Ascending, usize::MAX)?))?;
    let nodes = rows.iter().map(|(_, row)| codec::decode(row)).collect::<Result<_, _>>()?;
    Ok(Meta { topology, nodes, data_key })
}

fn key(name: &str, rest: &[u8]) -> Vec<u8> {
    [&[ROW], name.as_bytes(), rest].concat()
}

fn put<T: Serialize>(key: &[u8], value: &T) -> Result<Op, codec::CodecError> {
    Ok(Op::Put { key: Bytes::copy_from_slice(key), value: codec::encode(value)?.into() })
}

fn get<T: DeserializeOwned>(store: &ReplicaStore, key: &[u8]) -> Result<Option<T>, MetaError> {
    let row = store.view(|rows| Ok(rows.get(key)?))?;
    Ok(row.map(|row| codec::decode(&row)).transpose()?)
}

/// Whoever waited may be gone: the node is being dropped.
fn tell<T>(to: oneshot::Sender<T>, what: T) {
    let _ = to.send(what);
}
