//! Consensus frames that wait for a peer: bounded by bytes, and dropped where they would only grow old.

use super::frame::BODY_BYTES_MAX;
use super::locked;
use bytes::Bytes;
use std::sync::Mutex;
use tokio::sync::Notify;

/// Why a frame was dropped. Consensus says it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dropped {
    Full,
    Unreachable,
    TooLong,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// Being dialled: what comes now leaves as soon as there is a connection.
    Dialling,
    Open,
    /// The last try failed and the next has not begun.
    Down,
}

struct Waiting {
    way: Way,
    frames: Vec<Bytes>,
    /// Of `frames` and of what was taken and is not yet on its way.
    bytes: usize,
}

pub struct Queue {
    waiting: Mutex<Waiting>,
    filled: Notify,
    bytes_max: usize,
}

impl Queue {
    pub fn new(bytes_max: usize) -> Queue {
        let waiting = Waiting { way: Way::Dialling, frames: Vec::new(), bytes: 0 };
        Queue { waiting: Mutex::new(waiting), filled: Notify::new(), bytes_max }
    }

    /// The newest is what overflows: what is older is nearer to its time.
    pub fn push(&self, frame: Bytes) -> Result<(), Dropped> {
        if frame.len() > BODY_BYTES_MAX {
            return Err(Dropped::TooLong);
        }
        let mut waiting = locked(&self.waiting);
        if waiting.way == Way::Down {
            return Err(Dropped::Unreachable);
        }
        // One frame is always taken, or a long one could never leave.
        if waiting.bytes > 0 && waiting.bytes + frame.len() > self.bytes_max {
            return Err(Dropped::Full);
        }
        waiting.bytes += frame.len();
        waiting.frames.push(frame);
        if waiting.way == Way::Open && waiting.frames.len() == 1 {
            drop(waiting);
            self.filled.notify_one();
        }
        Ok(())
    }

    pub async fn filled(&self) {
        self.filled.notified().await;
    }

    /// All that waits. Its bytes count until they are [`written`](Self::written).
    pub fn take(&self) -> Vec<Bytes> {
        std::mem::take(&mut locked(&self.waiting).frames)
    }

    pub fn written(&self, bytes: usize) {
        let mut waiting = locked(&self.waiting);
        waiting.bytes = waiting.bytes.saturating_sub(bytes);
    }

    pub fn dialling(&self) {
        locked(&self.waiting).way = Way::Dialling;
    }

    pub fn opened(&self) {
        let mut waiting = locked(&self.waiting);
        waiting.way = Way::Open;
        if !waiting.frames.is_empty() {
            self.filled.notify_one();
        }
    }

    /// Drops what waits; says how much that was.
    pub fn closed(&self) -> usize {
        let mut waiting = locked(&self.waiting);
        (waiting.way, waiting.bytes) = (Way::Down, 0);
        std::mem::take(&mut waiting.frames).len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;

    fn frame(bytes: usize) -> Bytes {
        vec![7; bytes].into()
    }

    #[test]
    fn the_newest_overflows_and_what_is_written_makes_room() {
        let queue = Queue::new(100);
        assert_eq!([60, 30, 20].map(|bytes| queue.push(frame(bytes))), [Ok(()), Ok(()), Err(Dropped::Full)]);
        assert_eq!(queue.take().iter().map(Bytes::len).collect::<Vec<_>>(), [60, 30]);
        assert_eq!(queue.push(frame(20)), Err(Dropped::Full), "taken is not yet written");
        queue.written(90);
        assert_eq!(queue.push(frame(200)), Ok(()), "an empty queue takes any frame");
        assert_eq!(queue.push(frame(BODY_BYTES_MAX + 1)), Err(Dropped::TooLong));
    }

    #[test]
    fn while_there_is_no_way_nothing_waits() {
        let queue = Queue::new(100);
        queue.push(frame(1)).unwrap();
        assert_eq!(queue.filled().now_or_never(), None, "nobody could write it yet");
        queue.opened();
        assert!(queue.filled().now_or_never().is_some());
        assert_eq!(queue.closed(), 1);
        assert_eq!(queue.push(frame(1)), Err(Dropped::Unreachable));
        queue.dialling();
        assert_eq!(queue.push(frame(1)), Ok(()));
        assert_eq!(queue.take().len(), 1);
    }
}
