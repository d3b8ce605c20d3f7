//! A service alone in memory: what its rules are tested on, in microseconds.

mod machine;
mod memory;

use crate::cx::Caller;
use crate::listing::merge;
use crate::runtime::{Delta, GatherScope, Run, Scope, Stamps, expiry};
use crate::{Cx, Example, Here, Key, Request, Result, Service, Time, Tx, View};
use bytes::Bytes;
use futures::future::BoxFuture;
pub(crate) use memory::Memory;
use rand::SeedableRng;
use rand::rngs::StdRng;
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
    random: StdRng,
    stamps: Stamps,
}

impl Sandbox {
    /// No rows yet; calls are those of the account `local`.
    pub fn new(service: Service) -> Sandbox {
        let inner = Inner {
            service,
            rows: Memory::default(),
            now: wire::Rfc3339(0),
            calls: 0,
            random: StdRng::from_seed([0; 32]),
            stamps: Stamps::default(),
        };
        Sandbox { inner: Arc::new(Mutex::new(inner)), account: "local".into() }
    }

    /// The same rows and clock, as another account sees them.
    pub fn account(&self, account: &str) -> Sandbox {
        Sandbox { inner: self.inner.clone(), account: account.into() }
    }

    /// Moves the clock on.
    pub fn advance(&self, by: Duration) {
        let mut inner = self.lock();
        inner.now = inner.now.plus(by);
    }

    /// Calls any endpoint but a stream. Limits of fields are enforced as at a door.
    pub fn call<R: Request>(&self, request: R) -> Result<R::Response> {
        let reply = self.call_raw(R::ENDPOINT, encode(&request)?.into())?;
        decode(&reply)
    }

    /// Reads a stream to its end.
    pub fn items<R: Request>(&self, request: R) -> Result<Vec<R::Response>> {
        self.first_items(request, usize::MAX)
    }

    /// Reads up to `limit` items of a stream, then leaves; the stream has to notice, or this never returns.
    pub fn first_items<R: Request>(&self, request: R, limit: usize) -> Result<Vec<R::Response>> {
        let items = self.items_raw(R::ENDPOINT, encode(&request)?.into(), limit)?;
        items.iter().map(|item| decode(item)).collect()
    }

    /// What a query of this entity would see, for tests that look at rows.
    pub fn view<T>(&self, entity: &str, look: impl FnOnce(&View) -> T) -> T {
        let inner = self.lock();
        look(&View::new(inner.scope(&self.account, entity), &inner.rows))
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
        self.lock().rows.len()
    }

    /// Every row as it is stored, `key value` in hex: for goldens, so that a changed layout is noticed.
    pub fn dump(&self) -> Vec<String> {
        let hex = |bytes: &Bytes| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        self.lock().rows.iter().map(|(key, value)| format!("{} {}", hex(key), hex(value))).collect()
    }

    /// Runs the service's examples in order and compares each answer whole.
    pub fn check_examples(service: Service) {
        let sandbox = Sandbox::new(service.clone());
        for example in service.examples() {
            let shown = sandbox.show(&service, example).unwrap_or_else(|e| panic!("{}: {e}", example.title));
            assert_eq!(shown, example.response, "{}", example.title);
        }
    }

    fn show(&self, service: &Service, example: &Example) -> Result<serde_json::Value> {
        let (endpoint, run) = service.run(example.endpoint).expect("an example calls an endpoint of its service");
        let body = Bytes::from(example.body.clone());
        if let Run::Stream(_) = run {
            let items = self.items_raw(endpoint.name, body, usize::MAX)?;
            return items.iter().map(|item| (endpoint.response_to_json)(item)).collect();
        }
        (endpoint.response_to_json)(&self.call_raw(endpoint.name, body)?)
    }

    fn call_raw(&self, endpoint: &str, body: Bytes) -> Result<Bytes> {
        let (endpoint, run) = self.find(endpoint)?;
        endpoint.check(&body).map_err(|e| e.at(&endpoint.id()))?;
        let reply = match run {
            Run::Handler(run) => futures::executor::block_on(run(self.cx(), body)),
            Run::Local(run) => run(&self.here(), &body),
            Run::Stream(_) => panic!("{} is a stream: read its items", endpoint.name),
            run => self.lock().run(&self.account, &endpoint, &run, &body),
        };
        reply.map(Bytes::from).map_err(|e| self.listed(&endpoint, e).at(&endpoint.id()))
    }

    /// The docs promise that [`Service::refuses`] is the whole list.
    fn listed(&self, endpoint: &Endpoint, error: crate::Error) -> crate::Error {
        let listed = self.lock().service.refusals(endpoint.name);
        let is_listed = listed.is_none_or(|reasons| reasons.iter().any(|reason| error.is(reason)));
        assert!(
            is_listed || !error.is_refusal(),
            "{} refuses with {}, which its .refuses() does not list",
            endpoint.id(),
            error.reason
        );
        error
    }

    fn items_raw(&self, endpoint: &str, body: Bytes, limit: usize) -> Result<Vec<Bytes>> {
        let (endpoint, run) = self.find(endpoint)?;
        let Run::Stream(run) = run else { panic!("{} is no stream", endpoint.name) };
        endpoint.check(&body).map_err(|e| e.at(&endpoint.id()))?;
        let (out, mut items) = tokio::sync::mpsc::channel(1);
        let running = run(self.cx(), body, out);
        let reading = async move {
            let mut all = vec![];
            while all.len() < limit
                && let Some(item) = items.recv().await
            {
                all.push(item?);
            }
            Ok(all)
        };
        let (ran, read) = futures::executor::block_on(async { futures::join!(running, reading) });
        ran.and(read).map_err(|e| self.listed(&endpoint, e).at(&endpoint.id()))
    }

    fn find(&self, endpoint: &str) -> Result<(Endpoint, Run)> {
        let found = self.lock().service.run(endpoint).cloned();
        found.ok_or_else(|| reasons::NO_SUCH_ENDPOINT.refuse(format!("no endpoint {endpoint}")))
    }

    fn cx(&self) -> Cx {
        Cx::new(Arc::new(self.clone()), self.here())
    }

    fn here(&self) -> Here {
        Here::new(Arc::new(self.clone()))
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
            Run::Gather { part, wanted, page, .. } => {
                let (limit, cursor) = wanted(body)?;
                let after = GatherScope::behind(&cursor)?;
                let (account, service, rows, now) = (account.clone(), endpoint.service, &self.rows, self.now);
                let scope = GatherScope { account, service, rows, now, after, limit: limit + 1, owns: &|_| true };
                let (lines, cursor) = merge(vec![part(&scope, body)?], limit);
                page(lines, cursor)
            }
            Run::NotYet(why) => Err(reasons::NOT_YET.refuse(*why)),
            Run::Local(_) | Run::Handler(_) | Run::Stream(_) => unreachable!("these run outside the lock"),
        }
    }

    fn scope(&self, account: &Arc<str>, entity: &str) -> Scope {
        Scope {
            account: account.clone(),
            service: self.service.name(),
            entity: entity.into(),
            now: self.now,
            key: [7; 32],
            tables: self.service.tables().into(),
        }
    }
}
