//! Wallets: at any moment the entries add up to the balance; every answer is the balance behind its own entry.

use super::{Whose, decoded};
use crate::node::calls::{Call, Done, Kind, Reply};
use services::wallet::{self, BalanceResponse, CreditResponse, Transaction};
use std::collections::BTreeMap;

#[derive(Default)]
pub struct Wallets {
    /// The longest history of each: calls and signed amounts.
    longest: BTreeMap<Whose, Vec<(u64, i64)>>,
}

impl Wallets {
    pub fn ran(&mut self, call: &Call, reply: &Reply) -> Result<(), String> {
        match (&call.kind, reply) {
            (Kind::Balance, Ok(_)) => {
                let BalanceResponse { balance, .. } = decoded(reply)?;
                if balance < 0 { Err(format!("the balance is {balance}")) } else { Ok(()) }
            }
            (Kind::Create, Err(error)) if error.is(&wallet::ALREADY_EXISTS) => Ok(()),
            (Kind::Debit { .. }, Err(error)) if error.is(&wallet::INSUFFICIENT_CREDIT) => Ok(()),
            (_, Err(error)) if error.is(&wallet::INVALID_ACCOUNT) && &*call.entity != wallet::DEFAULT_ID => Ok(()),
            (_, Err(error)) => Err(format!("refused: {error}")),
            (_, Ok(_)) => Ok(()),
        }
    }

    /// Both queries saw one moment of the rows.
    pub fn looked(
        &mut self,
        whose: Whose,
        balance: i64,
        entries: &[Transaction],
        calls: &[Call],
    ) -> Result<(), String> {
        let mut sum = 0i64;
        let mut history = Vec::with_capacity(entries.len());
        for entry in entries {
            sum += entry.amount;
            let token: u64 = entry.reference.trim_start_matches('r').parse().unwrap_or_default();
            let call =
                calls.get((token as usize).wrapping_sub(1)).ok_or(format!("{whose:?}: {entry:?} is of nobody"))?;
            let amount = match call.kind {
                Kind::Credit { amount } => amount,
                Kind::Debit { amount } => -amount,
                _ => 0,
            };
            if (&call.account, &call.entity, amount) != (&whose.0, &whose.1, entry.amount) || sum < 0 {
                return Err(format!("{whose:?}: {entry:?} (sum {sum}) is not what {} asked", call.names()));
            }
            if history.iter().any(|(other, _)| *other == token) {
                return Err(format!("{} counted twice", call.names()));
            }
            history.push((token, entry.amount));
        }
        if sum != balance {
            return Err(format!("{whose:?}: the entries add up to {sum}, the balance is {balance}"));
        }
        let longest = self.longest.entry(whose.clone()).or_default();
        let known = longest.len().min(history.len());
        if longest[..known] != history[..known] {
            return Err(format!("{whose:?}: {history:?} where others saw {longest:?}"));
        }
        if history.len() > known {
            *longest = history;
        }
        Ok(())
    }

    pub fn at_rest(&self, calls: &[Call]) -> Result<(), String> {
        for call in calls.iter().filter(|call| matches!(call.kind, Kind::Credit { .. } | Kind::Debit { .. })) {
            let whose = (call.account.clone(), call.entity.clone());
            let empty = Vec::new();
            let history = self.longest.get(&whose).unwrap_or(&empty);
            let place = history.iter().position(|(token, _)| *token == call.token);
            let wrong = match (&call.done, place) {
                (Some(Done::Ran(reply @ Ok(_))), Some(place)) => {
                    let told = decoded::<CreditResponse>(reply)?.balance;
                    let sum: i64 = history[..=place].iter().map(|(_, amount)| amount).sum();
                    (told != sum).then(|| format!("was told {told}, its entry made {sum}"))
                }
                (Some(Done::Ran(Ok(_))), None) => Some("was answered and has no entry".into()),
                (Some(Done::Ran(Err(_)) | Done::NotRun), Some(_)) => Some("did not happen and has an entry".into()),
                (Some(Done::Ran(Err(error))), None) if error.is(&wallet::INSUFFICIENT_CREDIT) => {
                    self.ever_below(call, history, calls)
                }
                _ => None,
            };
            if let Some(wrong) = wrong {
                return Err(format!("{} {wrong}", call.names()));
            }
        }
        Ok(())
    }

    /// While a refused debit was under way the balance was too low at least once.
    fn ever_below(&self, call: &Call, history: &[(u64, i64)], calls: &[Call]) -> Option<String> {
        let Kind::Debit { amount } = call.kind else { return None };
        let of = |token: u64| &calls[token as usize - 1];
        let before = |token: u64| of(token).done_at.is_some_and(|at| at < call.issued_at);
        let behind = |token: u64| call.done_at.is_some_and(|at| at < of(token).issued_at);
        let low = history.iter().rposition(|(token, _)| before(*token)).map_or(0, |at| at + 1);
        let high = history.iter().position(|(token, _)| behind(*token)).unwrap_or(history.len());
        let sums = (0..=history.len()).map(|len| history[..len].iter().map(|(_, amount)| amount).sum::<i64>());
        let ever = sums.enumerate().any(|(len, sum)| (low..=high.max(low)).contains(&len) && sum < amount);
        (!ever).then(|| format!("was refused although the balance never was below between {low} and {high} entries"))
    }
}
