//! One row for each error of the page, in order of precedence; then the rules one by one.

use super::*;
use sdk::Reason;
use wire::error::reasons;

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

/// `w` holds 10 and has seen the key `used` with other bodies; then each call is refused and changes nothing.
#[test]
fn each_error_in_order() {
    let rows: Vec<(&str, Call, &str, Reason)> = vec![
        // Credit: its fields, its key, the wallet, the balance. A request that breaks several rules names the first.
        ("wallet.credit", |w| credits(w, |r| *r = Default::default()), "Missing reference", MISSING_REFERENCE),
        ("wallet.credit", |w| credits(w, |r| r.amount = 0), "invalid amount", INVALID_AMOUNT),
        ("wallet.credit", |w| credits(w, |r| r.amount = -5), "invalid amount", INVALID_AMOUNT),
        ("wallet.credit", |w| credits(w, |r| r.amount = i64::MIN), "invalid amount", INVALID_AMOUNT),
        (
            "wallet.credit",
            |w| credits(w, |r| r.reference = "é".repeat(257)),
            "reference must be at most 256 characters, it has 257",
            TOO_LONG,
        ),
        (
            "wallet.credit",
            |w| credits(w, |r| r.idempotency_key = "k".repeat(256)),
            "idempotency_key must be at most 255 bytes, it has 256",
            TOO_LONG,
        ),
        ("wallet.credit", |w| credits(w, |r| r.idempotency_key = "used".into()), "key reused", KEY_REUSED),
        ("wallet.credit", |w| credits(w, |r| r.id = "unknown".into()), "invalid account", INVALID_ACCOUNT),
        ("wallet.credit", |w| credits(w, |r| r.amount = i64::MAX - 9), "invalid amount", INVALID_AMOUNT),
        // Debit: the same, and never below 0.
        ("wallet.debit", |w| debits(w, |r| *r = Default::default()), "Missing reference", MISSING_REFERENCE),
        ("wallet.debit", |w| debits(w, |r| r.amount = 0), "invalid amount", INVALID_AMOUNT),
        ("wallet.debit", |w| debits(w, |r| r.amount = -1), "invalid amount", INVALID_AMOUNT),
        ("wallet.debit", |w| debits(w, |r| r.amount = i64::MIN), "invalid amount", INVALID_AMOUNT),
        (
            "wallet.debit",
            |w| debits(w, |r| r.reference = "r".repeat(257)),
            "reference must be at most 256 characters, it has 257",
            TOO_LONG,
        ),
        (
            "wallet.debit",
            |w| debits(w, |r| r.idempotency_key = "k".repeat(256)),
            "idempotency_key must be at most 255 bytes, it has 256",
            TOO_LONG,
        ),
        ("wallet.debit", |w| debits(w, |r| r.idempotency_key = "used".into()), "key reused", KEY_REUSED),
        ("wallet.debit", |w| debits(w, |r| r.id = "unknown".into()), "invalid account", INVALID_ACCOUNT),
        ("wallet.debit", |w| debits(w, |r| r.amount = 11), "insufficient credit", INSUFFICIENT_CREDIT),
        ("wallet.debit", |w| debits(w, |r| r.amount = i64::MAX), "insufficient credit", INSUFFICIENT_CREDIT),
        // The rest.
        (
            "wallet.read",
            |w| w.call(ReadRequest { id: "unknown".into() }).map(|_| ()),
            "invalid account",
            INVALID_ACCOUNT,
        ),
        (
            "wallet.create",
            |w| create(w, &"i".repeat(129)).map(|_| ()),
            "id must be at most 128 bytes, it has 129",
            TOO_LONG,
        ),
        (
            "wallet.create",
            |w| w.call(CreateRequest { name: "é".repeat(129), ..Default::default() }).map(|_| ()),
            "name must be at most 128 characters, it has 129",
            TOO_LONG,
        ),
        (
            "wallet.create",
            |w| w.call(CreateRequest { description: "d".repeat(1025), ..Default::default() }).map(|_| ()),
            "description must be at most 1024 characters, it has 1025",
            TOO_LONG,
        ),
        ("wallet.create", |w| create(w, "w").map(|_| ()), "already exists", ALREADY_EXISTS),
        ("wallet.create", |w| create(w, "default").map(|_| ()), "already exists", ALREADY_EXISTS),
        ("wallet.delete", |w| delete(w, ""), "Missing wallet id", MISSING_ID),
    ];
    for (id, call, detail, reason) in rows {
        let wallets = wallets();
        create(&wallets, "w").unwrap();
        keyed_credit(&wallets, "w", 20, "other", "used").unwrap();
        keyed_debit(&wallets, "w", 10, "other", "used").unwrap();
        let before = wallets.dump();
        let error = call(&wallets).unwrap_err();
        assert_eq!((error.id.as_str(), error.detail.as_str()), (id, detail));
        assert!(error.is(&reason) && error.is_refusal(), "{error:?}");
        assert_eq!(wallets.dump(), before, "{id} was refused ({detail}) and yet wrote");
    }
}

#[test]
fn transfer_is_not_there_yet() {
    let error = wallets().call(TransferRequest::default()).unwrap_err();
    assert_eq!((error.id.as_str(), error.code), ("wallet.transfer", 501));
    assert!(error.is(&reasons::NOT_YET) && error.outcome == wire::Outcome::NotRun);
}

#[test]
fn what_is_just_inside_each_bound() {
    let wallets = wallets();
    create(&wallets, &"i".repeat(128)).unwrap();
    let (name, description) = ("é".repeat(128), "é".repeat(1024));
    let made = wallets.call(CreateRequest { id: "w".into(), name, description }).unwrap().account;
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
            let page = wallets.call(TransactionsRequest { id: String::new(), limit, cursor }).unwrap();
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
        let error = wallets.call(TransactionsRequest { id: String::new(), limit, cursor: cursor.into() }).unwrap_err();
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
