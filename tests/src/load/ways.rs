//! Asking: one try by one door, and asking again until there is an answer.

use super::{Fate, Op, Way, What};
use crate::http::{Http, Lost, Reply};
use crate::{Node, wait};
use anyhow::{Context, Result, bail};
use client::{Client, Outcome};
use rand::Rng;
use rand::rngs::StdRng;
use serde_json::{Value, json};
use services::{cache, wallet};
use std::time::{Duration, Instant};
use wire::Source;

/// A node that was killed is back long before.
const ANSWER_WITHIN: Duration = Duration::from_secs(60);
/// Between two tries at a node that is down.
const PAUSE: Duration = Duration::from_millis(5);

/// Both doors of the node, for one of the clients.
#[derive(Clone)]
pub struct Doors {
    pub client: Client,
    pub http: Http,
    /// HTTP doors of other nodes: where whoever asks again goes next.
    pub others: Vec<Http>,
    /// The era: names of wallets and counters begin with it.
    pub era: u64,
}

pub fn wallet_id(era: u64, number: usize) -> String {
    format!("era{era}-w{number}")
}

pub fn counter_key(era: u64, number: usize) -> String {
    format!("era{era}-c{number}")
}

impl Doors {
    /// Doors of a running node, for the first era.
    pub async fn of(node: &Node) -> Result<Doors> {
        Ok(Doors { client: node.client().await?, http: node.caller(), others: vec![], era: 0 })
    }

    /// Does it by its way. An operation with an id is asked again under it until it is answered.
    pub async fn perform(&self, op: &Op) -> Result<Fate> {
        let began = Instant::now();
        for turn in 0.. {
            let fate = self.once(op, turn).await?;
            if matches!(fate, Fate::Done(_) | Fate::Refused(_)) || !op.has_id() {
                return Ok(fate);
            }
            if began.elapsed() > ANSWER_WITHIN {
                bail!("{op:?} had no answer within {ANSWER_WITHIN:?}, the last was {fate:?}");
            }
            wait::pass(PAUSE).await;
        }
        unreachable!("turns do not end")
    }

    async fn once(&self, op: &Op, turn: usize) -> Result<Fate> {
        match op.way {
            Way::Session => Ok(self.rust(op, &self.client.with_deadline(Duration::from_secs(30))).await),
            Way::RustId => {
                let client = self.client.with_request_id(&op.label).with_deadline(Duration::from_secs(5));
                Ok(self.rust(op, &client).await)
            }
            Way::HttpKey | Way::HttpBare => over_http(self.reply(op, turn).await),
            Way::HttpOutcome => match over_http(self.reply(op, turn).await)? {
                Fate::Unknown => self.outcome(op).await,
                fate => Ok(fate),
            },
        }
    }

    /// What became of it, once for all: done is done, and what was not seen will never be.
    async fn outcome(&self, op: &Op) -> Result<Fate> {
        let began = Instant::now();
        let path = format!("/v1/_/outcome/{}?fence=1", op.label);
        for turn in 0.. {
            match self.door(turn).get(&path).await {
                Ok(reply) if reply.code == 200 => return told(&reply.json()?),
                _ if began.elapsed() > ANSWER_WITHIN => bail!("{}: nobody tells its outcome", op.label),
                _ => wait::pass(PAUSE).await,
            }
        }
        unreachable!("turns do not end")
    }

    /// One of the doors by chance.
    pub fn any(&self, random: &mut StdRng) -> &Http {
        self.door(random.random_range(0..=self.others.len()))
    }

    /// The own door first, then the others in turn.
    fn door(&self, turn: usize) -> &Http {
        match turn % (self.others.len() + 1) {
            0 => &self.http,
            other => &self.others[other - 1],
        }
    }

    async fn rust(&self, op: &Op, client: &Client) -> Fate {
        let (reference, visible, idempotency_key) = (op.label.clone(), true, String::new());
        let done = match op.what {
            What::Credit { wallet, amount } => {
                let id = wallet_id(self.era, wallet);
                let request =
                    wallet::CreditRequest { id, amount, reference, visible, idempotency_key, ..Default::default() };
                client.call(request).await.map(|reply| reply.balance)
            }
            What::Debit { wallet, amount } => {
                let id = wallet_id(self.era, wallet);
                let request =
                    wallet::DebitRequest { id, amount, reference, visible, idempotency_key, ..Default::default() };
                client.call(request).await.map(|reply| reply.balance)
            }
            What::Increment { counter, by } => {
                let request = cache::IncrementRequest { key: counter_key(self.era, counter), value: by };
                client.call(request).await.map(|reply| reply.value)
            }
        };
        match done {
            Ok(value) => Fate::Done(value),
            Err(error) => match (error.answer(), error.outcome()) {
                (Some(answer), Outcome::Ran) if answer.source == Source::Service => {
                    Fate::Refused(answer.reason.to_string())
                }
                (_, Outcome::NotRun) => Fate::NotRun,
                _ => Fate::Unknown,
            },
        }
    }

    /// One request over HTTP, under the operation's label if it is of that way.
    pub async fn reply(&self, op: &Op, turn: usize) -> Result<Reply, Lost> {
        let ((path, body), door) = (op.request(self.era), self.door(turn));
        match op.way {
            Way::HttpBare => door.call(path, &body).await,
            _ => door.call_once(path, &body, &op.label).await,
        }
    }
}

impl Op {
    /// As HTTP has it.
    pub fn request(&self, era: u64) -> (&'static str, Value) {
        let (reference, visible) = (&self.label, true);
        match self.what {
            What::Credit { wallet, amount } => {
                let id = wallet_id(era, wallet);
                ("/v1/wallet/Credit", json!({"id": id, "amount": amount, "reference": reference, "visible": visible}))
            }
            What::Debit { wallet, amount } => {
                let id = wallet_id(era, wallet);
                ("/v1/wallet/Debit", json!({"id": id, "amount": amount, "reference": reference, "visible": visible}))
            }
            What::Increment { counter, by } => {
                ("/v1/cache/Increment", json!({"key": counter_key(era, counter), "value": by}))
            }
        }
    }
}

/// A fenced outcome as a fate.
fn told(outcome: &Value) -> Result<Fate> {
    let calls = outcome["calls"].as_array().map(Vec::as_slice).unwrap_or_default();
    match (outcome["state"].as_str(), outcome["definite"].as_bool(), calls) {
        (Some("not_seen"), Some(true), []) => Ok(Fate::NotRun),
        (Some("done"), Some(true), [call]) if call["error"].is_null() => {
            let value = number(&call["reply"]["balance"]).or_else(|| number(&call["reply"]["value"]));
            value.map(Fate::Done).with_context(|| format!("no balance or value in {outcome}"))
        }
        (Some("done"), Some(true), [call]) => {
            let reason = call["error"]["reason"].as_str().with_context(|| format!("no reason in {outcome}"))?;
            Ok(Fate::Refused(reason.into()))
        }
        _ => bail!("an outcome that is none: {outcome}"),
    }
}

pub fn over_http(reply: Result<Reply, Lost>) -> Result<Fate> {
    let reply = match reply {
        Ok(reply) => reply,
        Err(Lost::NotSent(_)) => return Ok(Fate::NotRun),
        Err(Lost::Unknown(_)) => return Ok(Fate::Unknown),
    };
    // A reply that breaks off is an answer lost; one that is whole and no JSON is a bug.
    let body = reply.json()?;
    if reply.code == 200 {
        return match number(&body["balance"]).or_else(|| number(&body["value"])) {
            Some(value) => Ok(Fate::Done(value)),
            None => bail!("a reply without balance or value: {body}"),
        };
    }
    match (body["source"].as_str(), body["outcome"].as_str(), body["reason"].as_str()) {
        (Some("service"), Some("ran"), Some(reason)) => Ok(Fate::Refused(reason.into())),
        (_, Some("not_run"), _) => Ok(Fate::NotRun),
        (Some("cluster"), Some("unknown"), _) => Ok(Fate::Unknown),
        _ => bail!("an error that tells neither source nor outcome: {body}"),
    }
}

/// 64-bit numbers are strings over HTTP.
pub fn number(value: &Value) -> Option<i64> {
    value.as_str().and_then(|text| text.parse().ok()).or_else(|| value.as_i64())
}
