//! Transactions by time and reference, and statements: against what one gets by looking at every entry.

use super::*;
use rand::{Rng, SeedableRng, rngs::SmallRng};
use std::time::Duration;
use wire::Rfc3339;

const HOUR: Duration = Duration::from_secs(3600);

fn amounts(on: &Sandbox, request: TransactionsRequest) -> Vec<i64> {
    on.call(request).unwrap().transactions.into_iter().map(|transaction| transaction.amount).collect()
}

fn moment(text: &str) -> Rfc3339 {
    serde_json::from_value(text.into()).unwrap()
}

/// 1, 2, 3 … at 1, 2, 3 … hours; even ones are visible debits' opposite: hidden. References alternate among three.
fn hourly(on: &Sandbox, count: i64) {
    for n in 1..=count {
        on.advance(HOUR);
        let (reference, visible) = (["a", "b", "c"][n as usize % 3].to_string(), n % 2 == 1);
        on.call(CreditRequest { amount: n, reference, visible, ..Default::default() }).unwrap();
    }
}

fn at(hours: u32) -> Rfc3339 {
    Rfc3339(0).plus(HOUR * hours)
}

#[test]
fn each_filter_and_all_together() {
    let wallets = wallets();
    hourly(&wallets, 12);
    let all = TransactionsRequest { include_hidden: true, ..Default::default() };
    assert_eq!(amounts(&wallets, TransactionsRequest::default()), [1, 3, 5, 7, 9, 11]);
    assert!(amounts(&wallets, all.clone()).into_iter().eq(1..=12));
    let told = wallets.call(all.clone()).unwrap().transactions;
    assert!(told.iter().all(|t| t.visible == (t.amount % 2 == 1) && t.balance == t.amount * (t.amount + 1) / 2));
    // From is part of it, to is not; a nanosecond tells.
    let between = |from, to| amounts(&wallets, TransactionsRequest { from, to, ..all.clone() });
    assert_eq!(between(at(3), at(6)), [3, 4, 5]);
    assert_eq!(between(Rfc3339(at(3).0 + 1), Rfc3339(at(6).0 + 1)), [4, 5, 6]);
    assert!(
        between(at(13), Rfc3339(0)).is_empty() && between(at(6), at(3)).is_empty() && between(at(3), at(3)).is_empty()
    );
    assert!(between(Rfc3339(-5), Rfc3339(0)).into_iter().eq(1..=12) && between(Rfc3339(0), Rfc3339(-5)).is_empty());
    let by = |reference: &str| TransactionsRequest { reference: reference.into(), ..all.clone() };
    assert_eq!((amounts(&wallets, by("a")), amounts(&wallets, by("A"))), (vec![3, 6, 9, 12], vec![]));
    let together = TransactionsRequest { from: at(4), to: at(12), include_hidden: false, ..by("a") };
    assert_eq!(amounts(&wallets, together), [9]);
}

#[test]
fn filtered_pages_hold_everything_once() {
    let wallets = wallets();
    hourly(&wallets, 700);
    for (reference, include_hidden) in [("", true), ("", false), ("a", true), ("b", false), ("none", true)] {
        let (reference, from, to) = (reference.to_string(), at(10), at(690));
        let whole = TransactionsRequest { reference, include_hidden, from, to, limit: 1000, ..Default::default() };
        let want: Vec<i64> = (10..690)
            .filter(|n| {
                (include_hidden || n % 2 == 1)
                    && ["", ["a", "b", "c"][*n as usize % 3]].contains(&whole.reference.as_str())
            })
            .collect();
        assert_eq!(amounts(&wallets, whole.clone()), want);
        let mut page = TransactionsRequest { limit: 7, ..whole };
        let mut seen = vec![];
        loop {
            let told = wallets.call(page.clone()).unwrap();
            assert!(told.transactions.len() == 7 || told.cursor.is_empty(), "a short page that is not the last");
            seen.extend(told.transactions.into_iter().map(|transaction| transaction.amount));
            page.cursor = told.cursor;
            if page.cursor.is_empty() {
                break;
            }
        }
        assert_eq!(seen, want, "{page:?}");
    }
}

#[test]
fn one_page_looks_at_no_more_than_ten_thousand() {
    let wallets = wallets();
    (0..10_001).for_each(|_| credit(&wallets, "", 1).map(drop).unwrap());
    keyed_credit(&wallets, "", 7, "needle", "").unwrap();
    let request = TransactionsRequest { reference: "needle".into(), ..Default::default() };
    let first = wallets.call(request.clone()).unwrap();
    assert!(first.transactions.is_empty() && !first.cursor.is_empty(), "short, and not the last");
    let second = wallets.call(TransactionsRequest { cursor: first.cursor, ..request }).unwrap();
    assert_eq!((second.transactions[0].amount, second.cursor.as_str()), (7, ""));
}

#[test]
fn a_statement_adds_up() {
    let wallets = wallets();
    hourly(&wallets, 3);
    debit(&wallets, "", 4).unwrap();
    let StatementResponse { total, periods } = wallets.call(StatementRequest::default()).unwrap();
    let want = Totals {
        from: at(1),
        to: Rfc3339(at(3).0 + 1),
        opening: 0,
        credits: 6,
        debits: 4,
        closing: 2,
        transactions: 4,
    };
    assert_eq!((total, periods), (want, vec![]));
    let request = StatementRequest { from: at(2), to: at(3), ..Default::default() };
    let total = wallets.call(request).unwrap().total;
    assert_eq!((total.opening, total.credits, total.debits, total.closing, total.transactions), (1, 2, 0, 3, 1));
    assert_eq!((total.from, total.to), (at(2), at(3)));
}

#[test]
fn an_empty_wallet_has_an_empty_statement() {
    let wallets = wallets();
    wallets.advance(HOUR);
    let request = StatementRequest { period: Period::Month, ..Default::default() };
    let StatementResponse { total, periods } = wallets.call(request.clone()).unwrap();
    assert_eq!((total.opening, total.closing, total.transactions, periods.len()), (0, 0, 0, 0));
    let request = StatementRequest { from: at(0).plus(Duration::from_nanos(1)), ..request };
    assert_eq!(wallets.call(request).unwrap().periods.len(), 1, "a time without transactions is a period all the same");
}

#[test]
fn periods_begin_at_midnight_on_mondays_and_on_the_first() {
    let wallets = wallets();
    let start = moment("2026-01-30T12:00:00Z");
    wallets.advance(Rfc3339(0).until(start));
    for _ in 0..40 {
        credit(&wallets, "", 1).unwrap();
        wallets.advance(HOUR * 24);
    }
    let periods = |period, to: &str| {
        let request = StatementRequest { period, to: moment(to), ..Default::default() };
        wallets.call(request).unwrap().periods
    };
    let months = periods(Period::Month, "2026-03-05T00:00:00Z");
    let told: Vec<_> = months.iter().map(|p| (p.from, p.to, p.opening, p.credits, p.closing)).collect();
    let (february, march) = (moment("2026-02-01T00:00:00Z"), moment("2026-03-01T00:00:00Z"));
    let end = moment("2026-03-05T00:00:00Z");
    assert_eq!(told, [(start, february, 0, 2, 2), (february, march, 2, 28, 30), (march, end, 30, 4, 34)]);
    let weeks = periods(Period::Week, "2026-02-10T00:00:00Z");
    assert_eq!(weeks.iter().map(|p| p.credits).collect::<Vec<_>>(), [3, 7, 1]);
    assert_eq!(periods(Period::Day, "2026-02-10T00:00:00Z").len(), 11);
    let request = StatementRequest { period: Period::Day, from: moment("2025-10-01T00:00:00Z"), ..Default::default() };
    let error = wallets.call(request).unwrap_err();
    assert!(error.is(&TOO_MANY_PERIODS) && error.detail == "these are more than 100 periods", "{error:?}");
}

#[test]
fn totals_beyond_an_int64_are_refused_not_wrapped() {
    let wallets = wallets();
    for _ in 0..2 {
        credit(&wallets, "", i64::MAX).unwrap();
        debit(&wallets, "", i64::MAX).unwrap();
        wallets.advance(HOUR);
    }
    assert!(wallets.call(StatementRequest::default()).unwrap_err().is(&TOTAL_OUT_OF_RANGE));
    let total = wallets.call(StatementRequest { from: at(1), ..Default::default() }).unwrap().total;
    assert_eq!((total.credits, total.debits, total.closing), (i64::MAX, i64::MAX, 0));
}

#[test]
fn random_statements_against_every_entry() {
    for seed in 0..60 {
        let mut random = SmallRng::seed_from_u64(seed);
        let wallets = wallets();
        let mut made: Vec<(Rfc3339, i64)> = vec![];
        for _ in 0..random.random_range(0..40) {
            wallets.advance(Duration::from_secs(random.random_range(0..3) * 40_000));
            let now = wallets.view("default", |view| view.now());
            let amount = random.random_range(1..9);
            if random.random() {
                credit(&wallets, "", amount).unwrap();
                made.push((now, amount));
            } else if debit(&wallets, "", amount).is_ok() {
                made.push((now, -amount));
            }
        }
        let any = |random: &mut SmallRng| Rfc3339(random.random_range(0..40_i64) * 40_000_000_000_000);
        let (from, to) = (any(&mut random), any(&mut random));
        let request = StatementRequest { from, to, period: Period::Day, ..Default::default() };
        let StatementResponse { total, periods } = wallets.call(request).unwrap();
        let sum =
            |of: &dyn Fn(Rfc3339, i64) -> bool| made.iter().filter(|(t, n)| of(*t, *n)).map(|(_, n)| *n).sum::<i64>();
        let end = if to.0 == 0 { Rfc3339(i64::MAX) } else { to.max(from) };
        let within = |t: Rfc3339| from <= t && t < end;
        assert_eq!(total.opening, sum(&|t, _| t < from.min(end)), "seed {seed}");
        assert_eq!(total.credits, sum(&|t, n| within(t) && n > 0), "seed {seed}");
        assert_eq!(total.debits, -sum(&|t, n| within(t) && n < 0), "seed {seed}");
        assert_eq!(total.opening + total.credits - total.debits, total.closing, "seed {seed}");
        assert_eq!(total.transactions as usize, made.iter().filter(|(t, _)| within(*t)).count(), "seed {seed}");
        let mut at = total.opening;
        for period in &periods {
            assert_eq!(
                (period.opening, period.opening + period.credits - period.debits),
                (at, period.closing),
                "seed {seed}"
            );
            at = period.closing;
        }
        if !periods.is_empty() {
            assert_eq!((at, periods[0].from, periods[periods.len() - 1].to), (total.closing, total.from, total.to));
            assert!(
                periods.windows(2).all(|pair| pair[0].to == pair[1].from && pair[0].to.0 % 86_400_000_000_000 == 0)
            );
        }
    }
}
