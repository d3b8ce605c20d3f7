//! Sessions of Rust clients: which of their kept replies lie here, and when they may go.
//!
//! A client numbers its calls 1, 2, 3 … and says with each the lowest it still waits for. Rows below go with the next
//! entry; a session idle for ten minutes goes whole. What is in memory is only an index of the rows: a new view loads it.

use super::kept;
use sdk::runtime::{Op, Order, Rows, keys, value::Value};
use sdk::{Error, Time};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

const IDLE_NS: i64 = 10 * 60 * 1_000_000_000;
/// The most sessions a shard remembers; a new client beyond them is refused.
const SESSIONS_MAX: usize = 65_536;

#[derive(Default)]
pub(super) struct Sessions {
    sessions: BTreeMap<(Arc<str>, u128), Session>,
}

struct Session {
    low: u64,
    rows: BTreeSet<u64>,
    used: Time,
}

/// What a session says about a call's number.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Place {
    Fine,
    /// Below what the client said it waits for: a late copy of a call that was answered.
    Answered,
    /// No room for another client.
    Full,
}

impl Sessions {
    /// Reads the index back from the rows; all count as used `now`.
    pub(super) fn load(rows: &dyn Rows, service: &str, now: Time) -> Result<Sessions, Error> {
        let mut sessions = Sessions::default();
        let mut from = kept::session_prefix(service);
        let to = keys::successor(&from);
        loop {
            let page = rows.scan(&from, &to, Order::Ascending, 512)?;
            let Some((last, _)) = page.last() else { return Ok(sessions) };
            from = [last, &[0][..]].concat();
            for (key, bytes) in page {
                let Some((account, client, n)) = kept::parse_session_key(service, &key) else { continue };
                let low = kept::decode(&Value::decode("~session", bytes)?.payload)?.low;
                sessions.insert(account.into(), client, n, low, now);
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.sessions.is_empty()
    }

    pub(super) fn place(&self, account: &Arc<str>, client: u128, n: u64) -> Place {
        match self.sessions.get(&(account.clone(), client)) {
            Some(session) if n < session.low => Place::Answered,
            None if self.sessions.len() >= SESSIONS_MAX => Place::Full,
            _ => Place::Fine,
        }
    }

    /// Is there a row for `n`, staged or committed? Certain: a view begins with all there are, and none comes or goes unseen.
    pub(super) fn holds(&self, account: &Arc<str>, client: u128, n: u64) -> bool {
        self.sessions.get(&(account.clone(), client)).is_some_and(|session| session.rows.contains(&n))
    }

    /// A row for `n` is being written: returns the numbers whose rows may go with it.
    pub(super) fn insert(&mut self, account: Arc<str>, client: u128, n: u64, low: u64, now: Time) -> BTreeSet<u64> {
        let session = self.sessions.entry((account, client)).or_insert_with(|| Session {
            low: 0,
            rows: BTreeSet::new(),
            used: now,
        });
        session.used = now;
        session.rows.insert(n);
        session.low = session.low.max(low);
        let kept = session.rows.split_off(&session.low);
        std::mem::replace(&mut session.rows, kept)
    }

    /// Effects that forget sessions idle for too long: up to `rows_max` of their rows, the rest another time (P15).
    pub(super) fn sweep(&mut self, service: &str, now: Time, rows_max: usize) -> Vec<Op> {
        let mut ops = Vec::new();
        self.sessions.retain(|(account, client), session| {
            if now.0 - session.used.0 < IDLE_NS {
                return true;
            }
            while ops.len() < rows_max
                && let Some(n) = session.rows.pop_first()
            {
                ops.push(Op::Delete { key: kept::session_key(service, account, *client, n) });
            }
            !session.rows.is_empty()
        });
        ops
    }
}
