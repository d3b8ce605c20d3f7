//! What a wallet holds.

use super::api::{Account, DEFAULT_ID, Transaction};
use sdk::prelude::*;
use std::collections::BTreeMap;

/// The wallet itself.
pub static WALLET: Row<Wallet> = Row::new("wallet");
/// Its transactions by number. Numbers are dense and shared by both tables, so together they are the order of commits;
/// apart, a page of the visible ones reads nothing else.
pub static SHOWN: Table<u64, Entry> = Table::new("shown");
/// Those kept for audit only.
pub static HIDDEN: Table<u64, Entry> = Table::new("hidden");
/// Replies under the caller's idempotency keys: operation, key.
pub static KEYS: Table<(String, String), Replied> = Table::new("keys").expiring();

/// Name, balance and how many transactions there have been.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wallet {
    pub name: String,
    pub description: String,
    /// Never below 0: the sum of all entries.
    pub balance: i64,
    /// Number of the next entry.
    pub entries: u64,
}

/// The wallet that exists without a row.
impl Default for Wallet {
    fn default() -> Wallet {
        Wallet { name: "Default account".into(), description: String::new(), balance: 0, entries: 0 }
    }
}

impl Wallet {
    pub fn account(self, id: &str) -> Account {
        Account { id: id.to_string(), name: self.name, description: self.description, balance: self.balance }
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
}

impl From<Entry> for Transaction {
    fn from(entry: Entry) -> Transaction {
        let Entry { id, created, amount, reference, metadata } = entry;
        Transaction { id, created, amount, reference, metadata }
    }
}

/// What was asked under an idempotency key, and the answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replied {
    pub amount: i64,
    pub reference: String,
    pub balance: i64,
}

/// The wallet this call is about, if there is one; `default` always is.
pub fn find(rows: &impl Read) -> Result<Option<Wallet>> {
    let stored = rows.get(&WALLET)?;
    Ok(stored.or_else(|| (rows.key() == DEFAULT_ID).then(Wallet::default)))
}
