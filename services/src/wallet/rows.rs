//! What a wallet holds.

use super::api::{Account, DEFAULT_ID, HOLDS_MAX, Hold, Transaction};
use sdk::prelude::*;
use std::collections::BTreeMap;

/// The wallet itself.
pub static WALLET: Row<Wallet> = Row::new("wallet");
/// Its transactions by number. Numbers are dense and shared by both tables, so together they are the order of commits;
/// apart, a page of the visible ones reads nothing else.
pub static SHOWN: Table<u64, Entry> = Table::new("shown");
/// Those kept for audit only.
pub static HIDDEN: Table<u64, Entry> = Table::new("hidden");
/// Open holds by id.
pub static HOLDS: Table<String, Held> = Table::new("holds").expiring();
/// Replies under the caller's idempotency keys: operation, key.
pub static KEYS: Table<(String, String), Replied> = Table::new("keys").expiring();

/// What it is, its balance, and how many transactions there have been.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wallet {
    pub name: String,
    pub description: String,
    pub currency: String,
    /// Balance and overdraft together stay within an int64, so whatever can be taken does.
    pub overdraft_limit: i64,
    /// The sum of all entries; never below the overdraft.
    pub balance: i64,
    /// The sum of all credits.
    pub credited: u128,
    /// Number of the next entry.
    pub entries: u64,
    /// No hold lasts longer: from then on none has to be looked for.
    pub holds_until: Time,
}

/// The wallet that exists without a row.
impl Default for Wallet {
    fn default() -> Wallet {
        Wallet::new("Default account".into(), String::new(), String::new(), 0)
    }
}

impl Wallet {
    pub fn new(name: String, description: String, currency: String, overdraft_limit: i64) -> Wallet {
        let (balance, credited, entries, holds_until) = (0, 0, 0, wire::Rfc3339(0));
        Wallet { name, description, currency, overdraft_limit, balance, credited, entries, holds_until }
    }

    pub fn account(self, id: &str) -> Account {
        let Wallet { name, description, currency, overdraft_limit, balance, .. } = self;
        Account { id: id.to_string(), name, description, balance, currency, overdraft_limit }
    }

    /// What may be taken while so much is held.
    pub fn available(&self, held: i64) -> i64 {
        // In an order in which no step leaves an int64: what is held was available once.
        self.balance + self.overdraft_limit - held
    }
}

/// A transaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub id: String,
    pub created: Time,
    /// Above 0 a credit, below 0 a debit.
    pub amount: i64,
    pub reference: String,
    pub metadata: BTreeMap<String, String>,
    /// The wallet's sums with this entry: a statement is the difference of two of them.
    pub balance: i64,
    pub credited: u128,
}

impl Entry {
    pub fn transaction(self, visible: bool) -> Transaction {
        let Entry { id, created, amount, reference, metadata, balance, .. } = self;
        Transaction { id, created, amount, reference, metadata, balance, visible }
    }
}

/// An open hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    pub amount: i64,
    pub reference: String,
    pub visible: bool,
    pub metadata: BTreeMap<String, String>,
    pub created: Time,
    pub expires: Time,
}

impl Held {
    pub fn hold(&self, id: String) -> Hold {
        let Held { amount, reference, created, expires, .. } = self.clone();
        Hold { id, amount, reference, created, expires }
    }
}

/// What was asked under an idempotency key, and the answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replied {
    pub asked: Asked,
    pub answer: Answer,
}

/// The part of a request that must be the same when its idempotency key comes again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    pub amount: i64,
    /// Of a capture: its hold.
    pub reference: String,
    pub ttl: i64,
    pub metadata: BTreeMap<String, String>,
}

/// What a call that moves or holds money answers: the balance, or what is available beside a hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    pub amount: i64,
    pub hold: Option<Hold>,
}

/// The wallet this call is about, if there is one; `default` always is.
pub fn find(rows: &impl Read) -> Result<Option<Wallet>> {
    let stored = rows.get(&WALLET)?;
    Ok(stored.or_else(|| (rows.key() == DEFAULT_ID).then(Wallet::default)))
}

/// The open holds of a wallet.
pub fn open_holds(rows: &impl Read, wallet: &Wallet) -> Result<Vec<(String, Held)>> {
    if wallet.holds_until <= rows.now() {
        return Ok(vec![]);
    }
    rows.scan(&HOLDS).take(HOLDS_MAX)
}

/// How much they hold.
pub fn held(rows: &impl Read, wallet: &Wallet) -> Result<i64> {
    Ok(open_holds(rows, wallet)?.iter().map(|(_, held)| held.amount).sum())
}
