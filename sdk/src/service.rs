//! A service: its endpoints' functions, its tables, its examples.

use crate::cx::Sink;
use crate::read::{View, page_limit};
use crate::runtime::{Gathered, ItemJson, Run};
use crate::{Cx, Here, Listing, Page, Request, Result, Row, Table, TableKey, Tx};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use std::future::Future;
use std::sync::Arc;
use wire::endpoint::{decode, encode, kind};
use wire::error::reasons;
use wire::{Endpoint, Reason};

/// Built once, at start; see `services/src/wallet/mod.rs`.
#[derive(Clone)]
pub struct Service {
    name: &'static str,
    summary: &'static str,
    pub(crate) category: &'static str,
    pub(crate) display_name: &'static str,
    entries: Vec<(Endpoint, Run)>,
    refusals: Vec<(&'static str, &'static [Reason])>,
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
    /// The items in an array, for a stream.
    pub response: Value,
    pub(crate) body: Vec<u8>,
}

impl Service {
    /// `name` in lower case, as in its paths; `summary` is one line for people.
    pub fn new(name: &'static str, summary: &'static str) -> Service {
        Service {
            name,
            summary,
            category: "",
            display_name: "",
            entries: vec![],
            refusals: vec![],
            tables: vec![],
            examples: vec![],
        }
    }

    /// Which shelf of the catalogue it stands on: `storage`, `messaging`, …
    pub fn category(self, category: &'static str) -> Service {
        Service { category, ..self }
    }

    /// Its name as a heading, where that is not its name with a capital letter: `Hello World`.
    pub fn display_name(self, display_name: &'static str) -> Service {
        Service { display_name, ..self }
    }

    /// Declares a row: only what is declared can be touched.
    pub fn row<V: Serialize + DeserializeOwned>(self, row: &'static Row<V>) -> Service {
        self.declare(row.name())
    }

    /// Declares a table.
    pub fn table<K: TableKey, V: Serialize + DeserializeOwned>(self, table: &'static Table<K, V>) -> Service {
        self.declare(table.name())
    }

    fn declare(mut self, table: &'static str) -> Service {
        assert!(!self.tables.contains(&table), "table {table} is there twice");
        assert!(!table.is_empty() && !table.contains('\0'), "{table:?} is no name of a table");
        self.tables.push(table);
        self
    }

    /// The function of an endpoint that reads and writes one entity.
    pub fn command<R: Request<Kind = kind::Command>>(self, f: fn(&mut Tx, R) -> Result<R::Response>) -> Service {
        self.entry::<R>(Run::Command(Arc::new(move |tx, body| encode(&f(tx, decode(body)?)?))))
    }

    /// The function of an endpoint that reads one entity.
    pub fn query<R: Request<Kind = kind::Query>>(self, f: fn(&View, R) -> Result<R::Response>) -> Service {
        self.entry::<R>(Run::Query(Arc::new(move |view, body| encode(&f(view, decode(body)?)?))))
    }

    /// The listing behind an endpoint that reads all entities, page by page.
    pub fn gather<R: Page, V: Serialize + DeserializeOwned>(self, listing: Listing<R, V>) -> Service {
        let run = Run::Gather {
            part: Arc::new(move |scope, body| listing.part(scope, &decode::<R>(body)?)),
            wanted: wanted::<R>,
            page: page::<R>,
            item: ItemJson { to: item_to_json::<R>, from: item_from_json::<R> },
        };
        self.add(Endpoint::paged::<R>(), run)
    }

    /// The function of an endpoint that needs no entity: its request, and the clock and randomness of the node it runs on.
    pub fn local<R: Request<Kind = kind::Local>>(self, f: fn(&Here, R) -> Result<R::Response>) -> Service {
        self.entry::<R>(Run::Local(Arc::new(move |here, body| encode(&f(here, decode(body)?)?))))
    }

    /// The async function of an endpoint that calls others.
    pub fn handler<R, F, Fut>(self, f: F) -> Service
    where
        R: Request<Kind = kind::Handler>,
        F: Fn(Cx, R) -> Fut + Copy + Send + Sync + 'static,
        Fut: Future<Output = Result<R::Response>> + Send + 'static,
    {
        self.entry::<R>(Run::Handler(Arc::new(move |cx, body| {
            Box::pin(async move { encode(&f(cx, decode(&body)?).await?) })
        })))
    }

    /// The async function of an endpoint that yields items; its response type is that of each item.
    pub fn stream<R, F, Fut>(self, f: F) -> Service
    where
        R: Request<Kind = kind::Stream>,
        F: Fn(Cx, R, Sink<R::Response>) -> Fut + Copy + Send + Sync + 'static,
        Fut: Future<Output = Result<()>> + Send + 'static,
    {
        self.entry::<R>(Run::Stream(Arc::new(move |cx, body, out| {
            Box::pin(async move { f(cx, decode(&body)?, Sink::new(out)).await })
        })))
    }

    /// Declared in the table, answered with 501 until it is built: `why` says what it waits for.
    pub fn not_yet<R: Request>(self, why: &'static str) -> Service {
        self.entry::<R>(Run::NotYet(why))
    }

    /// Why an endpoint refuses: told to callers in the docs. Where there is a list, the [`Sandbox`](crate::Sandbox) fails on
    /// a refusal that is not on it.
    pub fn refuses<R: Request>(mut self, reasons: &'static [Reason]) -> Service {
        assert!(self.refusals(R::ENDPOINT).is_none(), "the refusals of {} are there twice", R::ENDPOINT);
        self.refusals.push((R::ENDPOINT, reasons));
        self
    }

    /// Run in order on a fresh [`Sandbox`](crate::Sandbox) by the tests, and compared whole.
    pub fn example<R: Request>(self, title: &'static str, request: R, response: R::Response) -> Service {
        self.add_example(title, request, json(&response))
    }

    /// As [`Service::example`], for a stream: all its items, up to its end.
    pub fn stream_example<R>(self, title: &'static str, request: R, items: Vec<R::Response>) -> Service
    where
        R: Request<Kind = kind::Stream>,
    {
        self.add_example(title, request, json(&items))
    }

    fn add_example<R: Request>(mut self, title: &'static str, request: R, response: Value) -> Service {
        let body = encode(&request).expect("an example is plain data");
        self.examples.push(Example { title, endpoint: R::ENDPOINT, body, request: json(&request), response });
        self
    }

    pub fn name(&self) -> &'static str {
        self.name
    }

    pub fn summary(&self) -> &'static str {
        self.summary
    }

    /// In the order in which they were added.
    pub fn endpoints(&self) -> impl Iterator<Item = &Endpoint> {
        self.entries.iter().map(|(endpoint, _)| endpoint)
    }

    pub fn examples(&self) -> &[Example] {
        &self.examples
    }

    /// What [`Service::refuses`] lists; `None` = nobody said.
    pub fn refusals(&self, endpoint: &str) -> Option<&'static [Reason]> {
        self.refusals.iter().find(|(name, _)| *name == endpoint).map(|(_, reasons)| *reasons)
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

fn json<T: Serialize>(value: &T) -> Value {
    serde_json::to_value(value).expect("an example is plain data")
}

fn wanted<R: Page>(body: &[u8]) -> Result<(usize, String)> {
    let request: R = decode(body)?;
    let (limit, cursor) = request.wanted();
    Ok((page_limit(R::LIMIT, limit)?, cursor.to_string()))
}

fn page<R: Page>(lines: Vec<Gathered>, cursor: String) -> Result<Vec<u8>> {
    let items = lines.iter().map(|line| decode::<R::Item>(&line.item)).collect::<Result<Vec<_>>>()?;
    encode(&R::page(items, cursor))
}

fn item_to_json<R: Page>(item: &[u8]) -> Result<Value> {
    serde_json::to_value(decode::<R::Item>(item)?).map_err(|e| reasons::BAD_BODY.refuse(e.to_string()))
}

fn item_from_json<R: Page>(item: Value) -> Result<Vec<u8>> {
    encode(&serde_json::from_value::<R::Item>(item).map_err(|e| reasons::BAD_BODY.refuse(e.to_string()))?)
}
