//! Keys of `cache` that one client alone changes, one call at a time: every answer is known beforehand, expiry too.

use super::{Whose, decoded};
use crate::node::calls::{Call, Kind, Reply};
use services::cache::GetResponse;
use std::collections::BTreeMap;

#[derive(Default)]
pub struct Own {
    keys: BTreeMap<Whose, Held>,
}

struct Held {
    value: String,
    /// Between these it becomes due.
    due: Option<(i64, i64)>,
}

const SECOND_NS: i64 = 1_000_000_000;

impl Own {
    pub fn ran(&mut self, call: &Call, reply: &Reply, read_at: Option<i64>, clock_high: i64) -> Result<(), String> {
        if call.done.is_some() {
            return Ok(());
        }
        let whose = (call.account.clone(), call.entity.clone());
        match call.kind {
            Kind::Set { ttl } => {
                let end = |clock: i64| clock.saturating_add(ttl * SECOND_NS);
                let due = (ttl > 0).then(|| (end(call.clock_low), end(clock_high)));
                self.keys.insert(whose, Held { value: format!("r{}", call.token), due });
                reply.as_ref().map(drop).map_err(|error| format!("refused: {error}"))
            }
            Kind::Delete => {
                self.keys.remove(&whose);
                Ok(())
            }
            _ => {
                let GetResponse { value, .. } = decoded(reply)?;
                let (held, at) = (self.keys.get(&whose), read_at.unwrap_or_default());
                let must = held.filter(|held| held.due.is_none_or(|(low, _)| at < low));
                let may = held.filter(|held| held.due.is_none_or(|(_, high)| at < high));
                match (must, may) {
                    (Some(held), _) if value != held.value => Err(format!("reads {value:?}, not {:?}", held.value)),
                    (_, None) if !value.is_empty() => Err(format!("reads {value:?}, which is not there (at {at})")),
                    (_, Some(held)) if !value.is_empty() && value != held.value => Err(format!("reads {value:?}")),
                    _ => Ok(()),
                }
            }
        }
    }
}
