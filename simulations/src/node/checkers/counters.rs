//! Counters of `cache`: put in the order of their replies, the increments must chain without a gap or an overlap.

use super::{Whose, decoded};
use crate::node::calls::{Call, Done, Kind, Reply};
use services::cache::{DecrementResponse, GetResponse, IncrementResponse};
use std::collections::BTreeMap;

#[derive(Default)]
pub struct Counters {
    /// The highest value anybody was told.
    floors: BTreeMap<Whose, i64>,
}

impl Counters {
    pub fn floor(&self, whose: &Whose) -> u64 {
        self.floors.get(whose).map_or(0, |floor| *floor as u64)
    }

    pub fn ran(&mut self, call: &Call, reply: &Reply) -> Result<(), String> {
        let (value, by) = value_of(call, reply)?;
        if value < call.floor as i64 + by {
            return Err(format!("counts {value} after {} was known", call.floor));
        }
        let floor = self.floors.entry((call.account.clone(), call.entity.clone())).or_default();
        *floor = value.max(*floor);
        Ok(())
    }

    pub fn at_rest(&self, calls: &[Call]) -> Result<(), String> {
        let mut chains: BTreeMap<Whose, BTreeMap<i64, (i64, u64)>> = BTreeMap::new();
        for call in calls {
            if !matches!(call.kind, Kind::Count { .. } | Kind::CountBack { .. }) {
                continue;
            }
            let Some(Done::Ran(reply)) = &call.done else { continue };
            let (value, by) = value_of(call, reply)?;
            let chain = chains.entry((call.account.clone(), call.entity.clone())).or_default();
            if by > 0 && chain.insert(value, (by, call.token)).is_some() {
                return Err(format!("{}: two calls counted to {value}", call.names()));
            }
        }
        for (whose, chain) in &chains {
            let mut before = 0;
            for (value, (by, token)) in chain {
                if value - by != before {
                    return Err(format!("{whose:?}: call {token} counted {by} to {value}, before it stood {before}"));
                }
                before = *value;
            }
            if self.floors.get(whose).is_some_and(|floor| *floor != before) {
                return Err(format!("{whose:?}: {before} was counted, {:?} was seen", self.floors.get(whose)));
            }
        }
        Ok(())
    }
}

fn value_of(call: &Call, reply: &Reply) -> Result<(i64, i64), String> {
    Ok(match call.kind {
        Kind::Count { by } => (decoded::<IncrementResponse>(reply)?.value, by),
        Kind::CountBack { by } => (decoded::<DecrementResponse>(reply)?.value, by),
        _ => {
            let GetResponse { value, .. } = decoded(reply)?;
            let value = if value.is_empty() { Ok(0) } else { value.parse() };
            (value.map_err(|_| "a counter that is no number")?, 0)
        }
    })
}
