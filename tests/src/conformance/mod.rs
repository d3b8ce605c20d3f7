//! The catalogue's published examples against a running node: the documented shape, and the documented value wherever the
//! reply follows from the request.
//!
//! `services/examples.json` has one known exchange for most endpoints of the original, its lists cut at two items. A reply may
//! have more fields than documented (ours are listed in `services/tests/catalogue/original.rs`), never fewer or others.

mod prepare;
mod shape;

use crate::http::Http;
use anyhow::{Context, Result, ensure};
use serde_json::Value;

/// One published exchange.
#[derive(Clone, Debug)]
pub struct Example {
    pub service: String,
    pub endpoint: String,
    path: String,
    stream: bool,
    pub title: String,
    request: Value,
    response: Value,
    /// Paths of maps and free JSON: their keys are the caller's.
    free: Vec<String>,
}

/// How a reply compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// The documented value.
    Same,
    /// The documented shape; the value is chance or time's.
    SameShape,
    /// Declared and not built: see README, "Not yet".
    NotYet,
}

/// Endpoints whose documented value nobody can repeat, and why. All others have to answer it.
const VARIES: &[(&str, &str)] = &[
    ("id.Generate", "an id is new each time"),
    ("password.Generate", "a password is new each time"),
    ("time.Now", "time passes"),
    ("time.Zone", "time passes"),
    ("wallet.Create", "the example's reply has another description than its request, and a new id"),
    ("wallet.Transactions", "ids and moments of its transactions"),
];

/// Answered with 501; an entry that works is an error, so that none stays here.
const NOT_YET: &[&str] = &["wallet.Transfer"];

impl Example {
    pub fn id(&self) -> String {
        format!("{}.{}", self.service, self.endpoint)
    }
}

/// The examples of the services that this program has.
pub fn examples() -> Result<Vec<Example>> {
    let all: Value = serde_json::from_str(include_str!("../../../services/examples.json"))?;
    let mut found = Vec::new();
    for service in services::all() {
        let name = service.name();
        let Some(of) = all["services"].get(name) else { continue };
        for example in of.as_array().context("a list of examples")? {
            found.push(parse(name, example).with_context(|| format!("{name}: {example}"))?);
        }
    }
    Ok(found)
}

fn parse(service: &str, example: &Value) -> Result<Example> {
    let text = |name: &str| Ok::<_, anyhow::Error>(example[name].as_str().context("a text")?.to_string());
    let free = example["free"].as_array().context("a list")?;
    Ok(Example {
        service: service.to_string(),
        endpoint: text("endpoint")?,
        path: text("path")?,
        stream: example["stream"].as_bool().context("a bool")?,
        title: text("title")?,
        request: example["request"].clone(),
        response: example["response"].clone(),
        free: free.iter().filter_map(|path| path.as_str().map(str::to_string)).collect(),
    })
}

/// Makes the call, after what the example takes for granted, and compares.
pub async fn check(http: &Http, example: &Example) -> Result<Found> {
    let id = example.id();
    let request = prepare::before(http, &id, example.request.clone()).await.context("what it takes for granted")?;
    let reply = http.call(&example.path, &request).await?;
    if NOT_YET.contains(&id.as_str()) {
        ensure!(reply.code == 501, "it answers {} {}: take it out of NOT_YET", reply.code, reply.text());
        return Ok(Found::NotYet);
    }
    ensure!(reply.code == 200, "answered {}: {}", reply.code, reply.text());
    for item in items(example, &reply.text())? {
        shape::same(&item, &example.response, &example.free)?;
        let same = shape::has_value(&item, &example.response);
        match VARIES.iter().find(|(varies, _)| *varies == id) {
            None => ensure!(same, "answered {item}, documented is {}", example.response),
            Some(_) => return Ok(Found::SameShape),
        }
    }
    Ok(Found::Same)
}

/// The reply, or each item of a stream: as many as were asked for.
fn items(example: &Example, text: &str) -> Result<Vec<Value>> {
    if !example.stream {
        return Ok(vec![serde_json::from_str(text)?]);
    }
    let lines = text.lines().filter(|line| !line.is_empty());
    let items: Vec<Value> = lines.map(serde_json::from_str).collect::<Result<_, _>>()?;
    if let Some(asked) = example.request["messages"].as_u64() {
        ensure!(items.len() as u64 == asked, "{} items of {asked}", items.len());
    }
    ensure!(!items.is_empty(), "no item");
    Ok(items)
}
