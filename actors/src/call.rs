//! What a door hands over, and what it gets back.

use bytes::Bytes;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Instant;
use wire::frame::Trace;
use wire::rpc::RequestId;
use wire::{Endpoint, Error};

/// A call behind the door: who calls is proved, the body is binary and of the endpoint's type.
#[derive(Clone)]
pub struct Call {
    /// The account every row of this call belongs to.
    pub account: Arc<str>,
    pub endpoint: Endpoint,
    pub request_id: RequestId,
    /// After it nobody waits for the answer: work not begun by then is dropped (P14).
    pub deadline: Instant,
    pub trace: Trace,
    /// [`wire::codec`], of the endpoint's request type.
    pub body: Bytes,
    /// A query or gather may be answered from this node's own rows as they are, without asking whether they are the
    /// latest (P22). Of no account to other calls.
    pub stale_ok: bool,
}

/// What comes back, binary as well.
pub enum Answer {
    Reply(Bytes),
    /// Of rows that may be behind: only for who said `stale_ok`.
    Stale(Bytes),
    /// Items until the sender is gone; the receiver's bound is the reader's credit. Dropping it ends the stream's code.
    Items(tokio::sync::mpsc::Receiver<Result<Bytes, Error>>),
}

pub type Pending = Pin<Box<dyn Future<Output = Result<Answer, Error>> + Send>>;

/// The one way to reach a service, from every door, and from service to service.
pub trait Dispatch: Send + Sync + 'static {
    /// Every error says whether the call ran.
    fn call(&self, call: Call) -> Pending;
}
