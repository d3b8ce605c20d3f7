//! Asking whoever leads meta: here, at the node it is believed to be, or at the next that holds a replica of it.

use super::{Inner, kind};
use crate::group::Group;
use crate::meta::request::{Answer, Ask};
use bytes::Bytes;
use std::time::{Duration, Instant};
use wire::ids::{GroupId, NodeId};

/// One node gets this long to answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// Nodes asked before giving up for now.
const TRIES: usize = 5;

impl Inner {
    /// The answer of whoever leads meta; an error says what was in the way.
    pub(super) async fn ask_leader(&self, ask: &Ask) -> Result<Answer, String> {
        let body = Bytes::from(wire::codec::encode(ask).map_err(|why| why.to_string())?);
        let mut next = self.places();
        let mut why = "nobody is known who holds meta".to_string();
        for _ in 0..TRIES {
            if next.is_empty() {
                break;
            }
            let node = next.remove(0);
            let answer =
                if node == self.me() { Ok(self.serve(ask.clone()).await) } else { self.call(node, &body).await };
            match answer {
                Ok(Answer::Elsewhere(Some((hint, _)))) if hint != node => {
                    next.retain(|other| *other != hint);
                    next.insert(0, hint);
                    why = format!("{node} does not lead meta and says {hint} might");
                }
                Ok(Answer::Elsewhere(_)) => why = format!("{node} knows of no leader of meta just now"),
                Ok(answer) => return Ok(answer),
                Err(error) => why = format!("{node}: {error}"),
            }
        }
        Err(why)
    }

    /// One node's answer.
    pub(super) async fn call(&self, node: NodeId, body: &Bytes) -> Result<Answer, String> {
        let called = self.network.call(node, kind::META, body.clone(), Instant::now() + PATIENCE);
        let answer = called.await.map_err(|error| error.to_string())?;
        wire::codec::decode(&answer).map_err(|why| format!("its answer does not decode: {why}"))
    }

    /// Who may lead meta, likeliest first.
    fn places(&self) -> Vec<NodeId> {
        let meta = self.known();
        let leader = self.handles.get(&GroupId::META).and_then(|handle| handle.leader());
        let leader = leader.and_then(|replica| meta.topology.node_of(GroupId::META, replica));
        let holders = meta.topology.of(GroupId::META).map(|placed| placed.node);
        let mut places: Vec<NodeId> = leader.into_iter().chain(holders).collect();
        let mut seen = std::collections::BTreeSet::new();
        places.retain(|node| seen.insert(*node));
        // Whoever was heard of last answers soonest.
        let silent = |node: &NodeId| *node != self.me() && self.network.heard(*node).is_none_or(|s| s > PATIENCE);
        places.sort_by_key(|node| (Some(*node) != leader, silent(node)));
        places
    }
}
