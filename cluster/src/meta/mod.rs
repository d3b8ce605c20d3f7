//! What the meta group holds: the node registry, the topology, the cluster's keys. Written like any other rows.

mod amend;
mod lease;
pub mod request;
pub mod steward;
pub mod warden;

pub use amend::{amend, found};
pub use lease::{LEASE, lease};

use crate::group::{Group, Settled};
use crate::topology::Topology;
use crate::trust::rotation::Rotation;
use bytes::Bytes;
use futures::channel::oneshot;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use storage::replica::ReplicaStore;
use storage::state::{Op, View};
use wire::codec;
use wire::ids::{Incarnation, NodeId};

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
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meta {
    pub topology: Topology,
    pub nodes: Vec<NodeRow>,
    /// Ids of calls are made under it (P12). Never leaves the cluster.
    pub data_key: [u8; 32],
    /// The change of the cluster's secret that is under way, or was the last.
    pub rotation: Option<Rotation>,
}

impl std::fmt::Debug for Meta {
    /// Never shows the key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Meta").field("topology", &self.topology).field("nodes", &self.nodes).finish_non_exhaustive()
    }
}

impl Meta {
    /// One higher with every change of any of it.
    pub fn version(&self) -> u64 {
        self.topology.version
    }

    /// What the registry knows of a node.
    pub fn node(&self, node: NodeId) -> Option<&NodeRow> {
        self.nodes.iter().find(|row| row.node == node)
    }
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
    /// The change may not be made; nothing was written.
    #[error("{0}")]
    Refused(String),
    #[error("a registry row does not decode: {0}")]
    Codec(#[from] codec::CodecError),
    #[error("the registry lacks its {0}")]
    Missing(&'static str),
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
    let rotation = get(store, &key("rotation", &[]))?;
    Ok(Meta { topology, nodes, data_key, rotation })
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
