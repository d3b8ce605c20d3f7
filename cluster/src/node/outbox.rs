//! What one turn says to other nodes: one frame a node, whatever the number of groups.
//!
//! A frame is any number of messages: group (8 bytes), replica (8), length (4), all little endian, then the message.

use crate::consensus::Input;
use bytes::{Buf, BufMut, Bytes, BytesMut};
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use wire::ids::{GroupId, NodeId, ReplicaId};

/// The way to other nodes, once there is one. A node alone has none.
#[derive(Clone)]
pub struct Outward {
    /// On which node a replica is.
    pub node_of: Arc<dyn Fn(GroupId, ReplicaId) -> Option<NodeId> + Send + Sync>,
    /// Hands a frame over; may drop it, never blocks.
    pub send: Arc<dyn Fn(NodeId, Bytes) + Send + Sync>,
    /// Brings a snapshot to a replica's node.
    pub ship: super::Ship,
}

/// Set once the node can reach others.
pub type Way = Arc<OnceLock<Outward>>;

/// A frame is not filled further than this: the transport takes no frame over 9 MiB, and many groups may catch up at once.
const FRAME_BYTES: usize = 2 << 20;

/// The messages of one turn.
#[derive(Default)]
pub(super) struct Outbox {
    open: BTreeMap<NodeId, BytesMut>,
    full: Vec<(NodeId, Bytes)>,
}

impl Outbox {
    /// Dropped if nobody knows where the replica is: consensus says it again.
    pub(super) fn put(&mut self, outward: &Outward, group: GroupId, to: ReplicaId, message: &[u8]) {
        let Some(node) = (outward.node_of)(group, to) else { return };
        let frame = self.open.entry(node).or_default();
        if !frame.is_empty() && frame.len() + message.len() > FRAME_BYTES {
            self.full.push((node, frame.split().freeze()));
        }
        frame.reserve(20 + message.len());
        frame.put_u64_le(group.0);
        frame.put_u64_le(to.0);
        frame.put_u32_le(message.len() as u32);
        frame.put_slice(message);
    }

    pub(super) fn send(self, outward: &Outward) {
        for (node, frame) in self.full.into_iter().chain(self.open.into_iter().map(|(node, f)| (node, f.freeze()))) {
            (outward.send)(node, frame);
        }
    }
}

/// The messages of a frame, as the loop hears them; `None` if it is no frame of ours.
pub fn messages(mut frame: Bytes) -> Option<Vec<Input>> {
    let mut found = Vec::new();
    while frame.has_remaining() {
        let group = GroupId(frame.try_get_u64_le().ok()?);
        let to = ReplicaId(frame.try_get_u64_le().ok()?);
        let length = frame.try_get_u32_le().ok()? as usize;
        if frame.len() < length {
            return None;
        }
        found.push(Input::Message { group, to, bytes: frame.split_to(length) });
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    #[test]
    fn a_turn_of_many_megabytes_leaves_in_frames_that_fit() {
        let sent: Arc<Mutex<Vec<Bytes>>> = Arc::default();
        let outward = Outward {
            node_of: Arc::new(|_, _| Some(NodeId(2))),
            send: {
                let sent = sent.clone();
                Arc::new(move |_, frame| sent.lock().unwrap().push(frame))
            },
            ship: Arc::new(|_, _, _, _, ended| ended(false)),
        };
        let mut outbox = Outbox::default();
        (0..30).for_each(|n| outbox.put(&outward, GroupId(n), ReplicaId(n + 1), &vec![7; 1 << 20]));
        outbox.send(&outward);
        let sent = sent.lock().unwrap();
        assert!(sent.iter().all(|frame| frame.len() < crate::transport::BODY_BYTES_MAX), "{}", sent.len());
        assert_eq!(sent.iter().map(|frame| messages(frame.clone()).unwrap().len()).sum::<usize>(), 30);
    }

    #[test]
    fn one_frame_a_node_and_all_of_it_comes_out() {
        let sent: Arc<Mutex<Vec<(NodeId, Bytes)>>> = Arc::default();
        let outward = Outward {
            node_of: Arc::new(|_, replica| (replica.0 < 9).then_some(NodeId(replica.0 % 2))),
            send: {
                let sent = sent.clone();
                Arc::new(move |node, frame| sent.lock().unwrap().push((node, frame)))
            },
            ship: Arc::new(|_, _, _, _, ended| ended(false)),
        };
        let mut outbox = Outbox::default();
        for (group, replica) in [(0, 1), (1, 2), (2, 3), (3, 9)] {
            outbox.put(&outward, GroupId(group), ReplicaId(replica), format!("m{replica}").as_bytes());
        }
        outbox.send(&outward);
        let sent = sent.lock().unwrap();
        let told = |frame: &Bytes| -> Vec<(u64, u64, Vec<u8>)> {
            let message = |input| match input {
                Input::Message { group, to, bytes } => (group.0, to.0, bytes.to_vec()),
                other => panic!("{other:?}"),
            };
            messages(frame.clone()).unwrap().into_iter().map(message).collect()
        };
        assert_eq!(sent.iter().map(|(node, _)| node.0).collect::<Vec<_>>(), [0, 1]);
        assert_eq!(told(&sent[0].1), [(1, 2, b"m2".to_vec())]);
        assert_eq!(told(&sent[1].1), [(0, 1, b"m1".to_vec()), (2, 3, b"m3".to_vec())]);
        for cut in 1..sent[1].1.len() {
            assert!(messages(sent[1].1.slice(..cut)).is_none_or(|found| found.len() < 2), "cut at {cut}");
        }
    }
}
