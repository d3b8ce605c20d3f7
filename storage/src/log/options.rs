//! Whose log it is and how big its pieces are.

use super::page::PAGE;
use wire::ids::{ClusterId, NodeId};

/// How to open a log.
#[derive(Clone, Debug)]
pub struct Options {
    pub(super) cluster: ClusterId,
    pub(super) node: NodeId,
    pub(super) create: Option<u64>,
    pub(super) segment_pages: u32,
    pub(super) segments_max: u64,
    pub(super) spares_max: usize,
}

impl Options {
    /// The log of a node that has one already: it is an error if there is none.
    pub fn new(cluster: ClusterId, node: NodeId) -> Options {
        Options { cluster, node, create: None, segment_pages: 4096, segments_max: 8, spares_max: 4 }
    }

    /// Makes the log if the folder has none. Only for a node that never had one: a log made anew has forgotten its votes.
    /// `log_id` is random, used once.
    pub fn create(self, log_id: u64) -> Options {
        Options { create: Some(log_id), ..self }
    }

    /// The size of the segments of a log that is made now (16 MiB unless said); one that exists keeps its own. A batch must
    /// fit into one: see [`super::Log::batch_bytes_max`].
    pub fn segment_bytes(self, bytes: u32) -> Options {
        let pages = (bytes / PAGE as u32).clamp(4, u32::from(u16::MAX));
        Options { segment_pages: pages, ..self }
    }

    /// Above so many segments, if most entries in them are dead, the live ones of the oldest are moved so that it can go.
    pub fn segments_max(self, segments: u64) -> Options {
        Options { segments_max: segments.max(2), ..self }
    }

    /// How many dead segments are kept to be written again; more are removed.
    pub fn spares_max(self, spares: usize) -> Options {
        Options { spares_max: spares, ..self }
    }
}
