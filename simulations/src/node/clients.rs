//! Clients: whom they are, what they ask next, and under which id.

use super::calls::{Call, Kind};
use super::world::{Event, World};
use std::collections::BTreeSet;
use std::sync::Arc;
use wire::rpc::RequestId;

/// How a client names its calls.
#[derive(Clone, Debug)]
pub enum Style {
    /// As the Rust client: dense numbers, and the lowest it still waits for.
    Session { client: u128, next: u64, waits: BTreeSet<u64> },
    /// As one that sends `Idempotency-Key`.
    Caller { next: u64 },
    /// No id: never asked again.
    Bare,
}

pub struct Client {
    pub account: Arc<str>,
    pub style: Style,
    pub open: u64,
    /// Its own cache key is being changed.
    pub own_busy: bool,
    /// It asks no more.
    pub resting: bool,
}

pub const ACCOUNTS: [&str; 2] = ["alice", "alic"];

impl Style {
    fn next_id(&mut self, client: usize) -> RequestId {
        match self {
            Style::Session { client, next, waits } => {
                let n = *next;
                *next += 1;
                waits.insert(n);
                RequestId::Session { client: *client, n, low: *waits.first().unwrap_or(&n) }
            }
            Style::Caller { next } => {
                *next += 1;
                RequestId::Caller(format!("k{client}-{next}"))
            }
            Style::Bare => RequestId::None,
        }
    }

    /// The id as it travels now.
    pub fn renewed(&self, id: &RequestId) -> RequestId {
        match (self, id) {
            (Style::Session { waits, .. }, RequestId::Session { client, n, low }) => {
                RequestId::Session { client: *client, n: *n, low: waits.first().copied().unwrap_or(*low).min(*n) }
            }
            _ => id.clone(),
        }
    }

    pub fn forget(&mut self, id: &RequestId) {
        if let (Style::Session { waits, .. }, RequestId::Session { n, .. }) = (self, id) {
            waits.remove(n);
        }
    }

    /// The client still waits for the call.
    pub fn waits_for(&self, id: &RequestId) -> bool {
        match (self, id) {
            (Style::Session { waits, .. }, RequestId::Session { n, .. }) => waits.contains(n),
            _ => true,
        }
    }
}

impl World {
    pub(super) fn start_clients(&mut self) {
        for number in 0..self.plan.clients {
            let style = match self.rng.below(8) {
                0..4 => Style::Session { client: number as u128 + 1, next: 1, waits: BTreeSet::new() },
                4..7 => Style::Caller { next: 0 },
                _ => Style::Bare,
            };
            let account = ACCOUNTS[self.rng.below(2) as usize].into();
            self.add_client(account, style);
            self.at(1, Event::Client(number));
        }
    }

    pub fn add_client(&mut self, account: Arc<str>, style: Style) -> usize {
        self.clients.push(Client { account, style, open: 0, own_busy: false, resting: false });
        self.clients.len() - 1
    }

    pub(super) fn client_step(&mut self, number: usize) -> Result<(), String> {
        if self.clients[number].resting {
            return Ok(());
        }
        if self.clients[number].open < self.plan.pipeline {
            let (kind, entity) = self.next_call(number);
            self.issue(number, kind, entity.into());
        }
        let think = self.delay(self.plan.think_us);
        self.at(think.max(1), Event::Client(number));
        Ok(())
    }

    fn next_call(&mut self, number: usize) -> (Kind, String) {
        let bare = matches!(self.clients[number].style, Style::Bare);
        let entity = format!("e{}", self.rng.below(3));
        // Counters and own keys are judged whole, so whoever changes them asks until it knows.
        match self.rng.below(if bare { 70 } else { 100 }) {
            0..18 => (Kind::Append, entity),
            18..24 => (Kind::Refuse, entity),
            24..27 => (Kind::Explode, format!("x{}", self.rng.below(2))),
            27..31 => (self.filling(), entity),
            31..38 => (Kind::Lend { ttl_ms: self.rng.between(1, 3000) }, entity),
            38..44 => (Kind::Peek, entity),
            44..52 => (Kind::Look, entity),
            52..61 => (Kind::Credit { amount: self.rng.between(1, 20) as i64 }, self.wallet()),
            61..68 => (Kind::Debit { amount: self.rng.between(1, 30) as i64 }, self.wallet()),
            68..70 => (Kind::Balance, self.wallet()),
            70..72 => (Kind::Create, "w1".into()),
            72..84 => (Kind::Count { by: self.rng.between(0, 9) as i64 }, entity),
            84..87 => (Kind::CountBack { by: self.rng.between(1, 9) as i64 }, entity),
            87..90 => (Kind::ReadCount, entity),
            _ => self.own_key(number),
        }
    }

    fn filling(&mut self) -> Kind {
        let bytes = if self.rng.chance(100) { 20_000 } else { 200 };
        Kind::Fill { rows: self.rng.between(1, 12) as u32, bytes: self.rng.between(1, bytes) as u32 }
    }

    fn wallet(&mut self) -> String {
        if self.rng.chance(500) { "default".into() } else { "w1".into() }
    }

    /// A key nobody else touches, so that every answer is known beforehand.
    fn own_key(&mut self, number: usize) -> (Kind, String) {
        let key = format!("own{number}");
        if self.clients[number].own_busy {
            return (Kind::Peek, "e0".into());
        }
        self.clients[number].own_busy = true;
        let kind = match self.rng.below(10) {
            0..4 => Kind::Set { ttl: self.rng.between(0, 3) as i64 },
            4 => Kind::Delete,
            _ => Kind::Get,
        };
        (kind, key)
    }

    /// A new call begins; returns its number.
    pub fn issue(&mut self, number: usize, kind: Kind, entity: Arc<str>) -> usize {
        let token = self.calls.len() as u64 + 1;
        let (endpoint, body) = kind.request(&entity, token);
        let client = &mut self.clients[number];
        client.open += 1;
        let request_id = if kind.is_query() { RequestId::None } else { client.style.next_id(number) };
        let account = client.account.clone();
        let floor = self.checkers.floor(&account, &entity, &kind);
        let clock_low = if self.life.is_some() { self.moment().time.0 } else { i64::MAX };
        let call = Call {
            token,
            client: number,
            account,
            entity,
            kind,
            endpoint,
            body,
            request_id,
            issued_at: self.now,
            done_at: None,
            floor,
            clock_low,
            open: 0,
            unsure: false,
            done: None,
            reply: None,
        };
        self.trace.line(self.now, format_args!("{} issued as {:?}", call.names(), call.request_id));
        self.counts.calls += 1;
        self.calls.push(call);
        self.at(0, Event::Send(token as usize - 1));
        token as usize - 1
    }
}
