//! The rules. In order: the request's own fields, the idempotency key, the wallet, its balance.

use super::api::*;
use super::rows::{Entry, HIDDEN, KEYS, Replied, SHOWN, WALLET, Wallet, find};
use sdk::{Limit, prelude::*};
use std::time::Duration;

/// How long a reply is kept under its idempotency key.
const KEY_KEPT: Duration = Duration::from_secs(7 * 86_400);

pub fn create(tx: &mut Tx, req: CreateRequest) -> Result<CreateResponse> {
    check_bytes("id", &req.id, ID_BYTES_MAX)?;
    check_chars("name", &req.name, NAME_CHARS_MAX)?;
    check_chars("description", &req.description, DESCRIPTION_CHARS_MAX)?;
    if find(tx)?.is_some() {
        return Err(ALREADY_EXISTS.because("already exists"));
    }
    let wallet = Wallet { name: req.name, description: req.description, balance: 0, entries: 0 };
    tx.put(&WALLET, &wallet)?;
    Ok(CreateResponse { account: wallet.account(tx.key()) })
}

pub fn read(view: &View, _: ReadRequest) -> Result<ReadResponse> {
    let wallet = find(view)?.ok_or_else(unknown)?;
    Ok(ReadResponse { account: wallet.account(view.key()) })
}

pub fn balance(view: &View, _: BalanceRequest) -> Result<BalanceResponse> {
    Ok(BalanceResponse { balance: find(view)?.map_or(0, |wallet| wallet.balance) })
}

pub fn credit(tx: &mut Tx, req: CreditRequest) -> Result<CreditResponse> {
    let CreditRequest { amount, reference, visible, idempotency_key, .. } = req;
    let balance = change(tx, "credit", Change { amount, reference, visible, idempotency_key }, |held| {
        held.checked_add(amount).map(|balance| (balance, amount)).ok_or_else(invalid_amount)
    })?;
    Ok(CreditResponse { balance })
}

pub fn debit(tx: &mut Tx, req: DebitRequest) -> Result<DebitResponse> {
    let DebitRequest { amount, reference, visible, idempotency_key, .. } = req;
    let balance = change(tx, "debit", Change { amount, reference, visible, idempotency_key }, |held| {
        let left = held.checked_sub(amount).filter(|left| *left >= 0);
        left.map(|balance| (balance, -amount)).ok_or_else(|| INSUFFICIENT_CREDIT.because("insufficient credit"))
    })?;
    Ok(DebitResponse { balance })
}

pub fn transactions(view: &View, req: TransactionsRequest) -> Result<TransactionsResponse> {
    let (entries, cursor) = view.scan(&SHOWN).page(Limit { default: 100, max: 1000 }, req.limit, &req.cursor)?;
    Ok(TransactionsResponse { transactions: entries.into_iter().map(|(_, entry)| entry.into()).collect(), cursor })
}

/// Every wallet; `default` whether or not it has a row.
pub fn list() -> Listing<ListRequest, Wallet> {
    Listing::of(&WALLET, |id, wallet: Wallet, _| Some(wallet.account(id))).implicit(DEFAULT_ID)
}

/// Idempotency keys stay: a late repetition must not credit the wallet's successor.
pub fn delete(tx: &mut Tx, req: DeleteRequest) -> Result<DeleteResponse> {
    if req.id.is_empty() {
        return Err(MISSING_ID.because("Missing wallet id"));
    }
    if tx.get(&WALLET)?.is_some() {
        tx.delete(&WALLET)?;
        tx.delete_table(&SHOWN);
        tx.delete_table(&HIDDEN);
    }
    Ok(DeleteResponse {})
}

/// What a credit and a debit have in common.
struct Change {
    amount: i64,
    reference: String,
    visible: bool,
    idempotency_key: String,
}

/// Balance, transaction and idempotency key in one commit. `step` tells, from the balance held, the one after and the
/// signed amount.
fn change(tx: &mut Tx, operation: &str, change: Change, step: impl Fn(i64) -> Result<(i64, i64)>) -> Result<i64> {
    let Change { amount, reference, visible, idempotency_key } = change;
    if reference.is_empty() {
        return Err(MISSING_REFERENCE.because("Missing reference"));
    }
    if amount < 1 {
        return Err(invalid_amount());
    }
    check_chars("reference", &reference, REFERENCE_CHARS_MAX)?;
    check_bytes("idempotency_key", &idempotency_key, IDEMPOTENCY_KEY_BYTES_MAX)?;
    let key = (operation.to_string(), idempotency_key);
    if let Some(before) = tx.get_at(&KEYS, &key)? {
        let same = before.amount == amount && before.reference == reference;
        return if same { Ok(before.balance) } else { Err(KEY_REUSED.because("key reused")) };
    }

    let mut wallet = find(tx)?.ok_or_else(unknown)?;
    let (balance, signed) = step(wallet.balance)?;
    let entry = Entry {
        id: tx.new_id(),
        created: tx.now(),
        amount: signed,
        reference: reference.clone(),
        metadata: Default::default(),
    };
    tx.put_at(if visible { &SHOWN } else { &HIDDEN }, &wallet.entries, &entry)?;
    wallet.balance = balance;
    wallet.entries += 1;
    tx.put(&WALLET, &wallet)?;
    if !key.1.is_empty() {
        let due = tx.now().plus(KEY_KEPT);
        tx.put_at_until(&KEYS, &key, &Replied { amount, reference, balance }, due)?;
    }
    Ok(balance)
}

fn unknown() -> Error {
    INVALID_ACCOUNT.because("invalid account")
}

fn invalid_amount() -> Error {
    INVALID_AMOUNT.because("invalid amount")
}

fn check_chars(field: &str, text: &str, max: usize) -> Result<()> {
    let chars = text.chars().count();
    if chars > max {
        return Err(TOO_LONG.because(format!("{field} must be at most {max} characters, it has {chars}")));
    }
    Ok(())
}

fn check_bytes(field: &str, text: &str, max: usize) -> Result<()> {
    if text.len() > max {
        return Err(TOO_LONG.because(format!("{field} must be at most {max} bytes, it has {}", text.len())));
    }
    Ok(())
}
