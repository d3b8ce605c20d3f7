//! The rules. In order: the idempotency key, the wallet, the hold, what is available. (The request's own fields come first:
//! their limits are the doors' to enforce.)

use super::api::*;
use super::rows::*;
use sdk::prelude::*;
use std::collections::BTreeMap;
use std::time::Duration;

/// How long a reply is kept under its idempotency key.
const KEY_KEPT: Duration = Duration::from_secs(7 * 86_400);

pub fn create(tx: &mut Tx, req: CreateRequest) -> Result<CreateResponse> {
    if find(tx)?.is_some() {
        return Err(ALREADY_EXISTS.because("already exists"));
    }
    let wallet = Wallet::new(req.name, req.description, req.currency, req.overdraft_limit);
    tx.put(&WALLET, &wallet)?;
    Ok(CreateResponse { account: wallet.account(tx.key()) })
}

pub fn read(view: &View, _: ReadRequest) -> Result<ReadResponse> {
    let wallet = find(view)?.ok_or_else(unknown)?;
    let held = held(view, &wallet)?;
    let available = wallet.available(held);
    Ok(ReadResponse { account: wallet.account(view.key()), held, available })
}

pub fn balance(view: &View, _: BalanceRequest) -> Result<BalanceResponse> {
    let Some(wallet) = find(view)? else { return Ok(BalanceResponse::default()) };
    let held = held(view, &wallet)?;
    Ok(BalanceResponse { balance: wallet.balance, held, available: wallet.available(held) })
}

pub fn credit(tx: &mut Tx, req: CreditRequest) -> Result<CreditResponse> {
    let CreditRequest { amount, reference, visible, idempotency_key, metadata, .. } = req;
    let asked = Asked { amount, reference: reference.clone(), metadata: metadata.clone(), ttl: 0 };
    let answer = once(tx, "credit", idempotency_key, asked, |tx| {
        let mut wallet = find(tx)?.ok_or_else(unknown)?;
        let most = i64::MAX - wallet.overdraft_limit;
        if wallet.balance.checked_add(amount).is_none_or(|balance| balance > most) {
            return Err(invalid_amount());
        }
        enter(tx, &mut wallet, Change { amount, reference, visible, metadata })
    })?;
    Ok(CreditResponse { balance: answer.amount })
}

pub fn debit(tx: &mut Tx, req: DebitRequest) -> Result<DebitResponse> {
    let DebitRequest { amount, reference, visible, idempotency_key, metadata, .. } = req;
    let asked = Asked { amount, reference: reference.clone(), metadata: metadata.clone(), ttl: 0 };
    let answer = once(tx, "debit", idempotency_key, asked, |tx| {
        let mut wallet = find(tx)?.ok_or_else(unknown)?;
        if amount > wallet.available(held(tx, &wallet)?) {
            return Err(insufficient());
        }
        enter(tx, &mut wallet, Change { amount: -amount, reference, visible, metadata })
    })?;
    Ok(DebitResponse { balance: answer.amount })
}

/// Every wallet; `default` whether or not it has a row.
pub fn list() -> Listing<ListRequest, Wallet> {
    Listing::of(&WALLET, |id, wallet: Wallet, _| Some(wallet.account(id))).implicit(DEFAULT_ID)
}

/// Idempotency keys stay: a late repetition must not credit the wallet's successor.
pub fn delete(tx: &mut Tx, _: DeleteRequest) -> Result<DeleteResponse> {
    if let Some(wallet) = tx.get(&WALLET)? {
        if !open_holds(tx, &wallet)?.is_empty() {
            return Err(HAS_HOLDS.because("there are open holds: capture or void them first"));
        }
        tx.delete(&WALLET)?;
        tx.delete_table(&SHOWN);
        tx.delete_table(&HIDDEN);
        tx.delete_table(&HOLDS);
    }
    Ok(DeleteResponse {})
}

/// Runs it, or answers as it did under the same key before.
pub fn once(
    tx: &mut Tx,
    operation: &str,
    key: String,
    asked: Asked,
    run: impl FnOnce(&mut Tx) -> Result<Answer>,
) -> Result<Answer> {
    let key = (operation.to_string(), key);
    if let Some(before) = tx.get_at(&KEYS, &key)? {
        return if before.asked == asked { Ok(before.answer) } else { Err(KEY_REUSED.because("key reused")) };
    }
    let answer = run(tx)?;
    if !key.1.is_empty() {
        let due = tx.now().plus(KEY_KEPT);
        tx.put_at_until(&KEYS, &key, &Replied { asked, answer: answer.clone() }, due)?;
    }
    Ok(answer)
}

/// A transaction to be.
pub struct Change {
    /// Signed; it was looked at whether the wallet can bear it.
    pub amount: i64,
    pub reference: String,
    pub visible: bool,
    pub metadata: BTreeMap<String, String>,
}

/// The balance and its transaction, in one commit.
pub fn enter(tx: &mut Tx, wallet: &mut Wallet, change: Change) -> Result<Answer> {
    let Change { amount, reference, visible, metadata } = change;
    wallet.balance += amount;
    wallet.credited += u128::try_from(amount).unwrap_or(0);
    let (balance, credited) = (wallet.balance, wallet.credited);
    let entry = Entry { id: tx.new_id(), created: tx.now(), amount, reference, metadata, balance, credited };
    tx.put_at(if visible { &SHOWN } else { &HIDDEN }, &wallet.entries, &entry)?;
    wallet.entries += 1;
    tx.put(&WALLET, wallet)?;
    Ok(Answer { amount: balance, hold: None })
}

pub fn unknown() -> Error {
    INVALID_ACCOUNT.because("invalid account")
}

pub fn invalid_amount() -> Error {
    INVALID_AMOUNT.because("invalid amount")
}

pub fn insufficient() -> Error {
    INSUFFICIENT_CREDIT.because("insufficient credit")
}
