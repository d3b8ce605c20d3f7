//! What async endpoints hold: who called, and the way to other services.

use crate::{Here, Request, Result};
use bytes::Bytes;
use futures::future::BoxFuture;
use serde::Serialize;
use std::marker::PhantomData;
use std::sync::Arc;
use tokio::sync::mpsc;
use wire::{Endpoint, Error};

/// How an async endpoint reaches others; the runtime's side of [`Cx`].
pub trait Caller: Send + Sync {
    /// Calls as the account of the call this one belongs to, within its time.
    fn call(&self, endpoint: Endpoint, body: Bytes) -> BoxFuture<'static, Result<Bytes>>;
}

/// The context of one async call. Owned, so that the code may keep it across awaits.
#[derive(Clone)]
pub struct Cx {
    caller: Arc<dyn Caller>,
    here: Here,
}

impl Cx {
    #[doc(hidden)]
    pub fn new(caller: Arc<dyn Caller>, here: Here) -> Cx {
        Cx { caller, here }
    }

    /// The node the code runs on: its clock and its randomness.
    pub fn here(&self) -> &Here {
        &self.here
    }

    /// Calls an endpoint, `Internal` ones too, as the same account.
    pub async fn call<R: Request>(&self, request: R) -> Result<R::Response> {
        let body = wire::endpoint::encode(&request)?;
        let reply = self.caller.call(Endpoint::of::<R>(), body.into()).await?;
        wire::endpoint::decode(&reply)
    }

    /// Calls all at once; their answers in the order of the requests.
    pub async fn call_all<R: Request>(&self, requests: &[R]) -> Vec<Result<R::Response>> {
        // Each is begun here, in order: the nth inner call of a retried handler is the same call (P12).
        let begin = |request: &R| Ok(self.caller.call(Endpoint::of::<R>(), wire::endpoint::encode(request)?.into()));
        let begun: Vec<Result<_>> = requests.iter().map(begin).collect();
        let answers = begun.into_iter().map(|begun| async { wire::endpoint::decode(&begun?.await?) });
        futures::future::join_all(answers).await
    }
}

/// Where a stream's items go; of encoded items, on the runtime's side.
pub type RawSink = mpsc::Sender<Result<Bytes, Error>>;

/// Where a stream's items go. Awaiting `send` is the reader's credit.
pub struct Sink<T> {
    out: RawSink,
    item: PhantomData<fn(T)>,
}

/// The reader is gone: return.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closed;

impl<T: Serialize> Sink<T> {
    pub(crate) fn new(out: RawSink) -> Sink<T> {
        Sink { out, item: PhantomData }
    }

    /// Waits until the reader can take it.
    pub async fn send(&mut self, item: T) -> Result<(), Closed> {
        let bytes = wire::endpoint::encode(&item).map(Bytes::from);
        self.out.send(bytes).await.map_err(|_| Closed)
    }
}
