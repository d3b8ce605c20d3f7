//! Lane 2: calls of one node to another, many at a time over one connection, answered in any order.

mod lane;
mod serve;

pub use lane::{answer_in, keep};
pub use serve::serve;

use super::CallError;
use super::frame::BODY_BYTES_MAX;
use bytes::Bytes;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::timeout_at;
use wire::error::reasons;

/// The way to one peer: what is asked goes to the task that holds the connection.
pub struct Calls {
    asks: UnboundedSender<Ask>,
    next: AtomicU64,
    /// Calls and bytes there is room for.
    room: Arc<Semaphore>,
    bytes: Arc<Semaphore>,
}

/// To the task of the lane. There are never more than there is room for calls, twice.
pub enum Ask {
    Call(Call),
    /// Its caller is gone.
    Cancel(u64),
}

/// A call before it is sent.
pub struct Call {
    id: u64,
    kind: u8,
    body: Bytes,
    deadline: Instant,
    fate: Arc<Fate>,
    answer: oneshot::Sender<Result<Bytes, CallError>>,
    room: Room,
}

/// A call's place among those under way. It goes with the call, not with its caller: one that waits for a connection
/// that takes nothing more is still there when its caller has gone.
type Room = (OwnedSemaphorePermit, OwnedSemaphorePermit);

/// Whether a call was sent is decided once, between the lane that sends it and the caller who gives up.
#[derive(Default)]
struct Fate(AtomicU8);

const QUEUED: u8 = 0;
const SENT: u8 = 1;
const GIVEN_UP: u8 = 2;

impl Fate {
    fn decide(&self, fate: u8) -> bool {
        self.0.compare_exchange(QUEUED, fate, Relaxed, Relaxed).is_ok()
    }
}

impl Calls {
    /// For so many calls at a time, and so many bytes of theirs.
    pub fn new(calls: usize, bytes: usize) -> (Calls, UnboundedReceiver<Ask>) {
        let (asks, asked) = unbounded_channel();
        let room = |permits: usize| Arc::new(Semaphore::new(permits.min(Semaphore::MAX_PERMITS)));
        (Calls { asks, next: AtomicU64::new(1), room: room(calls), bytes: room(bytes) }, asked)
    }

    /// One call. Dropping it cancels it.
    pub async fn call(&self, kind: u8, body: Bytes, deadline: Instant) -> Result<Bytes, CallError> {
        let room = self.admit(&body)?;
        let (id, fate) = (self.next.fetch_add(1, Relaxed), Arc::new(Fate::default()));
        let (answer, answered) = oneshot::channel();
        let call = Call { id, kind, body, deadline, fate: fate.clone(), answer, room };
        if self.asks.send(Ask::Call(call)).is_err() {
            return Err(CallError::NotSent("the peer left, or this node stops".into()));
        }
        let mut waiting = Waiting { id, fate, asks: Some(&self.asks) };
        match timeout_at(deadline.into(), answered).await {
            Ok(Ok(answer)) => {
                waiting.asks = None;
                answer
            }
            // The lane answers all it takes; unless the peer leaves.
            Ok(Err(_)) if waiting.fate.decide(GIVEN_UP) => {
                Err(CallError::NotSent("the peer left, or this node stops".into()))
            }
            Ok(Err(_)) => Err(CallError::Lost("the peer left, or this node stops".into())),
            Err(_) if waiting.fate.decide(GIVEN_UP) => Err(late()),
            Err(_) => Err(CallError::TimedOut),
        }
    }

    fn admit(&self, body: &Bytes) -> Result<Room, CallError> {
        if body.len() > BODY_BYTES_MAX {
            let why = format!("a call of {} bytes; at most {BODY_BYTES_MAX} fit into a frame", body.len());
            return Err(CallError::NotSent(why));
        }
        let full = |what: &str| {
            let why = format!("too {what} under way to that node");
            CallError::Refused(reasons::OVERLOADED.refuse(why).retry_after_ms(100))
        };
        let room = self.room.clone().try_acquire_owned().map_err(|_| full("many calls are"))?;
        let bytes = self.bytes.clone().try_acquire_many_owned(body.len() as u32);
        Ok((room, bytes.map_err(|_| full("many bytes are"))?))
    }
}

fn late() -> CallError {
    CallError::NotSent("its time was over before it was sent".into())
}

/// Sees to it that nobody works for a caller who is gone.
struct Waiting<'a> {
    id: u64,
    fate: Arc<Fate>,
    asks: Option<&'a UnboundedSender<Ask>>,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if let Some(asks) = self.asks
            && !self.fate.decide(GIVEN_UP)
            && self.fate.0.load(Relaxed) == SENT
        {
            let _ = asks.send(Ask::Cancel(self.id));
        }
    }
}

impl Call {
    /// Takes the call for sending: whole milliseconds left, or `None` if nobody wants it any more.
    fn take(&self, now: Instant) -> Option<u32> {
        let left = self.deadline.saturating_duration_since(now);
        // Less than a millisecond goes as none, and the other side would not begin.
        if left < Duration::from_millis(1) || !self.fate.decide(SENT) {
            return None;
        }
        Some(u32::try_from(left.as_millis()).unwrap_or(u32::MAX))
    }

    fn fail(self, why: &str) {
        let _ = self.answer.send(Err(CallError::NotSent(why.to_string())));
    }
}
