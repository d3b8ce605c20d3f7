//! The payloads of frames, one type a kind.

use crate::ids::{ClusterId, NodeId};
use crate::value::Bytes;
use serde::{Deserialize, Serialize};

/// [`crate::frame::Kind::Hello`]: the first frame of a client.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// `cmn_…`; empty = none (dev mode).
    pub token: String,
    /// Refuse to talk to any other cluster.
    pub cluster: Option<ClusterId>,
    /// For the log: program and version.
    pub agent: String,
}

/// [`crate::frame::Kind::Welcome`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Welcome {
    pub cluster: ClusterId,
    pub node: NodeId,
    /// Version of the program.
    pub version: String,
}

/// [`crate::frame::Kind::Call`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    pub service: String,
    pub endpoint: String,
    pub request_id: RequestId,
    pub body: Body,
    /// A query or gather may be answered from the node's own rows as they are (P22).
    pub stale_ok: bool,
}

/// A request or reply, in one of the two codecs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Body {
    /// [`crate::codec`], of the type whose schema has this hash ([`crate::Endpoint::schema_hash`]).
    Binary { schema: u64, bytes: Bytes },
    /// JSON text; what travels when the two sides' types differ.
    Json(Bytes),
}

/// Under which name a call is done once (P5).
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum RequestId {
    /// None: at most once by luck only; leaves no row.
    #[default]
    None,
    /// One the caller gave (`Idempotency-Key`), kept for 24 hours.
    Caller(String),
    /// One the client library made.
    Session {
        /// Random, one a client.
        client: u128,
        /// 1, 2, 3 …
        n: u64,
        /// The lowest `n` not answered yet: replies below are no longer needed.
        low: u64,
    },
}

/// Longest request id of a caller, in bytes.
pub const REQUEST_ID_BYTES_MAX: usize = 255;

/// [`crate::frame::Kind::Reply`] and [`crate::frame::Kind::Item`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// In the codec the call came in.
    pub body: Body,
    /// The rows it is of may be behind: only for who said `stale_ok`.
    pub stale: bool,
}

/// [`crate::frame::Kind::Credit`]: how many more items may be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credit {
    pub items: u32,
}
