//! Reading the node whole, and asking it again.

use super::book::{check_counter, check_prefix, check_wallet};
use super::ways::{counter_key, number, over_http, wallet_id};
use super::{COUNTERS, Doors, Entry, Fate, Op, Record, WALLETS, Way, What};
use anyhow::{Context, Result, ensure};
use client::Client;
use serde_json::json;
use services::{cache, wallet};

/// What a wallet or counter of an era that is over must hold for good.
pub struct Kept {
    pub id: String,
    pub value: i64,
    /// Transactions, of a wallet.
    pub entries: Option<usize>,
}

/// Everything the era's wallets and counters hold, against all that was asked of them.
pub async fn era(doors: &Doors, records: &[Record], before: &mut [Vec<Entry>; WALLETS]) -> Result<Vec<Kept>> {
    let mut kept = vec![];
    for (number, before) in before.iter_mut().enumerate() {
        let id = wallet_id(doors.era, number);
        let (listed, balance) = (transactions(&doors.client, &id).await?, balance(&doors.client, &id).await?);
        let own: Vec<&Record> = records.iter().filter(|record| record.op.is_of_wallet(number)).collect();
        check_wallet(&own, &listed, balance)
            .and_then(|()| check_prefix(before, &listed))
            .with_context(|| format!("wallet {id}"))?;
        kept.push(Kept { id, value: balance, entries: Some(listed.len()) });
        *before = listed;
    }
    for number in 0..COUNTERS {
        let key = counter_key(doors.era, number);
        let value = counter(&doors.client, &key).await?;
        let own: Vec<&Record> = records.iter().filter(|record| record.op.is_of_counter(number)).collect();
        check_counter(&own, value).with_context(|| format!("counter {key}"))?;
        kept.push(Kept { id: key, value, entries: None });
    }
    Ok(kept)
}

/// A wallet or counter nobody touches any more.
pub async fn kept(client: &Client, kept: &Kept) -> Result<()> {
    let Kept { id, value, entries } = kept;
    match entries {
        None => {
            let now = counter(client, id).await?;
            ensure!(now == *value, "counter {id} was left with {value} and holds {now}");
        }
        Some(entries) => {
            let (listed, now) = (transactions(client, id).await?, balance(client, id).await?);
            let sum: i64 = listed.iter().map(|entry| entry.amount).sum();
            ensure!(
                now == *value && sum == now,
                "wallet {id} was left with {value}, holds {now}, its transactions make {sum}"
            );
            ensure!(listed.len() == *entries, "wallet {id} had {entries} transactions and has {}", listed.len());
        }
    }
    Ok(())
}

/// The same id gets the same answer, in this life as in the one that gave it; another payload is refused.
pub async fn asked_again(doors: &Doors, record: &Record) -> Result<()> {
    let Record { op, fate } = record;
    let again = doors.perform(op).await?;
    ensure!(again == *fate, "{} was told {fate:?}; asked again under its id it is told {again:?}", op.label);
    if op.way == Way::HttpKey {
        let other = Op { what: other(&op.what), ..op.clone() };
        let refused = doors.reply(&other, 0).await?;
        ensure!(
            refused.code == 422,
            "{}: another payload under its id was answered {}: {}",
            op.label,
            refused.code,
            refused.text()
        );
        ensure!(matches!(over_http(Ok(refused))?, Fate::NotRun), "{}: a reused id must say not_run", op.label);
    }
    Ok(())
}

/// The same entity, another amount.
fn other(what: &What) -> What {
    match *what {
        What::Credit { wallet, amount } => What::Credit { wallet, amount: amount + 1 },
        What::Debit { wallet, amount } => What::Debit { wallet, amount: amount + 1 },
        What::Increment { counter, by } => What::Increment { counter, by: by + 1 },
    }
}

/// The era's wallets, made before anything is asked of them.
pub async fn create(doors: &Doors) -> Result<()> {
    for number in 0..WALLETS {
        let id = wallet_id(doors.era, number);
        let made =
            doors.http.call_once("/v1/wallet/Create", &json!({"id": id}), &format!("make-{id}")).await?.done()?;
        ensure!(self::number(&made["account"]["balance"]) == Some(0), "a new wallet holds nothing: {made}");
    }
    Ok(())
}

async fn balance(client: &Client, id: &str) -> Result<i64> {
    Ok(client.call(wallet::BalanceRequest { id: id.into() }).await?.balance)
}

async fn counter(client: &Client, key: &str) -> Result<i64> {
    let value = client.call(cache::GetRequest { key: key.into() }).await?.value;
    if value.is_empty() { Ok(0) } else { value.parse().with_context(|| format!("{key} holds {value:?}")) }
}

async fn transactions(client: &Client, id: &str) -> Result<Vec<Entry>> {
    let mut request = wallet::TransactionsRequest { id: id.into(), limit: 1000, ..Default::default() };
    let mut all = vec![];
    loop {
        let page = client.call(request.clone()).await?;
        let entry = |t: wallet::Transaction| Entry { id: t.id, amount: t.amount, reference: t.reference };
        all.extend(page.transactions.into_iter().map(entry));
        if page.cursor.is_empty() {
            return Ok(all);
        }
        request.cursor = page.cursor;
    }
}
