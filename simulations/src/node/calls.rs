//! Calls as clients make them: what is asked, under which id, and what came of each attempt.

use super::probe;
use bytes::Bytes;
use services::{cache, wallet};
use std::sync::Arc;
use tokio::sync::oneshot;
use wire::endpoint::encode;
use wire::rpc::RequestId;
use wire::{Endpoint, Error, Request};

pub type Reply = Result<Bytes, Error>;

/// What is asked. `token` of a call is its number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    Append,
    Refuse,
    Explode,
    Fill { rows: u32, bytes: u32 },
    Lend { ttl_ms: u64 },
    Peek,
    Look,
    Count { by: i64 },
    CountBack { by: i64 },
    ReadCount,
    Set { ttl: i64 },
    Delete,
    Get,
    Create,
    Credit { amount: i64 },
    Debit { amount: i64 },
    Balance,
}

impl Kind {
    pub fn is_query(&self) -> bool {
        matches!(self, Kind::Look | Kind::Get | Kind::ReadCount | Kind::Balance)
    }

    /// It adds its token to its entity's items, if it runs.
    pub fn adds_item(&self) -> bool {
        matches!(self, Kind::Append | Kind::Fill { .. } | Kind::Lend { .. })
    }

    /// Endpoint and body of the call numbered `token`.
    pub fn request(&self, entity: &str, token: u64) -> (Endpoint, Bytes) {
        let key = || entity.to_string();
        let (id, reference) = (key, || format!("r{token}"));
        match *self {
            Kind::Append => made(probe::AppendRequest { entity: key(), token }),
            Kind::Refuse => made(probe::RefuseRequest { entity: key(), token }),
            Kind::Explode => made(probe::ExplodeRequest { entity: key(), token }),
            Kind::Fill { rows, bytes } => made(probe::FillRequest { entity: key(), token, rows, bytes }),
            Kind::Lend { ttl_ms } => made(probe::LendRequest { entity: key(), token, ttl_ms }),
            Kind::Peek => made(probe::PeekRequest { entity: key() }),
            Kind::Look => made(probe::LookRequest { entity: key() }),
            Kind::Count { by } => made(cache::IncrementRequest { key: key(), value: by }),
            Kind::CountBack { by } => made(cache::DecrementRequest { key: key(), value: -by }),
            Kind::ReadCount | Kind::Get => made(cache::GetRequest { key: key() }),
            Kind::Set { ttl } => made(cache::SetRequest { key: key(), value: reference(), ttl, ..Default::default() }),
            Kind::Delete => made(cache::DeleteRequest { key: key() }),
            Kind::Create => made(wallet::CreateRequest { id: id(), ..Default::default() }),
            Kind::Credit { amount } => made(wallet::CreditRequest {
                id: id(),
                amount,
                reference: reference(),
                visible: true,
                ..Default::default()
            }),
            Kind::Debit { amount } => made(wallet::DebitRequest {
                id: id(),
                amount,
                reference: reference(),
                visible: true,
                ..Default::default()
            }),
            Kind::Balance => made(wallet::BalanceRequest { id: id() }),
        }
    }
}

fn made<R: Request>(request: R) -> (Endpoint, Bytes) {
    (Endpoint::of::<R>(), encode(&request).expect("a request is plain data").into())
}

/// What a client knows in the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Done {
    Ran(Reply),
    NotRun,
    /// It had no id to ask again under.
    Unknown,
}

/// One call, from its first attempt to its end.
#[derive(Clone)]
pub struct Call {
    pub token: u64,
    pub client: usize,
    pub account: Arc<str>,
    pub entity: Arc<str>,
    pub kind: Kind,
    pub endpoint: Endpoint,
    pub body: Bytes,
    pub request_id: RequestId,
    pub issued_at: u64,
    pub done_at: Option<u64>,
    /// What anybody had been told of the entity when the call was issued.
    pub floor: u64,
    /// The group's clock stood no lower when it ran.
    pub clock_low: i64,
    /// Attempts not ended, ghosts included.
    pub open: u32,
    /// Attempts that may still run, or may have.
    pub unsure: bool,
    pub done: Option<Done>,
    /// The first reply any attempt got, heard by the client or not.
    pub reply: Option<Reply>,
}

impl Call {
    pub fn has_id(&self) -> bool {
        self.request_id != RequestId::None
    }

    pub fn names(&self) -> String {
        format!("call {} {:?} of {}/{}", self.token, self.kind, self.account, self.entity)
    }
}

/// One copy of a call on its way.
pub struct Attempt {
    pub call: usize,
    pub request_id: RequestId,
    /// Another payload under the same id: must never run.
    pub forged: Option<Bytes>,
    pub deadline_us: u64,
    /// Given up: the client hears nothing of it any more.
    pub ghost: bool,
    /// Not delivered yet.
    pub to: Option<oneshot::Sender<Reply>>,
    pub from: oneshot::Receiver<Reply>,
    /// The clock a query ran at.
    pub read_at: Option<i64>,
}

/// How long an answer's text may be in a trace.
const SHOWN: usize = 60;

/// An answer for the trace.
pub fn show(reply: &Reply) -> String {
    match reply {
        Ok(bytes) => format!("ok {:016x}", crate::node::checkers::digest(bytes)),
        Err(error) => format!("{} {:?} {:.SHOWN$}", error.code, error.outcome, error.detail),
    }
}
