//! Holds: made, captured, voided, expired; exact to the nanosecond, and free again without anything happening.

use super::*;
use std::time::Duration;

pub fn authorize(on: &Sandbox, id: &str, amount: i64, ttl: i64) -> Result<AuthorizeResponse> {
    on.call(AuthorizeRequest {
        id: id.into(),
        amount,
        reference: "hold".into(),
        visible: true,
        ttl,
        ..Default::default()
    })
}

pub fn capture(on: &Sandbox, id: &str, hold_id: &str, amount: i64) -> Result<i64> {
    let (id, hold_id) = (id.into(), hold_id.into());
    on.call(CaptureRequest { id, hold_id, amount, ..Default::default() }).map(|r| r.balance)
}

pub fn void(on: &Sandbox, id: &str, hold_id: &str) -> Result<i64> {
    on.call(VoidRequest { id: id.into(), hold_id: hold_id.into() }).map(|r| r.available)
}

/// Balance, held, available.
fn told(on: &Sandbox) -> (i64, i64, i64) {
    let BalanceResponse { balance, held, available } = on.call(BalanceRequest::default()).unwrap();
    (balance, held, available)
}

#[test]
fn what_is_held_cannot_be_taken_and_no_balance_changes() {
    let wallets = wallets();
    credit(&wallets, "", 10).unwrap();
    let made = authorize(&wallets, "", 7, 0).unwrap();
    assert_eq!((made.available, made.hold.amount, told(&wallets)), (3, 7, (10, 7, 3)));
    assert!(debit(&wallets, "", 4).unwrap_err().is(&INSUFFICIENT_CREDIT));
    assert!(authorize(&wallets, "", 4, 0).unwrap_err().is(&INSUFFICIENT_CREDIT));
    assert_eq!(debit(&wallets, "", 3).unwrap(), 7);
    assert_eq!((told(&wallets), history(&wallets, "")), ((7, 7, 0), vec![10]));
    adds_up(&wallets, "default");
}

#[test]
fn a_capture_takes_a_part_and_frees_the_rest() {
    for (amount, taken) in [(0, 7), (7, 7), (2, 2)] {
        let wallets = wallets();
        credit(&wallets, "", 10).unwrap();
        let hold = authorize(&wallets, "", 7, 0).unwrap().hold;
        assert_eq!(capture(&wallets, "", &hold.id, amount).unwrap(), 10 - taken);
        assert_eq!(told(&wallets), (10 - taken, 0, 10 - taken));
        assert!(capture(&wallets, "", &hold.id, amount).unwrap_err().is(&INVALID_HOLD), "once only");
        assert!(void(&wallets, "", &hold.id).unwrap_err().is(&INVALID_HOLD), "it is captured, not voided");
        let entry = wallets.call(TransactionsRequest::default()).unwrap().transactions.remove(1);
        assert_eq!((entry.amount, entry.reference.as_str(), &entry.metadata["hold_id"]), (-taken, "hold", &hold.id));
        adds_up(&wallets, "default");
    }
}

#[test]
fn a_captured_transaction_is_as_its_hold_said() {
    let wallets = wallets();
    credit(&wallets, "", 10).unwrap();
    let metadata = [("order".to_string(), "17".to_string()), ("hold_id".to_string(), "mine".to_string())].into();
    let request = AuthorizeRequest { amount: 1, reference: "quiet".into(), metadata, ..Default::default() };
    let hold = wallets.call(request).unwrap().hold;
    capture(&wallets, "", &hold.id, 0).unwrap();
    assert_eq!(history(&wallets, ""), [10], "it was not to be visible");
    let entry = entries(&wallets, "default").remove(1);
    assert_eq!((entry.metadata["order"].as_str(), &entry.metadata["hold_id"]), ("17", &hold.id));
}

#[test]
fn a_void_frees_all() {
    let wallets = wallets();
    credit(&wallets, "", 10).unwrap();
    let hold = authorize(&wallets, "", 7, 0).unwrap().hold;
    assert_eq!((void(&wallets, "", &hold.id).unwrap(), told(&wallets)), (10, (10, 0, 10)));
    assert!(capture(&wallets, "", &hold.id, 0).unwrap_err().is(&INVALID_HOLD));
    adds_up(&wallets, "default");
}

#[test]
fn a_hold_ends_to_the_nanosecond_swept_or_not() {
    for swept in [false, true] {
        let wallets = wallets();
        credit(&wallets, "", 10).unwrap();
        let hold = authorize(&wallets, "", 7, 60).unwrap().hold;
        assert_eq!(hold.created.until(hold.expires), Duration::from_secs(60));
        wallets.advance(Duration::from_secs(60) - Duration::from_nanos(1));
        assert_eq!(told(&wallets), (10, 7, 3));
        wallets.advance(Duration::from_nanos(1));
        if swept {
            wallets.sweep().unwrap();
        }
        assert_eq!(told(&wallets), (10, 0, 10));
        assert!(wallets.call(HoldsRequest::default()).unwrap().holds.is_empty());
        assert!(capture(&wallets, "", &hold.id, 0).unwrap_err().is(&INVALID_HOLD));
        assert!(void(&wallets, "", &hold.id).unwrap_err().is(&INVALID_HOLD));
        assert_eq!(debit(&wallets, "", 10).unwrap(), 0);
        adds_up(&wallets, "default");
        delete(&wallets, "default").unwrap();
        wallets.sweep().unwrap();
        assert_eq!(wallets.row_count(), 0, "an expired hold keeps no wallet, and leaves nothing behind");
    }
}

#[test]
fn how_long_a_hold_lasts() {
    let wallets = wallets();
    credit(&wallets, "", 10).unwrap();
    for (ttl, secs) in [(0, 7 * 86_400), (1, 1), (HOLD_SECS_MAX, 30 * 86_400)] {
        let hold = authorize(&wallets, "", 1, ttl).unwrap().hold;
        assert_eq!(hold.created.until(hold.expires), Duration::from_secs(secs));
    }
    // One that ends sooner hides none that lasts longer.
    assert_eq!(told(&wallets), (10, 3, 7));
    wallets.advance(Duration::from_secs(1));
    assert_eq!(told(&wallets), (10, 2, 8));
    wallets.advance(Duration::from_secs(8 * 86_400));
    assert_eq!(told(&wallets), (10, 1, 9));
}

#[test]
fn holds_are_listed_oldest_first_and_bounded() {
    let wallets = wallets();
    credit(&wallets, "", 10_000).unwrap();
    for n in 1..=HOLDS_MAX as i64 {
        authorize(&wallets, "", n, 1000 - n).unwrap();
        wallets.advance(Duration::from_nanos(1));
    }
    let amounts = |on: &Sandbox| -> Vec<i64> {
        on.call(HoldsRequest::default()).unwrap().holds.iter().map(|hold| hold.amount).collect()
    };
    assert!(amounts(&wallets).into_iter().eq(1..=100));
    let error = authorize(&wallets, "", 1, 0).unwrap_err();
    assert!(error.is(&TOO_MANY_HOLDS) && error.detail == "100 holds are open: capture or void some", "{error:?}");
    // The 100th ends first, and makes room.
    wallets.advance(Duration::from_secs(900));
    authorize(&wallets, "", 7, 0).unwrap();
    assert!(amounts(&wallets).into_iter().eq((1..=99).chain([7])));
    adds_up(&wallets, "default");
}

#[test]
fn a_hold_may_use_the_overdraft() {
    let wallets = wallets();
    overdrawn(&wallets, "w", 5).unwrap();
    let hold = authorize(&wallets, "w", 5, 0).unwrap();
    assert_eq!(hold.available, 0);
    assert!(debit(&wallets, "w", 1).unwrap_err().is(&INSUFFICIENT_CREDIT));
    assert_eq!(capture(&wallets, "w", &hold.hold.id, 0).unwrap(), -5);
    adds_up(&wallets, "w");
}

#[test]
fn a_repeated_call_under_a_key_holds_and_takes_once() {
    let wallets = wallets();
    credit(&wallets, "", 10).unwrap();
    let ask = |amount, ttl| {
        let (reference, idempotency_key) = ("r".into(), "k".into());
        wallets.call(AuthorizeRequest { amount, reference, ttl, idempotency_key, ..Default::default() })
    };
    let first = ask(4, 60).unwrap();
    credit(&wallets, "", 1).unwrap();
    assert_eq!(ask(4, 60).unwrap(), first, "the answer of then");
    assert!(ask(5, 60).unwrap_err().is(&KEY_REUSED) && ask(4, 61).unwrap_err().is(&KEY_REUSED));
    assert_eq!(told(&wallets), (11, 4, 7));
    let take = |hold_id: &str, amount| {
        let (hold_id, idempotency_key) = (hold_id.into(), "k".into());
        wallets.call(CaptureRequest { hold_id, amount, idempotency_key, ..Default::default() }).map(|r| r.balance)
    };
    assert_eq!((take(&first.hold.id, 3).unwrap(), take(&first.hold.id, 3).unwrap()), (8, 8));
    assert!(take(&first.hold.id, 2).unwrap_err().is(&KEY_REUSED) && take("other", 3).unwrap_err().is(&KEY_REUSED));
    adds_up(&wallets, "default");
}
