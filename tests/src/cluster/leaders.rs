//! Never two leaders of one group in one term: every node is asked all the time what it leads.

use crate::http::Http;
use crate::wait;
use anyhow::{Result, bail};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// Between two questions to a node.
const EVERY: Duration = Duration::from_millis(50);
/// A node that is stopped does not hold up the others; it is asked again.
const PATIENCE: Duration = Duration::from_secs(1);

/// Asks until it is dropped.
pub struct Leaders {
    seen: Arc<Mutex<Seen>>,
    #[allow(dead_code, reason = "held: the asking ends with it")]
    asking: JoinSet<()>,
}

#[derive(Debug, Default)]
struct Seen {
    /// (group, term) → the node that said it leads it.
    led: BTreeMap<(u64, u64), u64>,
    twice: Option<String>,
}

impl Leaders {
    pub fn watch(doors: Vec<Http>) -> Leaders {
        let seen: Arc<Mutex<Seen>> = Arc::default();
        let mut asking = JoinSet::new();
        for door in doors {
            let seen = seen.clone();
            asking.spawn(async move {
                loop {
                    if let Ok(Ok(reply)) = timeout(PATIENCE, door.get("/status")).await
                        && let Ok(status) = reply.done()
                    {
                        seen.lock().unwrap_or_else(PoisonError::into_inner).note(&status);
                    }
                    wait::pass(EVERY).await;
                }
            });
        }
        Leaders { seen, asking }
    }

    /// How many (group, term) were seen led; two leaders of one are an error.
    pub fn check(&self) -> Result<usize> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        match &seen.twice {
            Some(twice) => bail!("{twice}"),
            None => Ok(seen.led.len()),
        }
    }
}

impl Seen {
    /// A node tells the term of those groups only that it leads itself.
    fn note(&mut self, status: &serde_json::Value) {
        let Some(node) = status["node"].as_u64() else { return };
        for group in status["groups"].as_array().into_iter().flatten() {
            let (Some(id), Some(term)) = (group["id"].as_u64(), group["leads_in_term"].as_u64()) else { continue };
            let leader = *self.led.entry((id, term)).or_insert(node);
            if leader != node {
                let what = format!("group {id} was led in term {term} by node {leader} and by node {node}");
                self.twice.get_or_insert(what);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn two_leaders_of_one_term_are_found_and_one_after_the_other_is_fine() {
        let said = |node: u64, term| json!({"node": node, "groups": [{"id": 3, "leads_in_term": term}, {"id": 4}]});
        let mut seen = Seen::default();
        [said(1, 7), said(1, 7), said(2, 8), said(1, 9)].iter().for_each(|status| seen.note(status));
        assert_eq!((seen.led.len(), &seen.twice), (3, &None));
        seen.note(&said(1, 8));
        assert_eq!(seen.twice.as_deref(), Some("group 3 was led in term 8 by node 2 and by node 1"));
    }
}
