//! A service: its endpoints' functions, its tables, its examples.

use crate::cx::Sink;
use crate::read::View;
use crate::runtime::{Gathered, Run};
use crate::{Cx, Listing, Page, Request, Result, Row, Table, TableKey, Tx};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use std::future::Future;
use std::sync::Arc;
use wire::endpoint::{decode, encode, kind};
use wire::{Endpoint, error::reasons};

/// Built once, at start; see `services/src/wallet/mod.rs`.
#[derive(Clone)]
pub struct Service {
    name: &'static str,
    summary: &'static str,
    entries: Vec<(Endpoint, Run)>,
    tables: Vec<&'static str>,
    examples: Vec<Example>,
}

/// A call and its answer: a test, and what the docs show.
#[derive(Clone, Debug)]
pub struct Example {
    pub title: &'static str,
    /// The endpoint's name.
    pub endpoint: &'static str,
    pub request: Value,
    pub response: Value,
    pub(crate) body: Vec<u8>,
}

impl Service {
    /// `name` in lower case, as in its paths; `summary` is one line for people.
    pub fn new(name: &'static str, summary: &'static str) -> Service {
        Service { name, summary, entries: vec![], tables: vec![], examples: vec![] }
    }

    pub fn row<V: Serialize + DeserializeOwned>(mut self, row: &'static Row<V>) -> Service {
        self.tables.push(row.name());
        self
    }

    pub fn table<K: TableKey, V: Serialize + DeserializeOwned>(mut self, table: &'static Table<K, V>) -> Service {
        self.tables.push(table.name());
        self
    }

    pub fn command<R: Request<Kind = kind::Command>>(self, f: fn(&mut Tx, R) -> Result<R::Response>) -> Service {
        self.entry::<R>(Run::Command(Arc::new(move |tx, body| encode(&f(tx, decode(body)?)?))))
    }

    pub fn query<R: Request<Kind = kind::Query>>(self, f: fn(&View, R) -> Result<R::Response>) -> Service {
        self.entry::<R>(Run::Query(Arc::new(move |view, body| encode(&f(view, decode(body)?)?))))
    }

    pub fn gather<R: Page, V: Serialize + DeserializeOwned>(self, listing: Listing<R, V>) -> Service {
        let run = Run::Gather {
            part: Arc::new(move |scope, body| listing.part(scope, &decode::<R>(body)?)),
            wanted: wanted::<R>,
            page: page::<R>,
        };
        self.add(Endpoint::paged::<R>(), run)
    }

    pub fn local<R: Request<Kind = kind::Local>>(self, f: fn(R) -> Result<R::Response>) -> Service {
        self.entry::<R>(Run::Local(Arc::new(move |body| encode(&f(decode(body)?)?))))
    }

    pub fn handler<R, F, Fut>(self, f: F) -> Service
    where
        R: Request<Kind = kind::Handler>,
        F: Fn(Cx, R) -> Fut + Copy + Send + Sync + 'static,
        Fut: Future<Output = Result<R::Response>> + Send + 'static,
    {
        self.entry::<R>(Run::Handler(Arc::new(move |cx, body| Box::pin(async move { encode(&f(cx, decode(&body)?).await?) }))))
    }

    /// A stream's response type is that of each item.
    pub fn stream<R, F, Fut>(self, f: F) -> Service
    where
        R: Request<Kind = kind::Stream>,
        F: Fn(Cx, R, Sink<R::Response>) -> Fut + Copy + Send + Sync + 'static,
        Fut: Future<Output = Result<()>> + Send + 'static,
    {
        self.entry::<R>(Run::Stream(Arc::new(move |cx, body, out| Box::pin(async move { f(cx, decode(&body)?, Sink::new(out)).await }))))
    }

    /// Declared in the table, answered with 501 until it is built: `why` says what it waits for.
    pub fn not_yet<R: Request>(self, why: &'static str) -> Service {
        self.entry::<R>(Run::NotYet(why))
    }

    /// Run in order on a fresh [`Sandbox`](crate::Sandbox) by the tests, and compared whole.
    pub fn example<R: Request>(mut self, title: &'static str, request: R, response: R::Response) -> Service {
        let json = |value: serde_json::Result<Value>| value.expect("an example is plain data");
        self.examples.push(Example {
            title,
            endpoint: R::ENDPOINT,
            body: encode(&request).expect("an example is plain data"),
            request: json(serde_json::to_value(&request)),
            response: json(serde_json::to_value(&response)),
        });
        self
    }

    pub fn name(&self) -> &'static str {
        self.name
    }

    pub fn summary(&self) -> &'static str {
        self.summary
    }

    pub fn endpoints(&self) -> impl Iterator<Item = &Endpoint> {
        self.entries.iter().map(|(endpoint, _)| endpoint)
    }

    pub fn examples(&self) -> &[Example] {
        &self.examples
    }

    #[doc(hidden)]
    pub fn tables(&self) -> &[&'static str] {
        &self.tables
    }

    #[doc(hidden)]
    pub fn run(&self, endpoint: &str) -> Option<&(Endpoint, Run)> {
        self.entries.iter().find(|(known, _)| known.name == endpoint)
    }

    fn entry<R: Request>(self, run: Run) -> Service {
        self.add(Endpoint::of::<R>(), run)
    }

    fn add(mut self, endpoint: Endpoint, run: Run) -> Service {
        assert_eq!(endpoint.service, self.name, "endpoint {} belongs to another service", endpoint.name);
        assert!(self.run(endpoint.name).is_none(), "endpoint {} is there twice", endpoint.name);
        self.entries.push((endpoint, run));
        self
    }
}

fn wanted<R: Page>(body: &[u8]) -> Result<(usize, String)> {
    let request: R = decode(body)?;
    let (limit, cursor) = request.wanted();
    if limit > i64::from(R::LIMIT.max) {
        return Err(reasons::BAD_BODY.refuse(format!("limit: {limit} is over {}", R::LIMIT.max)));
    }
    let limit = if limit <= 0 { R::LIMIT.default as usize } else { limit as usize };
    Ok((limit, cursor.to_string()))
}

fn page<R: Page>(lines: Vec<Gathered>, cursor: String) -> Result<Vec<u8>> {
    let items = lines.iter().map(|line| decode::<R::Item>(&line.item)).collect::<Result<Vec<_>>>()?;
    encode(&R::page(items, cursor))
}
