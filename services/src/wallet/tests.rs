//! The rules in a table, then what no table can say: pages, idempotency, isolation, layouts, and money that adds up.

mod history;
mod holds;
mod model;
mod repeats;
mod rules;

use super::rows::{Entry, HIDDEN, SHOWN};
use super::*;
use sdk::{Read, Result, Sandbox};

fn wallets() -> Sandbox {
    Sandbox::new(service())
}

fn create(on: &Sandbox, id: &str) -> Result<Account> {
    overdrawn(on, id, 0)
}

fn overdrawn(on: &Sandbox, id: &str, overdraft_limit: i64) -> Result<Account> {
    let (id, name, description) = (id.into(), "n".into(), "d".into());
    on.call(CreateRequest { id, name, description, overdraft_limit, ..Default::default() }).map(|r| r.account)
}

fn credit(on: &Sandbox, id: &str, amount: i64) -> Result<i64> {
    keyed_credit(on, id, amount, "in", "")
}

fn debit(on: &Sandbox, id: &str, amount: i64) -> Result<i64> {
    keyed_debit(on, id, amount, "out", "")
}

fn keyed_credit(on: &Sandbox, id: &str, amount: i64, reference: &str, key: &str) -> Result<i64> {
    let (id, reference, idempotency_key) = (id.into(), reference.into(), key.into());
    on.call(CreditRequest { id, amount, reference, visible: true, idempotency_key, ..Default::default() })
        .map(|r| r.balance)
}

fn keyed_debit(on: &Sandbox, id: &str, amount: i64, reference: &str, key: &str) -> Result<i64> {
    let (id, reference, idempotency_key) = (id.into(), reference.into(), key.into());
    on.call(DebitRequest { id, amount, reference, visible: false, idempotency_key, ..Default::default() })
        .map(|r| r.balance)
}

fn delete(on: &Sandbox, id: &str) -> Result<()> {
    on.call(DeleteRequest { id: id.into() }).map(|_| ())
}

fn balance(on: &Sandbox, id: &str) -> i64 {
    on.call(BalanceRequest { id: id.into() }).unwrap().balance
}

/// Ids and balances, in order.
fn list(on: &Sandbox) -> Vec<(String, i64)> {
    let page = on.call(ListRequest { limit: 1000, ..Default::default() }).unwrap();
    assert_eq!(page.cursor, "");
    page.accounts.into_iter().map(|account| (account.id, account.balance)).collect()
}

/// Amounts of the visible transactions, oldest first.
fn history(on: &Sandbox, id: &str) -> Vec<i64> {
    let page = on.call(TransactionsRequest { id: id.into(), limit: 1000, ..Default::default() }).unwrap();
    page.transactions.into_iter().map(|transaction| transaction.amount).collect()
}

/// Every entry of a wallet, hidden ones too, in the order of commits. Numbers are dense.
fn entries(on: &Sandbox, id: &str) -> Vec<Entry> {
    on.view(id, |view| {
        let mut all = view.scan(&SHOWN).take(usize::MAX).unwrap();
        all.extend(view.scan(&HIDDEN).take(usize::MAX).unwrap());
        all.sort_by_key(|(number, _)| *number);
        assert!(all.iter().map(|(number, _)| *number).eq(0..all.len() as u64), "numbers of {id} are not dense");
        all.into_iter().map(|(_, entry)| entry).collect()
    })
}

/// The invariant: replay all rows of a wallet and get its balance, never less than its overdraft on the way; and what is
/// held is what its holds say.
#[track_caller]
fn adds_up(on: &Sandbox, id: &str) {
    let told = on.call(ReadRequest { id: id.into() }).unwrap();
    let (mut sum, mut credited) = (0_i64, 0_u128);
    for entry in entries(on, id) {
        sum = sum.checked_add(entry.amount).expect("a sum stays within i64");
        credited += u128::try_from(entry.amount).unwrap_or(0);
        assert!(sum >= -told.account.overdraft_limit, "{id} was overdrawn");
        assert_eq!((entry.balance, entry.credited), (sum, credited), "the sums in an entry of {id}");
    }
    assert_eq!(sum, balance(on, id), "entries of {id} against its balance");
    let holds = on.call(HoldsRequest { id: id.into() }).unwrap().holds;
    assert_eq!(told.held, holds.iter().map(|hold| hold.amount).sum::<i64>(), "holds of {id}");
    assert_eq!(told.available, sum + told.account.overdraft_limit - told.held);
    assert!(told.available >= 0, "more is held than there is");
}
