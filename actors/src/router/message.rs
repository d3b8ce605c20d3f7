//! What routers of one cluster say to each other, in [`wire::codec`]. Answered by [`super::Router::remote`], never forwarded.

use serde::{Deserialize, Serialize};
use wire::error::reasons;
use wire::ids::{GroupId, Incarnation, NodeId};
use wire::rpc::{Body, RequestId};
use wire::{Bytes, Error, codec};

/// Asked of another node's router.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Remote {
    Command(Asked),
    Query(Asked),
    Gather(AskedGroups),
    /// `of` names who asks for the outcome of which id.
    Fence(AskedGroups),
    Kept(AskedGroups),
    /// A worker number for this life of the node that asks.
    Lease(Incarnation),
}

/// A call to one entity.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Asked {
    pub of: Of,
    pub request_id: RequestId,
    /// Named by the node that took the call: a new one's name cannot be found out twice.
    pub entity: String,
}

/// The same of many groups.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct AskedGroups {
    pub of: Of,
    pub groups: Vec<GroupId>,
}

/// What every call has.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Of {
    pub account: String,
    pub service: String,
    pub endpoint: String,
    pub body: Body,
    pub stale_ok: bool,
    pub trace: [u8; 16],
    pub span: [u8; 8],
}

/// What became of a call there.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Told<T> {
    pub what: Result<T, Error>,
    /// The node that leads the group, as the one that answers believes.
    pub leader: Option<NodeId>,
}

/// The reply of an entity, in the codec the request came in.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Reply {
    pub body: Body,
    pub stale: bool,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Parts {
    pub groups: Vec<(GroupId, Told<(Part, bool)>)>,
    /// A call under the id that was asked for is under way there.
    pub running: bool,
}

/// What one group says.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Part {
    Lines(Vec<Line>),
    Kept(Vec<Decided>),
    Fenced,
}

impl Part {
    /// What is kept, if that was asked for.
    pub(super) fn kept(self) -> Vec<Decided> {
        match self {
            Part::Kept(kept) => kept,
            Part::Lines(_) | Part::Fenced => vec![],
        }
    }
}

/// A line of a page: its entity, and the item in the codec the request came in.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Line {
    pub entity: String,
    pub item: Bytes,
}

/// Service, endpoint, entity, and what was decided.
pub(super) type Decided = (String, String, String, Result<bytes::Bytes, Error>);

/// To bytes; a failure is this program's own and leaves the call not run.
pub(super) fn encode<T: Serialize>(what: &T) -> Result<bytes::Bytes, Error> {
    codec::encode(what).map(Into::into).map_err(|e| reasons::PANICKED.refuse(format!("a message to a node: {e}")))
}
