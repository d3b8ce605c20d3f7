//! Idempotency keys: once within seven days, for one wallet and operation.

use super::*;
use std::time::Duration;

const DAY: Duration = Duration::from_secs(86_400);

#[test]
fn the_same_again_answers_the_same_and_writes_nothing() {
    let wallets = wallets();
    assert_eq!(keyed_credit(&wallets, "", 5, "r", "k").unwrap(), 5);
    assert_eq!(credit(&wallets, "", 1).unwrap(), 6);
    let before = wallets.dump();
    assert_eq!(keyed_credit(&wallets, "", 5, "r", "k").unwrap(), 5, "the balance of then");
    assert_eq!(wallets.dump(), before);
}

#[test]
fn another_body_under_the_same_key_is_refused() {
    let wallets = wallets();
    keyed_credit(&wallets, "", 5, "r", "k").unwrap();
    assert!(keyed_credit(&wallets, "", 6, "r", "k").unwrap_err().is(&KEY_REUSED));
    assert!(keyed_credit(&wallets, "", 5, "s", "k").unwrap_err().is(&KEY_REUSED));
    assert_eq!(balance(&wallets, ""), 5);
}

#[test]
fn a_key_belongs_to_one_wallet_and_operation() {
    let wallets = wallets();
    create(&wallets, "w").unwrap();
    assert_eq!(keyed_credit(&wallets, "", 5, "r", "k").unwrap(), 5);
    assert_eq!(keyed_credit(&wallets, "w", 7, "r", "k").unwrap(), 7);
    assert_eq!(keyed_debit(&wallets, "w", 3, "r", "k").unwrap(), 4);
    assert_eq!(keyed_debit(&wallets, "w", 3, "r", "k").unwrap(), 4);
    assert_eq!(keyed_credit(&wallets, "w", 1, "r", "").unwrap(), 5);
    assert_eq!(keyed_credit(&wallets, "w", 1, "r", "").unwrap(), 6, "no key, no memory");
}

#[test]
fn a_refusal_uses_no_key_up() {
    let wallets = wallets();
    assert!(keyed_debit(&wallets, "", 3, "r", "k").unwrap_err().is(&INSUFFICIENT_CREDIT));
    credit(&wallets, "", 10).unwrap();
    assert_eq!(keyed_debit(&wallets, "", 3, "r", "k").unwrap(), 7);
}

#[test]
fn keys_are_kept_for_seven_days_and_no_longer() {
    let wallets = wallets();
    keyed_credit(&wallets, "", 5, "r", "k").unwrap();
    wallets.advance(7 * DAY - Duration::from_nanos(1));
    wallets.sweep().unwrap();
    assert_eq!(keyed_credit(&wallets, "", 5, "r", "k").unwrap(), 5);
    wallets.advance(Duration::from_nanos(1));
    assert_eq!(keyed_credit(&wallets, "", 5, "r", "k").unwrap(), 10);
    wallets.advance(7 * DAY);
    wallets.sweep().unwrap();
    assert_eq!(wallets.row_count(), 3, "the wallet and its two transactions");
}

#[test]
fn keys_outlive_their_wallet() {
    let wallets = wallets();
    keyed_credit(&wallets, "", 5, "r", "k").unwrap();
    delete(&wallets, "default").unwrap();
    assert_eq!(keyed_credit(&wallets, "", 5, "r", "k").unwrap(), 5, "a late repetition");
    assert_eq!(balance(&wallets, ""), 0, "does not credit the successor");
    wallets.advance(7 * DAY);
    wallets.sweep().unwrap();
    assert_eq!(wallets.row_count(), 0);
}
