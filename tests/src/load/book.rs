//! What clients were told, held against what the node holds.

use super::{Fate, Op};
use anyhow::{Result, bail, ensure};
use std::collections::BTreeMap;

/// An operation and what its caller knows.
#[derive(Clone, Debug)]
pub struct Record {
    pub op: Op,
    pub fate: Fate,
}

/// A transaction as the node lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub id: String,
    pub amount: i64,
    pub reference: String,
}

/// A wallet: its list, oldest first, and its balance, against all that was asked of it. Every answered operation is there
/// once, with the balance it was told; the unanswered are whole or absent; nothing else is there.
pub fn check_wallet(records: &[&Record], listed: &[Entry], balance: i64) -> Result<()> {
    let mut held = 0_i64;
    let mut at: BTreeMap<&str, (i64, i64)> = BTreeMap::new();
    for entry in listed {
        held += entry.amount;
        ensure!(held >= 0, "overdrawn to {held} by {}", entry.reference);
        if at.insert(&entry.reference, (entry.amount, held)).is_some() {
            bail!("{} counts twice", entry.reference);
        }
    }
    ensure!(held == balance, "its transactions add up to {held}, its balance is {balance}");
    for Record { op, fate } in records {
        let label = op.label.as_str();
        match (fate, at.remove(label)) {
            (Fate::Done(told), None) => bail!("{label} was answered (balance {told}) and is gone"),
            (Fate::Done(told), Some((amount, after))) => {
                ensure!(amount == op.signed(), "{label} asked for {} and {amount} is listed", op.signed());
                ensure!(after == *told, "{label} was told balance {told}, the transactions up to it make {after}");
            }
            (Fate::Unknown, Some((amount, _))) => {
                ensure!(amount == op.signed(), "{label} (unanswered) asked for {} and {amount} is listed", op.signed());
            }
            (Fate::Unknown, None) => {}
            (fate @ (Fate::Refused(_) | Fate::NotRun), Some(_)) => bail!("{label} was told {fate:?} and is listed"),
            (Fate::Refused(_) | Fate::NotRun, None) => {}
        }
    }
    match at.into_keys().next() {
        Some(nobodys) => bail!("{nobodys} is listed and nobody asked for it"),
        None => Ok(()),
    }
}

/// Earlier transactions stay as and where they were.
pub fn check_prefix(before: &[Entry], now: &[Entry]) -> Result<()> {
    for (n, entry) in before.iter().enumerate() {
        ensure!(now.get(n) == Some(entry), "transaction {n} was {entry:?} and is {:?}", now.get(n));
    }
    Ok(())
}

/// A counter that only grows: the answers, in order, are steps of their own size; what lies between two of them, and behind
/// the last, is made of unanswered ones, each whole, none twice.
pub fn check_counter(records: &[&Record], value: i64) -> Result<()> {
    let mut done: Vec<(i64, i64, &str)> = vec![];
    let mut maybe: Vec<i64> = vec![];
    for Record { op, fate } in records {
        match fate {
            Fate::Done(told) => done.push((*told, op.signed(), &op.label)),
            Fate::Unknown => maybe.push(op.signed()),
            Fate::NotRun => {}
            Fate::Refused(reason) => bail!("{} was refused ({reason}): counters refuse nothing here", op.label),
        }
    }
    done.sort_unstable();
    let mut held = 0;
    for (told, by, label) in done {
        let before = told - by;
        ensure!(before >= held, "{label} was told {told} for +{by}, but {held} had been reached before");
        take(&mut maybe, before - held, label)?;
        held = told;
    }
    ensure!(value >= held, "it holds {value}, after {held} was answered");
    take(&mut maybe, value - held, "its end")
}

/// Takes the unanswered steps that make up `gap`. Few are likelier than many, and found sooner.
fn take(maybe: &mut Vec<i64>, gap: i64, before: &str) -> Result<()> {
    fn find(steps: &[i64], gap: i64, count: usize, chosen: &mut Vec<usize>, from: usize) -> bool {
        if count == 0 {
            return gap == 0;
        }
        for (at, &step) in steps.iter().enumerate().skip(from).filter(|(_, step)| **step <= gap) {
            chosen.push(at);
            if find(steps, gap - step, count - 1, chosen, at + 1) {
                return true;
            }
            chosen.pop();
        }
        false
    }
    let mut chosen = vec![];
    if !(0..=maybe.len()).any(|count| find(maybe, gap, count, &mut chosen, 0)) {
        bail!("before {before} the counter moved by {gap}, which no set of unanswered increments explains");
    }
    for at in chosen.into_iter().rev() {
        maybe.remove(at);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::{Way, What};
    use super::*;

    fn record(label: &str, signed: i64, fate: Fate) -> Record {
        let what = match signed {
            1.. => What::Credit { wallet: 0, amount: signed },
            _ => What::Debit { wallet: 0, amount: -signed },
        };
        Record { op: Op { what, way: Way::HttpBare, label: label.into() }, fate }
    }

    fn entry(reference: &str, amount: i64) -> Entry {
        Entry { id: reference.into(), amount, reference: reference.into() }
    }

    fn wallet(records: &[Record], entries: &[Entry], balance: i64) -> String {
        let checked = check_wallet(&records.iter().collect::<Vec<_>>(), entries, balance);
        checked.err().map(|error| error.to_string()).unwrap_or_default()
    }

    #[test]
    fn a_wallet_that_kept_its_word_passes() {
        let refused = Fate::Refused("insufficient_credit".into());
        let records = [
            record("a", 10, Fate::Done(10)),
            record("b", -4, Fate::Done(6)),
            record("c", -9, refused),
            record("d", 5, Fate::Unknown),
            record("e", 7, Fate::Unknown),
            record("f", 1, Fate::NotRun),
        ];
        assert_eq!(wallet(&records, &[entry("a", 10), entry("b", -4), entry("e", 7)], 13), "");
    }

    #[test]
    fn every_broken_promise_is_named() {
        let a = || record("a", 10, Fate::Done(10));
        let rows: [(Record, &[Entry], i64, &str); 10] = [
            (a(), &[], 0, "a was answered (balance 10) and is gone"),
            (a(), &[entry("a", 10), entry("a", 10)], 20, "a counts twice"),
            (a(), &[entry("a", 9)], 9, "a asked for 10 and 9 is listed"),
            (a(), &[entry("a", 10)], 11, "its transactions add up to 10, its balance is 11"),
            (
                record("a", 10, Fate::Done(12)),
                &[entry("a", 10)],
                10,
                "a was told balance 12, the transactions up to it make 10",
            ),
            (a(), &[entry("a", 10), entry("x", 1)], 11, "x is listed and nobody asked for it"),
            (record("a", 10, Fate::NotRun), &[entry("a", 10)], 10, "a was told NotRun and is listed"),
            (record("a", -5, Fate::Unknown), &[entry("a", -5)], -5, "overdrawn to -5 by a"),
            (record("a", 5, Fate::Unknown), &[entry("a", 4)], 4, "a (unanswered) asked for 5 and 4 is listed"),
            (
                record("a", 10, Fate::Refused("no".into())),
                &[entry("a", 10)],
                10,
                r#"a was told Refused("no") and is listed"#,
            ),
        ];
        for (record, entries, balance, want) in rows {
            assert_eq!(wallet(&[record], entries, balance), want);
        }
    }

    #[test]
    fn a_counters_gaps_are_made_of_unanswered_steps() {
        let increments = |fates: &[(i64, Fate)], value| {
            let records: Vec<Record> = fates.iter().map(|(by, fate)| record("i", *by, fate.clone())).collect();
            check_counter(&records.iter().collect::<Vec<_>>(), value)
                .err()
                .map(|error| error.to_string())
                .unwrap_or_default()
        };
        let (done, unknown) = (Fate::Done, Fate::Unknown);
        assert_eq!(increments(&[(3, done(3)), (4, done(12)), (5, unknown.clone()), (7, unknown.clone())], 19), "");
        assert_eq!(increments(&[(3, done(3)), (5, unknown.clone())], 3), "");
        assert!(increments(&[(3, done(3)), (5, unknown.clone())], 13).contains("moved by 10"), "counted twice");
        assert!(increments(&[(3, done(3))], 0).contains("it holds 0, after 3 was answered"));
        assert!(increments(&[(3, done(3)), (3, done(3))], 3).contains("but 3 had been reached before"));
        assert!(increments(&[(3, done(3)), (4, done(8))], 8).contains("moved by 1"));
    }

    #[test]
    fn the_past_does_not_change() {
        let (a, b) = (entry("a", 1), entry("b", 2));
        check_prefix(std::slice::from_ref(&a), &[a.clone(), b.clone()]).unwrap();
        assert!(check_prefix(&[a.clone(), b.clone()], &[b, a]).is_err());
    }
}
