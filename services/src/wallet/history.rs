//! Looking back. Entries are numbered without a gap in the order of their moments, so a moment is found by halving; and each
//! knows the sums up to itself, so a period is the difference of two of them, however much happened in it.

use super::api::*;
use super::calendar;
use super::rows::*;
use sdk::prelude::*;
use std::ops::Range;

/// Entries read at once, and at most for one page: with a reference asked for, most may be in vain.
const PORTION: usize = 256;
const LOOKED_AT_MAX: usize = 10_000;

pub fn transactions(view: &View, req: TransactionsRequest) -> Result<TransactionsResponse> {
    let behind = SHOWN.behind(&req.cursor)?;
    let Some(wallet) = find(view)? else { return Ok(TransactionsResponse::default()) };
    let limit = if req.limit <= 0 { 100 } else { req.limit as usize };
    let within = between(view, &wallet, req.from, req.to)?;
    let mut next = behind.map_or(within.start, |last| within.start.max(last.saturating_add(1)));
    let mut page = TransactionsResponse::default();
    let (mut last, mut looked_at) = (0, 0);
    while next < within.end {
        let portion = entries(view, next..within.end, req.include_hidden)?;
        for (number, entry, visible) in portion.iter().cloned() {
            if looked_at == LOOKED_AT_MAX {
                page.cursor = SHOWN.cursor(&last);
                return Ok(page);
            }
            looked_at += 1;
            if req.reference.is_empty() || entry.reference == req.reference {
                // Only what really is behind the page makes another one.
                if page.transactions.len() == limit {
                    page.cursor = SHOWN.cursor(&last);
                    return Ok(page);
                }
                page.transactions.push(entry.transaction(visible));
            }
            last = number;
            next = number + 1;
        }
        if portion.len() < PORTION {
            break;
        }
    }
    Ok(page)
}

pub fn statement(view: &View, req: StatementRequest) -> Result<StatementResponse> {
    let wallet = find(view)?.ok_or_else(super::commands::unknown)?;
    let all = between(view, &wallet, req.from, req.to)?;
    // What happened in this very moment is part of it.
    let now = wire::Rfc3339(view.now().0.saturating_add(1));
    let to = if req.to.0 == 0 { now } else { req.to.min(now) };
    let from = match req.from.0 {
        0 => entry(view, 0)?.map_or(to, |first| first.created),
        _ => req.from,
    };
    let total = totals(view, from.min(to)..to, all.clone())?;
    let mut periods = vec![];
    let (mut at, mut first) = (from, all.start);
    while req.period != Period::Whole && at < to {
        if periods.len() == PERIODS_MAX {
            return Err(TOO_MANY_PERIODS.because(format!("these are more than {PERIODS_MAX} periods")));
        }
        let end = calendar::next(req.period, at).min(to);
        let last = if end == to { all.end } else { first_at(view, first..all.end, end)? };
        periods.push(totals(view, at..end, first..last)?);
        (at, first) = (end, last);
    }
    Ok(StatementResponse { total, periods })
}

/// The numbers of the entries from one moment up to another; 0 = not given.
fn between(view: &View, wallet: &Wallet, from: Time, to: Time) -> Result<Range<u64>> {
    let start = if from.0 == 0 { 0 } else { first_at(view, 0..wallet.entries, from)? };
    let end = if to.0 == 0 { wallet.entries } else { first_at(view, start..wallet.entries, to)? };
    Ok(start..end)
}

/// The first entry made at or after `moment`, or the end.
fn first_at(view: &View, within: Range<u64>, moment: Time) -> Result<u64> {
    let Range { mut start, mut end } = within;
    while start < end {
        let middle = start + (end - start) / 2;
        match entry(view, middle)? {
            Some(entry) if entry.created < moment => start = middle + 1,
            _ => end = middle,
        }
    }
    Ok(start)
}

fn entry(view: &View, number: u64) -> Result<Option<Entry>> {
    match view.get_at(&SHOWN, &number)? {
        Some(entry) => Ok(Some(entry)),
        None => view.get_at(&HIDDEN, &number),
    }
}

/// A portion of entries in order, and whether each is visible.
fn entries(view: &View, within: Range<u64>, include_hidden: bool) -> Result<Vec<(u64, Entry, bool)>> {
    let shown = view.scan(&SHOWN).from(&within.start).before(&within.end).take(PORTION)?;
    let mut found: Vec<_> = shown.into_iter().map(|(number, entry)| (number, entry, true)).collect();
    if include_hidden {
        let hidden = view.scan(&HIDDEN).from(&within.start).before(&within.end).take(PORTION)?;
        found.extend(hidden.into_iter().map(|(number, entry)| (number, entry, false)));
        found.sort_by_key(|(number, ..)| *number);
        found.truncate(PORTION);
    }
    Ok(found)
}

fn totals(view: &View, time: Range<Time>, numbers: Range<u64>) -> Result<Totals> {
    let sums = |behind: u64| match behind.checked_sub(1) {
        Some(last) => Ok(entry(view, last)?.map_or((0, 0), |entry| (entry.balance, entry.credited))),
        None => Ok::<_, Error>((0, 0)),
    };
    let (opening, credited_before) = sums(numbers.start)?;
    let (closing, credited) = sums(numbers.end)?;
    let credits = (credited - credited_before) as i128;
    let debits = credits - (i128::from(closing) - i128::from(opening));
    let fits = |total: i128| i64::try_from(total).map_err(|_| TOTAL_OUT_OF_RANGE.because("total out of range"));
    Ok(Totals {
        from: time.start,
        to: time.end,
        opening,
        credits: fits(credits)?,
        debits: fits(debits)?,
        closing,
        transactions: (numbers.end - numbers.start) as i64,
    })
}
