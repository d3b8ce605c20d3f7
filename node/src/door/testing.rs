//! A catalogue of one service and a runtime that does as it is told: what the doors are tested on.

use super::{Access, Catalogue, Doors, Gate, Identity, Status};
use actors::call::{Answer, Call, Dispatch, Pending};
use bytes::Bytes;
use schemars::JsonSchema;
use sdk::Service;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use tokio::sync::mpsc;
use wire::Error;
use wire::ids::{ClusterId, NodeId};
use wire::rpc::RequestId;

wire::endpoints! { demo:
    Command Credit(CreditRequest) -> CreditResponse, key id or "default";
    Query Balance(BalanceRequest) -> CreditResponse, key id or "default";
    Stream Watch(WatchRequest) -> WatchItem;
    internal Command Secret(SecretRequest) -> CreditResponse, key id;
    body(10 << 20) Local Weigh(WeighRequest) -> CreditResponse;
}

/// Add to a balance.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CreditRequest {
    pub id: String,
    /// how much to add
    pub amount: i64,
    pub small: i32,
    pub visible: bool,
    pub session_id: String,
    pub tags: Vec<String>,
    pub part: Option<Part>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Part {
    pub n: u64,
}

/// Ask for a balance.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BalanceRequest {
    #[schemars(length(max = 64))]
    pub id: String,
}

/// Count.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WatchRequest {
    pub messages: i64,
}

/// Something heavy.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WeighRequest {
    pub file: wire::Bytes,
    pub label: String,
}

/// Not for doors.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SecretRequest {
    pub id: String,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CreditResponse {
    pub balance: i64,
    pub note: String,
    pub part: Option<Part>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WatchItem {
    pub n: i64,
}

pub fn services() -> Vec<Service> {
    let demo = Service::new("demo", "For tests of the doors");
    vec![
        demo.not_yet::<CreditRequest>("test")
            .not_yet::<BalanceRequest>("test")
            .not_yet::<WatchRequest>("test")
            .not_yet::<SecretRequest>("test")
            .not_yet::<WeighRequest>("test"),
    ]
}

/// What the fake runtime does with a call.
pub enum Reaction {
    Reply(Value),
    Fail(Error),
    /// Items and how the stream ends; with `None` it stays open.
    Items(Vec<Value>, Option<Result<(), Error>>),
    /// Answers when told, or never.
    Later(tokio::sync::oneshot::Receiver<Value>),
    Panic,
}

/// A call as the fake runtime saw it.
#[derive(Clone, Debug)]
pub struct Seen {
    pub endpoint: &'static str,
    pub account: String,
    pub request_id: RequestId,
    pub body: Value,
}

type React = dyn Fn(&Seen) -> Reaction + Send + Sync;

pub struct Fake {
    react: Box<React>,
    seen: Mutex<Vec<Seen>>,
}

impl Fake {
    pub fn new(react: impl Fn(&Seen) -> Reaction + Send + Sync + 'static) -> Arc<Fake> {
        Arc::new(Fake { react: Box::new(react), seen: Mutex::default() })
    }

    /// Replies with the request's amount as balance.
    pub fn echo() -> Arc<Fake> {
        Fake::new(|seen| Reaction::Reply(credited(seen.body["amount"].as_i64().unwrap_or_default())))
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

pub fn credited(balance: i64) -> Value {
    json!({"balance": balance, "note": "", "part": null})
}

impl Dispatch for Fake {
    fn call(&self, call: Call) -> Pending {
        let endpoint = call.endpoint;
        // A read that may be behind is: the fake looks no further than its own rows.
        let stale = call.stale_ok && endpoint.kind == wire::Kind::Query;
        let seen = Seen {
            endpoint: endpoint.name,
            account: call.account.to_string(),
            request_id: call.request_id,
            body: (endpoint.request_to_json)(&call.body).expect("doors hand on what decodes"),
        };
        self.seen.lock().unwrap().push(seen.clone());
        let encode = endpoint.response_from_json;
        let encode = move |value: Value| Bytes::from(encode(value).expect("the test's reply has its type"));
        match (self.react)(&seen) {
            Reaction::Reply(value) if stale => Box::pin(async move { Ok(Answer::Stale(encode(value))) }),
            Reaction::Reply(value) => Box::pin(async move { Ok(Answer::Reply(encode(value))) }),
            Reaction::Fail(error) => Box::pin(async move { Err(error) }),
            Reaction::Panic => panic!("as the test wanted"),
            Reaction::Later(told) => Box::pin(async move {
                match told.await {
                    Ok(value) => Ok(Answer::Reply(encode(value))),
                    Err(_) => std::future::pending().await,
                }
            }),
            Reaction::Items(values, end) => {
                let (out, items) = mpsc::channel(1);
                tokio::spawn(async move {
                    for value in values {
                        if out.send(Ok(encode(value))).await.is_err() {
                            return;
                        }
                    }
                    match end {
                        Some(Ok(())) => {}
                        Some(Err(error)) => drop(out.send(Err(error)).await),
                        None => out.closed().await,
                    }
                });
                Box::pin(async move { Ok(Answer::Items(items)) })
            }
        }
    }
}

struct Ready;

impl Status for Ready {
    fn status(&self) -> Value {
        json!({"nodes": []})
    }
    fn ready(&self) -> Result<(), String> {
        Ok(())
    }
}

pub const TOKEN: &str = "cmn_0123456789abcdef";

pub fn identity() -> Identity {
    Identity { cluster: ClusterId([7; 16]), node: NodeId(1) }
}

/// Doors with a token; `edit` for what a test wants otherwise.
pub fn doors(dispatch: Arc<Fake>, edit: impl FnOnce(&mut Doors)) -> Arc<Doors> {
    let mut doors = Doors {
        identity: identity(),
        catalogue: Catalogue::new(&services()),
        access: Access::with_token(TOKEN, "local"),
        gate: Gate::usual(),
        dispatch,
        status: Arc::new(Ready),
    };
    edit(&mut doors);
    Arc::new(doors)
}
