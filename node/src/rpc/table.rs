//! The calls of one connection that are under way.

use super::flow::Flow;
use crate::door::Known;
use futures::stream::AbortHandle;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

/// In which codec a call came, and so its replies leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Codec {
    Binary,
    Json,
}

/// A call under way.
pub struct Live {
    pub known: Arc<Known>,
    pub codec: Codec,
    /// When the door gives up on it; a stream that is live has none.
    pub given_up: Option<Instant>,
    pub flow: Flow,
    /// Ends what runs for it.
    pub abort: AbortHandle,
    /// Bytes of its request.
    pub bytes: usize,
}

/// By the number the client gave them.
#[derive(Default)]
pub struct Table {
    live: BTreeMap<u64, Live>,
    bytes: usize,
}

impl Table {
    pub fn len(&self) -> usize {
        self.live.len()
    }

    pub fn is_empty(&self) -> bool {
        self.live.is_empty()
    }

    /// Bytes of all requests under way.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    pub fn has(&self, stream: u64) -> bool {
        self.live.contains_key(&stream)
    }

    pub fn get(&mut self, stream: u64) -> Option<&mut Live> {
        self.live.get_mut(&stream)
    }

    pub fn insert(&mut self, stream: u64, live: Live) {
        self.bytes += live.bytes;
        self.live.insert(stream, live);
    }

    /// Takes it off; what ran for it ends.
    pub fn remove(&mut self, stream: u64) -> Option<Live> {
        let live = self.live.remove(&stream)?;
        self.bytes -= live.bytes;
        live.abort.abort();
        Some(live)
    }

    /// Those on which the door gives up now.
    pub fn late(&self, now: Instant) -> Vec<u64> {
        let late = self.live.iter().filter(|(_, live)| live.given_up.is_some_and(|at| at <= now));
        late.map(|(&stream, _)| stream).collect()
    }

    /// Live streams: they do not end by themselves.
    pub fn streams(&self) -> Vec<u64> {
        self.live.iter().filter(|(_, live)| live.given_up.is_none()).map(|(&stream, _)| stream).collect()
    }
}

impl Drop for Table {
    fn drop(&mut self) {
        self.live.values().for_each(|live| live.abort.abort());
    }
}
