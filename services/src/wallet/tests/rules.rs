//! One row for each error of the page, in order of precedence; then the rules one by one.

use super::holds::void;
use super::*;
use sdk::Reason;
use std::collections::BTreeMap;
use wire::error::reasons::{self, BAD_FIELD};
use wire::{Outcome, Source};

type Call = fn(&Sandbox) -> Result<()>;

fn credits(on: &Sandbox, change: impl FnOnce(&mut CreditRequest)) -> Result<()> {
    let mut request = CreditRequest { id: "w".into(), amount: 1, reference: "r".into(), ..Default::default() };
    change(&mut request);
    on.call(request).map(|_| ())
}

fn debits(on: &Sandbox, change: impl FnOnce(&mut DebitRequest)) -> Result<()> {
    let mut request = DebitRequest { id: "w".into(), amount: 1, reference: "r".into(), ..Default::default() };
    change(&mut request);
    on.call(request).map(|_| ())
}

fn authorizes(on: &Sandbox, change: impl FnOnce(&mut AuthorizeRequest)) -> Result<()> {
    let mut request = AuthorizeRequest { id: "w".into(), amount: 1, reference: "r".into(), ..Default::default() };
    change(&mut request);
    on.call(request).map(|_| ())
}

/// Of the hold there is.
fn captures(on: &Sandbox, change: impl FnOnce(&mut CaptureRequest)) -> Result<()> {
    let hold_id = on.call(HoldsRequest { id: "w".into() }).unwrap().holds[0].id.clone();
    let mut request = CaptureRequest { id: "w".into(), hold_id, ..Default::default() };
    change(&mut request);
    on.call(request).map(|_| ())
}

fn metadata(entries: &[(&str, usize)]) -> BTreeMap<String, String> {
    entries.iter().map(|(name, chars)| (name.to_string(), "é".repeat(*chars))).collect()
}

/// Limits of fields, in the order of the fields: the service does not run. A request that breaks several names the first.
#[test]
fn each_field_out_of_its_limits() {
    let long_key = "idempotency_key: must be up to 255 bytes, it has 256";
    let long_reference = "reference: must be 1 to 256 characters, it has 257";
    let ttl = "ttl: must be 1 to 2,592,000, or 0 for 7 days, it is";
    let (below, above) = (format!("{ttl} -1"), format!("{ttl} 2,592,001"));
    let rows: Vec<(&str, Call, &str, Reason)> = vec![
        (
            "wallet.credit",
            |w| credits(w, |r| r.id = "i".repeat(129)),
            "id: must be up to 128 bytes, it has 129",
            BAD_FIELD,
        ),
        ("wallet.credit", |w| credits(w, |r| *r = Default::default()), "invalid amount", INVALID_AMOUNT),
        ("wallet.credit", |w| credits(w, |r| r.amount = 0), "invalid amount", INVALID_AMOUNT),
        ("wallet.credit", |w| credits(w, |r| r.amount = -5), "invalid amount", INVALID_AMOUNT),
        ("wallet.credit", |w| credits(w, |r| r.amount = i64::MIN), "invalid amount", INVALID_AMOUNT),
        ("wallet.credit", |w| credits(w, |r| r.reference.clear()), "Missing reference", MISSING_REFERENCE),
        ("wallet.credit", |w| credits(w, |r| r.reference = "é".repeat(257)), long_reference, BAD_FIELD),
        ("wallet.credit", |w| credits(w, |r| r.idempotency_key = "k".repeat(256)), long_key, BAD_FIELD),
        (
            "wallet.credit",
            |w| credits(w, |r| r.metadata = (0..17).map(|n| (n.to_string(), String::new())).collect()),
            "metadata: must have up to 16 entries, it has 17",
            BAD_FIELD,
        ),
        (
            "wallet.debit",
            |w| debits(w, |r| r.metadata = metadata(&[("n", 257)])),
            "metadata.n: must be up to 256 characters, it has 257",
            BAD_FIELD,
        ),
        ("wallet.debit", |w| debits(w, |r| r.metadata = metadata(&[("", 1)])), "metadata: is required", BAD_FIELD),
        ("wallet.debit", |w| debits(w, |r| *r = Default::default()), "invalid amount", INVALID_AMOUNT),
        ("wallet.debit", |w| debits(w, |r| r.amount = 0), "invalid amount", INVALID_AMOUNT),
        ("wallet.debit", |w| debits(w, |r| r.amount = -1), "invalid amount", INVALID_AMOUNT),
        ("wallet.debit", |w| debits(w, |r| r.amount = i64::MIN), "invalid amount", INVALID_AMOUNT),
        ("wallet.debit", |w| debits(w, |r| r.reference.clear()), "Missing reference", MISSING_REFERENCE),
        ("wallet.debit", |w| debits(w, |r| r.reference = "r".repeat(257)), long_reference, BAD_FIELD),
        ("wallet.debit", |w| debits(w, |r| r.idempotency_key = "k".repeat(256)), long_key, BAD_FIELD),
        ("wallet.authorize", |w| authorizes(w, |r| r.amount = 0), "invalid amount", INVALID_AMOUNT),
        ("wallet.authorize", |w| authorizes(w, |r| r.reference.clear()), "Missing reference", MISSING_REFERENCE),
        ("wallet.authorize", |w| authorizes(w, |r| r.ttl = -1), &below, BAD_FIELD),
        ("wallet.authorize", |w| authorizes(w, |r| r.ttl = HOLD_SECS_MAX + 1), &above, BAD_FIELD),
        ("wallet.capture", |w| captures(w, |r| r.hold_id.clear()), "hold_id: is required", BAD_FIELD),
        ("wallet.capture", |w| captures(w, |r| r.amount = -1), "invalid amount", INVALID_AMOUNT),
        (
            "wallet.create",
            |w| create(w, &"i".repeat(129)).map(drop),
            "id: must be up to 128 bytes, it has 129",
            BAD_FIELD,
        ),
        (
            "wallet.create",
            |w| w.call(CreateRequest { name: "é".repeat(129), ..Default::default() }).map(drop),
            "name: must be up to 128 characters, it has 129",
            BAD_FIELD,
        ),
        (
            "wallet.create",
            |w| w.call(CreateRequest { description: "d".repeat(1025), ..Default::default() }).map(drop),
            "description: must be up to 1,024 characters, it has 1,025",
            BAD_FIELD,
        ),
        (
            "wallet.create",
            |w| overdrawn(w, "o", -1).map(drop),
            "overdraft_limit: must be at least 0, it is -1",
            BAD_FIELD,
        ),
        ("wallet.delete", |w| delete(w, ""), "Missing wallet id", MISSING_ID),
        ("wallet.transfer", |w| w.call(TransferRequest::default()).map(drop), "missing ids", MISSING_IDS),
    ];
    for (id, call, detail, reason) in rows {
        let error = refused(id, call, detail, reason);
        assert_eq!((error.source, error.outcome), (Source::Cluster, Outcome::NotRun), "{error:?}");
    }
}

/// In order of precedence: the key, the wallet, the hold, what is available.
#[test]
fn each_error_in_order() {
    let rows: Vec<(&str, Call, &str, Reason)> = vec![
        ("wallet.credit", |w| credits(w, |r| r.idempotency_key = "used".into()), "key reused", KEY_REUSED),
        ("wallet.credit", |w| credits(w, |r| r.id = "unknown".into()), "invalid account", INVALID_ACCOUNT),
        ("wallet.credit", |w| credits(w, |r| r.amount = i64::MAX - 9), "invalid amount", INVALID_AMOUNT),
        ("wallet.debit", |w| debits(w, |r| r.idempotency_key = "used".into()), "key reused", KEY_REUSED),
        ("wallet.debit", |w| debits(w, |r| r.id = "unknown".into()), "invalid account", INVALID_ACCOUNT),
        ("wallet.debit", |w| debits(w, |r| r.amount = 7), "insufficient credit", INSUFFICIENT_CREDIT),
        ("wallet.debit", |w| debits(w, |r| r.amount = i64::MAX), "insufficient credit", INSUFFICIENT_CREDIT),
        ("wallet.authorize", |w| authorizes(w, |r| r.idempotency_key = "used".into()), "key reused", KEY_REUSED),
        ("wallet.authorize", |w| authorizes(w, |r| r.id = "unknown".into()), "invalid account", INVALID_ACCOUNT),
        ("wallet.authorize", |w| authorizes(w, |r| r.amount = 7), "insufficient credit", INSUFFICIENT_CREDIT),
        ("wallet.authorize", |w| authorizes(w, |r| r.amount = i64::MAX), "insufficient credit", INSUFFICIENT_CREDIT),
        ("wallet.capture", |w| captures(w, |r| r.id = "unknown".into()), "invalid account", INVALID_ACCOUNT),
        ("wallet.capture", |w| captures(w, |r| r.hold_id = "unknown".into()), "invalid hold", INVALID_HOLD),
        ("wallet.capture", |w| captures(w, |r| r.amount = 5), "invalid amount", INVALID_AMOUNT),
        ("wallet.void", |w| void(w, "unknown", "unknown").map(drop), "invalid account", INVALID_ACCOUNT),
        ("wallet.void", |w| void(w, "w", "unknown").map(drop), "invalid hold", INVALID_HOLD),
        ("wallet.read", |w| w.call(ReadRequest { id: "unknown".into() }).map(drop), "invalid account", INVALID_ACCOUNT),
        (
            "wallet.holds",
            |w| w.call(HoldsRequest { id: "unknown".into() }).map(drop),
            "invalid account",
            INVALID_ACCOUNT,
        ),
        (
            "wallet.statement",
            |w| w.call(StatementRequest { id: "unknown".into(), ..Default::default() }).map(drop),
            "invalid account",
            INVALID_ACCOUNT,
        ),
        ("wallet.create", |w| create(w, "w").map(drop), "already exists", ALREADY_EXISTS),
        ("wallet.create", |w| create(w, "default").map(drop), "already exists", ALREADY_EXISTS),
        ("wallet.delete", |w| delete(w, "w"), "there are open holds: capture or void them first", HAS_HOLDS),
    ];
    for (id, call, detail, reason) in rows {
        let error = refused(id, call, detail, reason);
        assert!(error.is_refusal(), "{error:?}");
    }
}

/// `w` has a balance of 10, 4 of it held, and has seen the key `used` with other bodies; then the call is refused and
/// changes nothing.
#[track_caller]
fn refused(id: &str, call: Call, detail: &str, reason: Reason) -> sdk::Error {
    let wallets = wallets();
    create(&wallets, "w").unwrap();
    keyed_credit(&wallets, "w", 20, "other", "used").unwrap();
    keyed_debit(&wallets, "w", 10, "other", "used").unwrap();
    authorizes(&wallets, |r| (r.amount, r.idempotency_key) = (4, "used".into())).unwrap();
    let before = wallets.dump();
    let error = call(&wallets).unwrap_err();
    assert_eq!((error.id.as_str(), error.detail.as_str()), (id, detail));
    assert!(error.is(&reason), "{error:?}");
    assert_eq!(wallets.dump(), before, "{id} was refused ({detail}) and yet wrote");
    error
}

#[test]
fn transfer_is_not_there_yet() {
    let (from_id, to_id, reference) = ("default".into(), "w".into(), "r".into());
    let request = TransferRequest { from_id, to_id, amount: 1, reference, ..Default::default() };
    let error = wallets().call(request).unwrap_err();
    assert_eq!((error.id.as_str(), error.code), ("wallet.transfer", 501));
    assert!(error.is(&reasons::NOT_YET) && error.outcome == wire::Outcome::NotRun);
}

#[test]
fn an_overdraft_goes_as_far_as_was_said() {
    let wallets = wallets();
    let made = overdrawn(&wallets, "w", 5).unwrap();
    assert_eq!((made.balance, made.overdraft_limit), (0, 5));
    assert_eq!(credit(&wallets, "w", 2).unwrap(), 2);
    assert!(debit(&wallets, "w", 8).unwrap_err().is(&INSUFFICIENT_CREDIT));
    assert_eq!(debit(&wallets, "w", 7).unwrap(), -5);
    assert!(debit(&wallets, "w", 1).unwrap_err().is(&INSUFFICIENT_CREDIT));
    assert_eq!(credit(&wallets, "w", 1).unwrap(), -4);
    adds_up(&wallets, "w");
    // Balance and overdraft together stay within an int64, so that what is available does.
    overdrawn(&wallets, "big", i64::MAX).unwrap();
    assert!(credit(&wallets, "big", 1).unwrap_err().is(&INVALID_AMOUNT));
    assert_eq!(debit(&wallets, "big", i64::MAX).unwrap(), -i64::MAX);
    assert_eq!(credit(&wallets, "big", i64::MAX).unwrap(), 0);
    adds_up(&wallets, "big");
}

#[test]
fn currency_and_metadata_are_kept_as_they_were_given() {
    let wallets = wallets();
    let request = CreateRequest { id: "w".into(), currency: "é".repeat(16), ..Default::default() };
    assert_eq!(wallets.call(request).unwrap().account.currency, "é".repeat(16));
    let notes = metadata(&[("order", 256), (&"n".repeat(64), 0)]);
    let (id, reference) = ("w".to_string(), "r".to_string());
    let request =
        CreditRequest { id, amount: 1, reference, visible: true, metadata: notes.clone(), ..Default::default() };
    wallets.call(request).unwrap();
    let shown = wallets.call(TransactionsRequest { id: "w".into(), ..Default::default() }).unwrap().transactions;
    assert_eq!((&shown[0].metadata, shown[0].balance, shown[0].visible), (&notes, 1, true));
    assert_eq!(wallets.call(ReadRequest { id: "w".into() }).unwrap().account.currency, "é".repeat(16));
    assert_eq!(wallets.call(ListRequest::default()).unwrap().accounts[1].currency, "é".repeat(16));
}

#[test]
fn what_is_just_inside_each_bound() {
    let wallets = wallets();
    create(&wallets, &"i".repeat(128)).unwrap();
    let (name, description) = ("é".repeat(128), "é".repeat(1024));
    let made = wallets.call(CreateRequest { id: "w".into(), name, description, ..Default::default() }).unwrap().account;
    assert_eq!((made.name.chars().count(), made.description.chars().count()), (128, 1024));
    assert_eq!(keyed_credit(&wallets, "w", i64::MAX, &"é".repeat(256), &"k".repeat(255)).unwrap(), i64::MAX);
    assert_eq!(debit(&wallets, "w", i64::MAX).unwrap(), 0);
    assert_eq!(credit(&wallets, "w", 1).unwrap(), 1);
    adds_up(&wallets, "w");
}

#[test]
fn default_is_there_from_the_start() {
    let wallets = wallets();
    let want = Account { id: "default".into(), name: "Default account".into(), ..Default::default() };
    assert_eq!(wallets.call(ReadRequest::default()).unwrap().account, want);
    assert_eq!(wallets.row_count(), 0);
    assert_eq!(credit(&wallets, "", 5).unwrap(), 5);
    assert_eq!(debit(&wallets, "default", 2).unwrap(), 3);
    assert_eq!(wallets.call(ReadRequest::default()).unwrap().account, Account { balance: 3, ..want });
}

#[test]
fn others_must_be_created_and_get_an_id_of_their_own() {
    let wallets = wallets();
    let made = wallets.call(CreateRequest { name: "n".into(), ..Default::default() }).unwrap().account;
    assert_eq!((made.id.len(), made.id.as_bytes()[14], made.name.as_str(), made.balance), (36, b'4', "n", 0));
    let second = create(&wallets, "").unwrap();
    assert_ne!(made.id, second.id);
    assert_eq!(credit(&wallets, &made.id, 3).unwrap(), 3);
    assert_eq!(wallets.call(ReadRequest { id: made.id.clone() }).unwrap().account, Account { balance: 3, ..made });
}

#[test]
fn an_unknown_wallet_has_no_balance_and_no_history() {
    let wallets = wallets();
    assert_eq!((balance(&wallets, "unknown"), history(&wallets, "unknown")), (0, vec![]));
}

#[test]
fn delete_leaves_nothing_behind() {
    let wallets = wallets();
    create(&wallets, "w").unwrap();
    credit(&wallets, "w", 5).unwrap();
    debit(&wallets, "w", 1).unwrap();
    credit(&wallets, "default", 7).unwrap();
    for id in ["w", "default", "w", "unknown"] {
        delete(&wallets, id).unwrap();
    }
    assert_eq!(wallets.row_count(), 0);
    assert_eq!((list(&wallets), history(&wallets, "default")), (vec![("default".to_string(), 0)], vec![]));
    create(&wallets, "w").unwrap();
    assert_eq!((balance(&wallets, "w"), entries(&wallets, "w")), (0, vec![]));
}

#[test]
fn a_transaction_tells_everything() {
    let wallets = wallets();
    wallets.advance(std::time::Duration::from_nanos(1_500_000_000_000_000_001));
    keyed_credit(&wallets, "", 10, "tip", "").unwrap();
    let shown = wallets.call(TransactionsRequest::default()).unwrap().transactions.remove(0);
    let json = serde_json::to_value(&shown).unwrap();
    assert_eq!(json["created"], "2017-07-14T02:40:00.000000001Z");
    assert_eq!((shown.id.len(), shown.amount, shown.reference.as_str(), shown.metadata.len()), (36, 10, "tip", 0));
}

#[test]
fn hidden_transactions_are_kept_and_not_shown() {
    let wallets = wallets();
    credit(&wallets, "", 10).unwrap();
    debit(&wallets, "", 3).unwrap();
    credit(&wallets, "", 1).unwrap();
    assert_eq!(history(&wallets, ""), [10, 1]);
    assert_eq!(entries(&wallets, "default").iter().map(|entry| entry.amount).collect::<Vec<_>>(), [10, -3, 1]);
}

#[test]
fn transactions_come_in_pages_oldest_first() {
    let wallets = wallets();
    (1..=250).for_each(|amount| {
        credit(&wallets, "", amount).unwrap();
        debit(&wallets, "", 1).unwrap();
    });
    for (limit, first) in [(0, 100), (-1, 100), (1, 1), (249, 249), (250, 250), (1000, 250)] {
        let (mut all, mut cursor) = (vec![], String::new());
        loop {
            let page = wallets.call(TransactionsRequest { limit, cursor, ..Default::default() }).unwrap();
            assert!(page.transactions.len() == first.min(250 - all.len()), "limit {limit}");
            all.extend(page.transactions.into_iter().map(|transaction| transaction.amount));
            cursor = page.cursor;
            if cursor.is_empty() {
                break;
            }
            // What comes later is behind every cursor; what is hidden moves none.
            debit(&wallets, "", 1).unwrap();
        }
        assert!(all.into_iter().eq(1..=250), "in pages of {limit}");
    }
    for (limit, cursor) in [(1001, ""), (1, "0"), (1, "1ff")] {
        let request = TransactionsRequest { limit, cursor: cursor.into(), ..Default::default() };
        let error = wallets.call(request).unwrap_err();
        assert_eq!((error.id.as_str(), error.code), ("wallet.transactions", 400));
    }
}

#[test]
fn list_has_default_once_and_in_its_place() {
    let wallets = wallets();
    for id in ["a", "z", "d", "default0"] {
        create(&wallets, id).unwrap();
    }
    let ids = |wallets: &Sandbox| list(wallets).into_iter().map(|(id, _)| id).collect::<Vec<_>>();
    assert_eq!(ids(&wallets), ["a", "d", "default", "default0", "z"]);
    credit(&wallets, "default", 5).unwrap();
    assert_eq!(ids(&wallets), ["a", "d", "default", "default0", "z"]);
    assert_eq!(list(&wallets)[2], ("default".to_string(), 5));
}

#[test]
fn accounts_do_not_see_each_other() {
    let wallets = wallets();
    create(&wallets, "w").unwrap();
    keyed_credit(&wallets, "w", 5, "mine", "k").unwrap();
    for stranger in [wallets.account("loca"), wallets.account("local2")] {
        assert_eq!(list(&stranger), [("default".to_string(), 0)]);
        assert_eq!((balance(&stranger, "w"), history(&stranger, "w")), (0, vec![]));
        assert!(credit(&stranger, "w", 1).unwrap_err().is(&INVALID_ACCOUNT));
        create(&stranger, "w").unwrap();
        assert_eq!(keyed_credit(&stranger, "w", 9, "theirs", "k").unwrap(), 9, "keys are an account's own");
        delete(&stranger, "w").unwrap();
    }
    assert_eq!((balance(&wallets, "w"), history(&wallets, "w")), (5, vec![5]));
}
