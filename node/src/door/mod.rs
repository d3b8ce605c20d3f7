//! What every door shares: the catalogue it serves, who may enter, how much it takes in, and the way inside.

pub mod access;
pub mod catalogue;
pub mod gate;
pub mod json;
pub mod stop;
#[cfg(test)]
pub mod testing;
#[cfg(test)]
mod tests;
pub mod token;

pub use access::{Access, Via};
pub use catalogue::{Catalogue, Known};
pub use gate::Gate;
pub use stop::{Stop, Stopper};

use actors::call::{Answer, Call, Dispatch};
use bytes::Bytes;
use futures::FutureExt;
use gate::{Counted, Pass};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc::Receiver;
use wire::error::reasons;
use wire::frame::Trace;
use wire::ids::{ClusterId, NodeId};
use wire::rpc::{REQUEST_ID_BYTES_MAX, RequestId};
use wire::{Endpoint, Error, Kind, Outcome, Reason};

/// The program's version, as every door tells it.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The longest request as text, unless its endpoint takes larger ones: JSON is wordier than what it says.
pub const TEXT_BYTES_MAX: usize = 8 << 20;
/// How long a call may take when its caller does not say.
pub const DEADLINE_DEFAULT: Duration = Duration::from_secs(10);
/// How long it may take at most: an answer that comes later finds nobody.
pub const DEADLINE_MAX: Duration = Duration::from_secs(60);
/// The runtime answers a late call itself and knows whether it ran; this much later the door gives up on it.
pub const DEADLINE_GRACE: Duration = Duration::from_millis(200);
/// How long calls under way may take once the node stops.
pub const DRAIN: Duration = Duration::from_secs(5);

/// The wrong method for a path.
pub const METHOD: Reason = Reason { code: 405, word: "method_not_allowed" };
/// The request did not arrive in time.
pub const TOO_SLOW: Reason = Reason { code: 408, word: "request_too_slow" };
/// A content type or encoding we do not read.
pub const MEDIA: Reason = Reason { code: 415, word: "unsupported_media" };
/// No such path.
pub const NO_SUCH_PATH: Reason = Reason::not_found("no_such_path");

/// What the node tells about itself.
pub trait Status: Send + Sync + 'static {
    /// The JSON of `GET /status`: cluster id, version, topology version, nodes, groups.
    fn status(&self) -> serde_json::Value;
    /// Calls are answered; else what it waits for.
    fn ready(&self) -> Result<(), String>;
}

/// Who answers: told to clients in the handshake.
#[derive(Clone, Copy, Debug)]
pub struct Identity {
    pub cluster: ClusterId,
    pub node: NodeId,
}

/// Everything a door needs; one for all doors of a node.
pub struct Doors {
    pub identity: Identity,
    pub catalogue: Catalogue,
    pub access: Access,
    pub gate: Arc<Gate>,
    pub dispatch: Arc<dyn Dispatch>,
    pub status: Arc<dyn Status>,
}

/// A call let in, on its way to a service.
pub struct Entering {
    pub account: Arc<str>,
    pub request_id: RequestId,
    pub deadline: Instant,
    pub trace: Trace,
    pub body: Bytes,
    /// A read may be of rows that are behind (P22).
    pub stale_ok: bool,
}

/// What a door hands to its caller.
pub enum Answered {
    Reply(Bytes),
    /// Of rows that may be behind.
    Stale(Bytes),
    Items(Items),
}

/// Items of a live stream, which counts as one while this is held.
pub struct Items {
    items: Receiver<Result<Bytes, Error>>,
    _pass: Pass,
}

impl Items {
    /// The next item, or how the stream ended. Cancel-safe.
    pub async fn recv(&mut self) -> Option<Result<Bytes, Error>> {
        self.items.recv().await
    }

    /// One that is there already.
    pub fn ready(&mut self) -> Option<Result<Bytes, Error>> {
        self.items.try_recv().ok()
    }
}

impl Doors {
    /// Hands the call inside. A panic on the way is an answer like any other; the caller's door watches the deadline.
    pub fn enter(
        &self,
        known: &Arc<Known>,
        call: Entering,
    ) -> impl Future<Output = Result<Answered, Error>> + Send + use<> {
        let counted = if known.endpoint.kind == Kind::Stream { Counted::Stream } else { Counted::Call };
        // Limits of fields are enforced here and nowhere else: every call from outside passes, in binary by now.
        let fits = check_size(&known.endpoint, call.body.len()).and_then(|()| known.endpoint.check(&call.body));
        let pending = fits.and_then(|()| self.gate.enter(counted, call.body.len())).and_then(|pass| {
            let Entering { account, request_id, deadline, trace, body, stale_ok } = call;
            let call = Call { account, endpoint: known.endpoint.clone(), request_id, deadline, trace, body, stale_ok };
            let start = AssertUnwindSafe(|| self.dispatch.call(call));
            match std::panic::catch_unwind(start) {
                Ok(pending) => Ok((pending, pass)),
                Err(_) => Err(panicked()),
            }
        });
        let known = known.clone();
        async move {
            let answer = match pending {
                Ok((pending, mut pass)) => {
                    let answer = AssertUnwindSafe(pending).catch_unwind().await.unwrap_or_else(|_| Err(panicked()));
                    pass.shrink();
                    answer.map(|answer| match answer {
                        Answer::Reply(bytes) => Answered::Reply(bytes),
                        Answer::Stale(bytes) => Answered::Stale(bytes),
                        Answer::Items(items) => Answered::Items(Items { items, _pass: pass }),
                    })
                }
                Err(refused) => Err(refused),
            };
            answer.map_err(|error| error.at(&known.id))
        }
    }
}

/// The rule for a request in binary, over every door.
pub fn check_size(endpoint: &Endpoint, bytes: usize) -> Result<(), Error> {
    match bytes > endpoint.body_bytes_max {
        true => Err(too_large(endpoint.body_bytes_max)),
        false => Ok(()),
    }
}

/// How long a request of this endpoint may be as text.
pub fn text_bytes_max(endpoint: &Endpoint) -> usize {
    TEXT_BYTES_MAX.max(2 * endpoint.body_bytes_max)
}

/// A request holds more than that.
pub fn too_large(bytes_max: usize) -> Error {
    reasons::TOO_LARGE.refuse(format!("this request holds at most {} MiB", bytes_max >> 20))
}

fn panicked() -> Error {
    tracing::error!("a call panicked on its way to its service: this is a bug of the node");
    reasons::PANICKED.refuse("the node failed on the way to the service").with_outcome(Outcome::Unknown)
}

/// The door gave up waiting: what that says about the call depends on what it may have done.
pub fn too_late(known: &Known) -> Error {
    let harmless = matches!(known.endpoint.kind, Kind::Query | Kind::Gather | Kind::Local);
    let outcome = if harmless { Outcome::NotRun } else { Outcome::Unknown };
    let error =
        reasons::DEADLINE.refuse("the call's time is over; ask again under the same request id to learn its outcome");
    error.with_outcome(outcome).at(&known.id)
}

/// How long a call has: what its caller says, within bounds.
pub fn time_for(asked: Option<Duration>) -> Duration {
    asked.unwrap_or(DEADLINE_DEFAULT).min(DEADLINE_MAX)
}

/// The rule for ids that callers give, over every door.
pub fn check_request_id(id: &str) -> Result<(), Error> {
    let visible = id.bytes().all(|byte| byte.is_ascii_graphic());
    if visible && (1..=REQUEST_ID_BYTES_MAX).contains(&id.len()) {
        return Ok(());
    }
    let rule = format!("a request id is 1 to {REQUEST_ID_BYTES_MAX} visible ASCII letters without spaces");
    Err(reasons::BAD_REQUEST_ID.refuse(rule))
}
