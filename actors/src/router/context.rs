//! Async endpoints: handlers and streams, on the node that took the call.

use super::Router;
use crate::call::{Answer, Call};
use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;
use sdk::runtime::{Caller, RawSink};
use sdk::{Cx, Endpoint, Error};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;
use tokio::sync::mpsc;
use wire::Outcome;
use wire::error::reasons;
use wire::frame::Trace;
use wire::rpc::RequestId;

/// Items a stream may be ahead of its reader.
const ITEMS_AHEAD: usize = 16;

type RunHandler = Arc<dyn Fn(Cx, Bytes) -> BoxFuture<'static, Result<Vec<u8>, Error>> + Send + Sync>;
type RunStream = Arc<dyn Fn(Cx, Bytes, RawSink) -> BoxFuture<'static, Result<(), Error>> + Send + Sync>;

impl Router {
    pub(super) async fn handler(&self, call: Call, run: &RunHandler) -> Result<Bytes, Error> {
        let id = call.endpoint.id();
        let running = AssertUnwindSafe(run(self.cx(&call), call.body.clone())).catch_unwind();
        match tokio::time::timeout_at(call.deadline.into(), running).await {
            Ok(Ok(reply)) => reply.map(Bytes::from),
            Ok(Err(panic)) => {
                tracing::error!(endpoint = id, panic = crate::shard::panic_text(panic.as_ref()), "a handler panicked");
                // It may have called others before.
                Err(reasons::PANICKED.refuse(format!("{id} failed")).with_outcome(Outcome::Unknown))
            }
            Err(_) => Err(reasons::DEADLINE.refuse("no answer in time").with_outcome(Outcome::Unknown)),
        }
    }

    /// The stream's code runs until it ends or its reader goes; the last item may be an error.
    pub(super) fn stream(&self, call: Call, run: &RunStream) -> mpsc::Receiver<Result<Bytes, Error>> {
        let (out, items) = mpsc::channel(ITEMS_AHEAD);
        let id = call.endpoint.id();
        let running = AssertUnwindSafe(run(self.cx(&call), call.body.clone(), out.clone())).catch_unwind();
        tokio::spawn(async move {
            let ended = tokio::select! {
                biased;
                // Also while the code waits for something else than the reader.
                () = out.closed() => return,
                ended = running => ended,
            };
            let error = match ended {
                Ok(Ok(())) => return,
                Ok(Err(error)) => error.at(&id),
                Err(panic) => {
                    tracing::error!(
                        endpoint = id,
                        panic = crate::shard::panic_text(panic.as_ref()),
                        "a stream panicked"
                    );
                    reasons::PANICKED.refuse(format!("{id} failed")).at(&id)
                }
            };
            // The reader may be gone.
            let _ = out.send(Err(error)).await;
        });
        items
    }

    /// By the service's own table: its limits are compiled, those of the caller's copy are not.
    fn check(&self, call: &Call) -> Result<(), Error> {
        let seat = self.inner.services.get(call.endpoint.service);
        let known = seat.and_then(|seat| seat.service.run(call.endpoint.name));
        known.map_or(Ok(()), |(endpoint, _)| endpoint.check(&call.body))
    }

    fn cx(&self, call: &Call) -> Cx {
        let inside = Inside {
            router: self.clone(),
            account: call.account.clone(),
            deadline: call.deadline,
            trace: call.trace,
            request_id: call.request_id.clone(),
            calls: AtomicU32::new(0),
        };
        Cx::new(Arc::new(inside), self.inner.here.clone())
    }
}

/// What a service's own calls go through.
struct Inside {
    router: Router,
    account: Arc<str>,
    deadline: Instant,
    trace: Trace,
    request_id: RequestId,
    calls: AtomicU32,
}

impl Caller for Inside {
    fn call(&self, endpoint: Endpoint, body: Bytes) -> BoxFuture<'static, Result<Bytes, Error>> {
        // The nth inner call of a retried handler is the same call (P12).
        let n = self.calls.fetch_add(1, Ordering::Relaxed);
        let request_id = match &self.request_id {
            RequestId::None => RequestId::None,
            // No caller's own id has a space, so none of them can be this one; a session's begins with it, so that it has
            // no caller's in front.
            RequestId::Caller(id) => RequestId::Caller(format!("{id} {n}")),
            RequestId::Session { client, n: outer, .. } => RequestId::Caller(format!(" {client:032x} {outer} {n}")),
        };
        let call = Call {
            account: self.account.clone(),
            endpoint,
            request_id,
            deadline: self.deadline,
            trace: self.trace,
            body,
            // Its reply would not say so.
            stale_ok: false,
        };
        let router = self.router.clone();
        Box::pin(async move {
            // Limits are the doors' to enforce, and this call went through none.
            router.check(&call).map_err(|error| error.at(&call.endpoint.id()))?;
            match router.dispatch(call).await? {
                Answer::Reply(reply) | Answer::Stale(reply) => Ok(reply),
                Answer::Items(_) => Err(reasons::BAD_BODY.refuse("a stream cannot be called for one reply")),
            }
        })
    }
}
