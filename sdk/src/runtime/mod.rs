//! The seam between the kit and whatever runs it: the node's shards and the [`Sandbox`](crate::Sandbox).
//!
//! For runtimes only: a service that names this module breaks its own isolation, and `xtask tidy` refuses it.

pub mod cursor;
pub mod delta;
pub mod expiry;
pub mod keys;
mod layered;
mod stamps;
pub mod value;

pub use delta::{Delta, Op};
pub use layered::Layered;
pub use stamps::Stamps;

use crate::{Cx, Error, Here, Result, Tx, View};
use bytes::Bytes;
use futures::future::BoxFuture;
use std::sync::Arc;

pub use crate::cx::{Caller, RawSink};
pub use crate::here::Machine;
pub use crate::listing::{GatherScope, Gathered, merge};
pub use crate::tx::{Scope, uuid};

/// Direction of a scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    Ascending,
    Descending,
}

/// The ordered rows of one group as some moment has them. Keys are those of [`keys`].
pub trait Rows {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>>;
    /// Up to `limit` rows with `from ≤ key < to`.
    fn scan(&self, from: &[u8], to: &[u8], order: Order, limit: usize) -> Result<Vec<(Bytes, Bytes)>>;
}

/// [`Run::Command`].
pub type CommandFn = dyn Fn(&mut Tx, &[u8]) -> Result<Vec<u8>> + Send + Sync;
/// [`Run::Query`].
pub type QueryFn = dyn Fn(&View, &[u8]) -> Result<Vec<u8>> + Send + Sync;
/// [`Run::Gather`].
pub type PartFn = dyn Fn(&GatherScope, &[u8]) -> Result<Vec<Gathered>> + Send + Sync;
/// [`Run::Local`].
pub type LocalFn = dyn Fn(&Here, &[u8]) -> Result<Vec<u8>> + Send + Sync;
/// [`Run::Handler`].
pub type HandlerFn = dyn Fn(Cx, Bytes) -> BoxFuture<'static, Result<Vec<u8>>> + Send + Sync;
/// [`Run::Stream`].
pub type StreamFn = dyn Fn(Cx, Bytes, RawSink) -> BoxFuture<'static, Result<()>> + Send + Sync;

/// A page's item, binary to JSON and back.
#[derive(Clone, Copy)]
pub struct ItemJson {
    pub to: fn(&[u8]) -> Result<serde_json::Value>,
    pub from: fn(serde_json::Value) -> Result<Vec<u8>>,
}

/// An endpoint's function with its types erased; bytes are [`wire::codec`]'s.
#[derive(Clone)]
pub enum Run {
    Command(Arc<CommandFn>),
    Query(Arc<QueryFn>),
    Gather {
        /// One group's part of a page.
        part: Arc<PartFn>,
        /// What the request asks for: limit (checked) and cursor ([`cursor`]: as the caller sent it).
        wanted: fn(&[u8]) -> Result<(usize, String)>,
        /// The merged page as a response.
        page: fn(Vec<Gathered>, String) -> Result<Vec<u8>>,
        /// A line's item as JSON and back, for nodes whose types are of another version.
        item: ItemJson,
    },
    Local(Arc<LocalFn>),
    Handler(Arc<HandlerFn>),
    Stream(Arc<StreamFn>),
    /// Declared, and answered with 501 and this sentence.
    NotYet(&'static str),
}

/// A row that does not decode: damage, or a newer program wrote it. Never the caller's fault.
pub(crate) fn broken_row(table: &str, why: impl std::fmt::Display) -> Error {
    wire::error::reasons::STORAGE.refuse(format!("a row of table {table} does not decode: {why}"))
}
