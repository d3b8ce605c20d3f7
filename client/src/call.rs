//! Calls: one request id, as many tries as are safe, one answer.

use crate::budget::{self, Budget};
use crate::direct::{Direct, Place};
use crate::link::Fate;
use crate::pool::Pool;
use crate::session::{Session, Ticket};
use crate::{Builder, Error, Items};
use serde_json::Value;
use std::any::TypeId;
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio::time::{Instant, sleep_until, timeout_at};
use wire::endpoint::kind::EndpointKind;
use wire::error::reasons;
use wire::fit::{Fit, Origin};
use wire::frame::{Frame, Kind};
use wire::rpc::{Body, Call, Reply, RequestId};
use wire::{Endpoint, Key, Outcome, Request, Source, codec};

/// Nodes wait no longer than this.
const DEADLINE_MAX: Duration = Duration::from_secs(60);

/// A client of one cluster. Cheap to clone; clones share connection, session and retry budget.
#[derive(Clone)]
pub struct Client {
    pub(crate) inner: Arc<Inner>,
    deadline: Duration,
    request_id: Option<String>,
    stale_ok: bool,
}

/// A reply, and what is to be known of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Told<T> {
    pub reply: T,
    /// It is of rows that may be behind: only if [`Client::stale_ok`] was said.
    pub stale: bool,
}

pub(crate) struct Inner {
    pub pool: Arc<Pool>,
    pub direct: Arc<Direct>,
    session: Arc<Session>,
    budget: Budget,
    /// A schema's hash costs a schema: computed once a type.
    hashes: RwLock<BTreeMap<TypeId, u64>>,
}

/// What travels, and in which codec.
pub(crate) struct Envelope {
    pub service: String,
    pub endpoint: String,
    pub request: Sent,
    /// The entity, where it is of use to know it.
    pub place: Option<Place>,
    pub stale_ok: bool,
}

/// A request in the codecs it can travel in.
pub(crate) enum Sent {
    Typed { kind: TypeId, schema: u64, binary: Vec<u8>, json: fn(&[u8]) -> Result<Value, wire::Error> },
    Json(Vec<u8>),
}

/// Under which id a call is made.
enum Name {
    /// A read: nothing to do twice.
    None,
    Caller(String),
    Session(Ticket),
}

impl Client {
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// A client of the node at `HOST:PORT`, with the key in `COMMONS_TOKEN` if there is one.
    pub async fn connect(node: impl Into<String>) -> Result<Client, Error> {
        Client::builder().node(node).connect().await
    }

    pub(crate) fn new(pool: Pool, deadline: Duration) -> Client {
        let (session, budget) = (Session::new(), Budget::new());
        let (pool, direct) = (Arc::new(pool), Arc::new(Direct::new()));
        let inner = Inner { pool, direct, session, budget, hashes: RwLock::default() };
        Client { inner: Arc::new(inner), deadline: deadline.min(DEADLINE_MAX), request_id: None, stale_ok: false }
    }

    /// Makes its calls under this id: the same id again, from any client and within 24 hours, gets the same reply.
    pub fn with_request_id(&self, id: impl Into<String>) -> Client {
        Client { request_id: Some(id.into()), ..self.clone() }
    }

    /// Gives its calls so long, retries included.
    pub fn with_deadline(&self, deadline: Duration) -> Client {
        Client { deadline: deadline.min(DEADLINE_MAX), ..self.clone() }
    }

    /// Takes for its reads what the node that is asked has, though it may be behind: also while that node is cut off from
    /// the others. [`Client::call_told`] tells whether it was.
    pub fn stale_ok(&self) -> Client {
        Client { stale_ok: true, ..self.clone() }
    }

    /// Calls an endpoint by its request type.
    pub async fn call<R: Request>(&self, request: R) -> Result<R::Response, Error> {
        self.call_told(request).await.map(|told| told.reply)
    }

    /// As [`Client::call`], and tells whether the reply may be behind.
    pub async fn call_told<R: Request>(&self, request: R) -> Result<Told<R::Response>, Error> {
        let envelope = self.envelope(&request)?;
        let is_read = matches!(R::Kind::KIND, wire::Kind::Query | wire::Kind::Gather | wire::Kind::Local);
        let reply = self.run(&envelope, is_read).await?;
        let stale = reply.stale;
        decode::<R>(reply).map(|reply| Told { reply, stale })
    }

    /// Calls an endpoint by name, in JSON as it is over HTTP.
    pub async fn call_json(&self, service: &str, endpoint: &str, request: &Value) -> Result<Value, Error> {
        self.call_json_told(service, endpoint, request).await.map(|told| told.reply)
    }

    /// As [`Client::call_json`], and tells whether the reply may be behind.
    pub async fn call_json_told(&self, service: &str, endpoint: &str, request: &Value) -> Result<Told<Value>, Error> {
        let envelope = self.by_name(service, endpoint, request);
        let is_read = service == "_";
        let reply = self.run(&envelope, is_read).await?;
        let stale = reply.stale;
        decode_json(reply).map(|reply| Told { reply, stale })
    }

    /// Opens a stream by its request type. Items come as fast as they are taken.
    pub async fn stream<R: Request<Kind = wire::endpoint::kind::Stream>>(
        &self,
        request: R,
    ) -> Result<Items<R::Response>, Error> {
        Items::open(self.clone(), self.envelope(&request)?, decode::<R>).await
    }

    /// Opens a stream by name, in JSON as it is over HTTP.
    pub async fn stream_json(&self, service: &str, endpoint: &str, request: &Value) -> Result<Items<Value>, Error> {
        let envelope = self.by_name(service, endpoint, request);
        Items::open(self.clone(), envelope, decode_json).await
    }

    fn by_name(&self, service: &str, endpoint: &str, request: &Value) -> Envelope {
        let request = Sent::Json(request.to_string().into_bytes());
        let (service, endpoint) = (service.into(), endpoint.into());
        Envelope { service, endpoint, request, place: None, stale_ok: self.stale_ok }
    }

    fn envelope<R: Request>(&self, request: &R) -> Result<Envelope, Error> {
        let place = self.place(request);
        let binary =
            codec::encode(request).map_err(|why| Error::Unsendable(format!("the request does not encode: {why}")))?;
        let request = Sent::Typed {
            kind: TypeId::of::<R>(),
            schema: self.schema::<R>(),
            binary,
            json: Endpoint::of::<R>().request_to_json,
        };
        let (service, endpoint) = (R::SERVICE.into(), R::ENDPOINT.into());
        Ok(Envelope { service, endpoint, request, place, stale_ok: self.stale_ok })
    }

    fn place<R: Request>(&self, request: &R) -> Option<Place> {
        let one = matches!(R::Kind::KIND, wire::Kind::Command | wire::Kind::Query);
        let key = (one && self.inner.direct.wants_keys()).then(|| request.key())?;
        match key {
            Key::Entity(key) => Some(Place { service: R::SERVICE, key }),
            // A new one is named by the node that takes the call.
            Key::New | Key::None => None,
        }
    }

    fn schema<R: Request>(&self) -> u64 {
        let kind = TypeId::of::<R>();
        if let Some(&hash) = self.inner.hashes.read().unwrap_or_else(PoisonError::into_inner).get(&kind) {
            return hash;
        }
        let hash = (Endpoint::of::<R>().schema_hash)();
        self.inner.hashes.write().unwrap_or_else(PoisonError::into_inner).insert(kind, hash);
        hash
    }

    async fn run(&self, envelope: &Envelope, is_read: bool) -> Result<Reply, Error> {
        let started = Instant::now();
        let deadline = started + self.deadline;
        // Made before the first try, kept for all of them.
        let name = match &self.request_id {
            Some(id) => Name::Caller(id.clone()),
            None if is_read => Name::None,
            None => Name::Session(self.inner.session.ticket()),
        };
        self.inner.budget.earn();
        let mut maybe_ran = false;
        let (mut tries, mut cut_off) = (0, 0);
        loop {
            let (error, asked) = match self.attempt(envelope, &name, deadline).await {
                Tried::Answered(reply) => return Ok(reply),
                Tried::InOtherCodec => continue,
                Tried::Final(error) => return Err(error.after_unknown(maybe_ran)),
                Tried::Again(error, asked) => (error, asked),
            };
            // Told so by every node there is to ask, who asks again hears nothing else soon.
            cut_off += usize::from(error.answer().is_some_and(|error| error.is(&reasons::NO_QUORUM)));
            if cut_off >= self.inner.pool.count() {
                return Err(error.after_unknown(maybe_ran));
            }
            maybe_ran |= error.outcome() == Outcome::Unknown && !is_read;
            let at = Instant::now() + budget::wait(tries, asked);
            if at >= deadline || !self.inner.budget.spend() {
                return Err(error.after_unknown(maybe_ran));
            }
            sleep_until(at).await;
            tries += 1;
        }
    }

    async fn attempt(&self, envelope: &Envelope, name: &Name, deadline: Instant) -> Tried {
        let link = match self.inner.way(envelope.place.as_ref(), deadline).await {
            Ok(link) => link,
            Err(error) => return Tried::Final(error),
        };
        let as_json = envelope.request.type_id().is_some_and(|kind| link.takes_json(kind));
        let frame = match envelope.frame(name.id(), deadline, as_json) {
            Ok(frame) => frame,
            Err(error) => return Tried::Final(error),
        };
        let is_read = matches!(name, Name::None);
        let Ok(fate) = timeout_at(deadline, link.call(frame)).await else {
            let outcome = if is_read { Outcome::NotRun } else { Outcome::Unknown };
            return Tried::Final(Error::TimedOut { after: self.deadline, outcome });
        };
        match fate {
            Fate::Reply(reply) => Tried::Answered(reply),
            Fate::Failed(error) if error.is(&reasons::OTHER_SCHEMA) && !as_json => match envelope.request.type_id() {
                Some(kind) => {
                    link.send_json_from_now_on(kind);
                    Tried::InOtherCodec
                }
                None => Tried::Final(Error::Answered(error)),
            },
            Fate::Failed(error) if may_pass(&error) => {
                self.inner.heard(&error, &link);
                let asked = Duration::from_millis(error.retry_after_ms.into());
                Tried::Again(Error::Answered(error), asked)
            }
            Fate::Failed(error) => Tried::Final(Error::Answered(error)),
            Fate::Lost { sent } => {
                self.inner.direct.doubt();
                let outcome = if sent && !is_read { Outcome::Unknown } else { Outcome::NotRun };
                Tried::Again(Error::Lost { node: self.inner.pool.name(), outcome }, Duration::ZERO)
            }
        }
    }

    pub(crate) fn deadline(&self) -> Instant {
        Instant::now() + self.deadline
    }

    pub(crate) fn caller_id(&self) -> RequestId {
        self.request_id.clone().map_or(RequestId::None, RequestId::Caller)
    }
}

enum Tried {
    Answered(Reply),
    /// The same once more, as JSON: nothing was begun.
    InOtherCodec,
    Again(Error, Duration),
    Final(Error),
}

/// The cluster, not the service, said "not now": the same id may be tried again, whether it ran or not.
fn may_pass(error: &wire::Error) -> bool {
    error.source == Source::Cluster && error.outcome != Outcome::Ran && matches!(error.code, 429 | 503)
}

impl Name {
    fn id(&self) -> RequestId {
        match self {
            Name::None => RequestId::None,
            Name::Caller(id) => RequestId::Caller(id.clone()),
            Name::Session(ticket) => ticket.id(),
        }
    }
}

impl Sent {
    pub fn type_id(&self) -> Option<TypeId> {
        match self {
            Sent::Typed { kind, .. } => Some(*kind),
            Sent::Json(_) => None,
        }
    }
}

impl Envelope {
    pub fn frame(&self, request_id: RequestId, deadline: Instant, as_json: bool) -> Result<Frame, Error> {
        let unsendable = |why: String| Error::Unsendable(format!("the request does not encode: {why}"));
        let body = match &self.request {
            Sent::Json(text) => Body::Json(wire::Bytes(text.clone())),
            Sent::Typed { binary, json, .. } if as_json => {
                let value = json(binary).map_err(|why| unsendable(why.detail))?;
                Body::Json(wire::Bytes(value.to_string().into_bytes()))
            }
            Sent::Typed { schema, binary, .. } => Body::Binary { schema: *schema, bytes: wire::Bytes(binary.clone()) },
        };
        let call = Call {
            service: self.service.clone(),
            endpoint: self.endpoint.clone(),
            request_id,
            body,
            stale_ok: self.stale_ok,
        };
        let payload = codec::encode(&call).map_err(|why| unsendable(why.to_string()))?;
        let left = deadline.saturating_duration_since(Instant::now()).as_millis().max(1);
        Ok(Frame { time_left_ms: u32::try_from(left).unwrap_or(u32::MAX), ..Frame::new(Kind::Call, 0, payload) })
    }
}

/// Binary when both sides have the same types, else JSON fitted to ours: a field the other side lacks is its zero value.
fn decode<R: Request>(reply: Reply) -> Result<R::Response, Error> {
    let unreadable = |why: String| Error::Unreadable(why);
    match reply.body {
        Body::Binary { bytes, .. } => codec::decode(&bytes.0).map_err(|why| unreadable(why.to_string())),
        Body::Json(text) => {
            let value = serde_json::from_slice(&text.0).map_err(|why| unreadable(why.to_string()))?;
            let fit = Fit::of(&(Endpoint::of::<R>().response)());
            let strict = fit.take(value, Origin::Json).map_err(|why| unreadable(why.to_string()))?;
            serde_json::from_value(strict).map_err(|why| unreadable(why.to_string()))
        }
    }
}

fn decode_json(reply: Reply) -> Result<Value, Error> {
    match reply.body {
        Body::Json(text) => serde_json::from_slice(&text.0).map_err(|why| Error::Unreadable(why.to_string())),
        Body::Binary { .. } => Err(Error::Unreadable("binary, although it was asked in JSON".into())),
    }
}
