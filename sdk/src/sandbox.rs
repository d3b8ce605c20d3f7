//! A service alone in memory: what its rules are tested on, in microseconds.

use crate::cx::Caller;
use crate::runtime::{Delta, GatherScope, Op, Order, Rows, Run, Scope, expiry};
use crate::{Cx, Key, Request, Result, Service, Time, Tx, View};
use bytes::Bytes;
use futures::future::BoxFuture;
use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use wire::endpoint::{decode, encode};
use wire::{Endpoint, error::reasons};

/// Memory rows, a clock that stands at 0 until moved, seed 0. The same code as on a node stages, merges and expires.
#[derive(Clone)]
pub struct Sandbox {
    inner: Arc<Mutex<Inner>>,
    account: Arc<str>,
}

struct Inner {
    service: Service,
    rows: Memory,
    now: Time,
    calls: u64,
}

impl Sandbox {
    pub fn new(service: Service) -> Sandbox {
        let inner = Inner { service, rows: Memory::default(), now: wire::Rfc3339(0), calls: 0 };
        Sandbox { inner: Arc::new(Mutex::new(inner)), account: "local".into() }
    }

    /// The same rows and clock, as another account sees them.
    pub fn account(&self, account: &str) -> Sandbox {
        Sandbox { inner: self.inner.clone(), account: account.into() }
    }

    /// Moves the clock on.
    pub fn advance(&self, by: Duration) {
        self.lock().now.0 += i64::try_from(by.as_nanos()).expect("a test lasts less than 292 years");
    }

    /// Calls any endpoint but a stream.
    pub fn call<R: Request>(&self, request: R) -> Result<R::Response> {
        let reply = self.call_raw(R::ENDPOINT, encode(&request)?.into())?;
        decode(&reply)
    }

    /// Reads a stream to its end.
    pub fn items<R: Request>(&self, request: R) -> Result<Vec<R::Response>> {
        let run = self.lock().service.run(R::ENDPOINT).cloned();
        let Some((_, Run::Stream(run))) = run else { panic!("{} is no stream of this service", R::ENDPOINT) };
        let (out, mut items) = tokio::sync::mpsc::channel(1);
        let running = run(self.cx(), encode(&request)?.into(), out);
        let reading = async {
            let mut all = vec![];
            while let Some(item) = items.recv().await {
                all.push(decode(&item?)?);
            }
            Ok(all)
        };
        let (ran, read) = futures::executor::block_on(async { futures::join!(running, reading) });
        ran.map_err(|e| e.at(&Endpoint::of::<R>().id()))?;
        read
    }

    /// Removes due rows, as the runtime does now and then; nobody may notice.
    pub fn sweep(&self) -> Result<()> {
        let mut inner = self.lock();
        let ops = expiry::sweep(&inner.rows, inner.service.name(), inner.now.0, usize::MAX)?;
        inner.rows.apply(ops);
        Ok(())
    }

    /// How many rows there are, index rows included: to see that nothing is left behind.
    pub fn row_count(&self) -> usize {
        self.lock().rows.0.len()
    }

    /// Runs the service's examples in order and compares each answer whole.
    pub fn check_examples(service: Service) {
        let sandbox = Sandbox::new(service.clone());
        for example in service.examples() {
            let (endpoint, run) = service.run(example.endpoint).expect("an example calls an endpoint of its service");
            let reply = match run {
                Run::Stream(_) => panic!("{}: examples of streams are not run yet", example.title),
                _ => sandbox.call_raw(endpoint.name, example.body.clone().into()),
            };
            let reply = reply.unwrap_or_else(|e| panic!("{}: {e}", example.title));
            let shown = (endpoint.response_to_json)(&reply).expect("a response is plain data");
            assert_eq!(shown, example.response, "{}", example.title);
        }
    }

    fn call_raw(&self, endpoint: &str, body: Bytes) -> Result<Bytes> {
        let run = self.lock().service.run(endpoint).cloned();
        let (endpoint, run) = run.ok_or_else(|| reasons::NO_SUCH_ENDPOINT.refuse(format!("no endpoint {endpoint}")))?;
        let reply = match run {
            Run::Handler(run) => futures::executor::block_on(run(self.cx(), body)),
            run => self.lock().run(&self.account, &endpoint, &run, &body),
        };
        reply.map(Bytes::from).map_err(|e| e.at(&endpoint.id()))
    }

    fn cx(&self) -> Cx {
        Cx::new(Arc::new(self.clone()))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(|broken| broken.into_inner())
    }
}

impl Caller for Sandbox {
    fn call(&self, endpoint: Endpoint, body: Bytes) -> BoxFuture<'static, Result<Bytes>> {
        let reply = self.call_raw(endpoint.name, body);
        Box::pin(async { reply })
    }
}

impl Inner {
    fn run(&mut self, account: &Arc<str>, endpoint: &Endpoint, run: &Run, body: &Bytes) -> Result<Vec<u8>> {
        self.calls += 1;
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&self.calls.to_le_bytes());
        let entity = match (endpoint.key_of)(body)? {
            Key::Entity(key) => key,
            Key::New => Tx::new(self.scope(account, ""), &self.rows, seed).new_id(),
            Key::None => String::new(),
        };
        let scope = self.scope(account, &entity);
        match run {
            Run::Command(run) => {
                let mut tx = Tx::new(scope, &self.rows, seed);
                let reply = run(&mut tx, body)?;
                let ops = Delta::into_ops(tx.into_delta());
                self.rows.apply(ops);
                Ok(reply)
            }
            Run::Query(run) => run(&View::new(scope, &self.rows), body),
            Run::Local(run) => run(body),
            Run::Gather { part, wanted, page } => {
                let (limit, cursor) = wanted(body)?;
                let after = (!cursor.is_empty()).then_some(cursor);
                let (account, service, rows, now) = (account.clone(), endpoint.service, &self.rows, self.now);
                let mut lines = part(&GatherScope { account, service, rows, now, after, limit: limit + 1, owns: &|_| true }, body)?;
                let more = lines.len() > limit;
                lines.truncate(limit);
                let cursor = lines.last().filter(|_| more).map(|line| line.entity.clone()).unwrap_or_default();
                page(lines, cursor)
            }
            Run::NotYet(why) => Err(reasons::NOT_YET.refuse(*why)),
            Run::Handler(_) | Run::Stream(_) => unreachable!("async endpoints run outside the lock"),
        }
    }

    fn scope(&self, account: &Arc<str>, entity: &str) -> Scope {
        Scope {
            account: account.clone(),
            service: self.service.name(),
            entity: entity.into(),
            now: self.now,
            tables: self.service.tables().into(),
        }
    }
}

/// Rows in a map; what the tests of the kit and of services stand on.
#[derive(Default)]
struct Memory(BTreeMap<Bytes, Bytes>);

impl Memory {
    fn apply(&mut self, ops: Vec<Op>) {
        for op in ops {
            match op {
                Op::Put { key, value } => {
                    self.0.insert(key, value);
                }
                Op::Delete { key } => {
                    self.0.remove(&key);
                }
                Op::DeleteRange { from, to } => self.0.retain(|key, _| *key < from || *key >= to),
            }
        }
    }
}

impl Rows for Memory {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>> {
        Ok(self.0.get(key).cloned())
    }

    fn scan(&self, from: &[u8], to: &[u8], order: Order, limit: usize) -> Result<Vec<(Bytes, Bytes)>> {
        let rows = self.0.range::<[u8], _>((Bound::Included(from), Bound::Excluded(to))).map(|(k, v)| (k.clone(), v.clone()));
        Ok(match order {
            Order::Ascending => rows.take(limit).collect(),
            Order::Descending => rows.rev().take(limit).collect(),
        })
    }
}
