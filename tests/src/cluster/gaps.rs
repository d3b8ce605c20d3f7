//! How long writes have no answer after a fault: for each group that it hit, from the fault to the first answered write.

use crate::http::Http;
use crate::wait;
use anyhow::{Result, bail};
use serde_json::json;
use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// The next try does not wait for the one before.
const EVERY: Duration = Duration::from_millis(50);
/// With a majority alive a group is led again long before.
const BACK_WITHIN: Duration = Duration::from_secs(30);

/// Writes to one key of each of some groups until one is answered.
pub struct Probe {
    asking: JoinSet<Result<Duration>>,
}

impl Probe {
    /// `doors` are of nodes that the fault left alone; `of` is how many groups there are.
    pub fn start(hit: &[u64], of: u16, doors: &[Http], since: Instant) -> Probe {
        let mut asking = JoinSet::new();
        // Meta has no keys.
        for group in hit.iter().copied().filter(|group| *group > 0) {
            asking.spawn(first_answer(group, key_of(group, of), doors.to_vec(), since));
        }
        Probe { asking }
    }

    /// Waits for all of them.
    pub async fn gaps(mut self) -> Result<Vec<Duration>> {
        let mut gaps = vec![];
        while let Some(gap) = self.asking.join_next().await {
            gaps.push(gap??);
        }
        Ok(gaps)
    }
}

async fn first_answer(group: u64, key: String, doors: Vec<Http>, since: Instant) -> Result<Duration> {
    let mut tries = JoinSet::new();
    for turn in 0.. {
        if since.elapsed() > BACK_WITHIN {
            bail!("no write to group {group} was answered for {BACK_WITHIN:?}, though a majority of nodes is there");
        }
        let (door, body) = (doors[turn % doors.len()].clone(), json!({"key": key, "value": turn.to_string()}));
        tries.spawn(async move { door.call("/v1/cache/Set", &body).await.is_ok_and(|reply| reply.code == 200) });
        let pause = wait::pass(EVERY);
        tokio::pin!(pause);
        loop {
            tokio::select! {
                biased;
                Some(done) = tries.join_next() => if done? { return Ok(since.elapsed()) },
                () = &mut pause => break,
            }
        }
    }
    unreachable!("turns do not end")
}

/// A key of `cache` that the group owns, as topology has it: an even share of the slots each.
fn key_of(group: u64, groups: u16) -> String {
    let owner = |key: &str| {
        let slot = u64::from(wire::slot::slot("local", "cache", key));
        1 + slot * u64::from(groups) / u64::from(wire::slot::SLOTS)
    };
    let mut keys = (0..).map(|n| format!("probe-{n}"));
    keys.find(|key| owner(key) == group).expect("every group owns slots")
}

/// All gaps of a run, by kind of fault.
#[derive(Debug, Default)]
pub struct Gaps(BTreeMap<String, Vec<Duration>>);

impl Gaps {
    pub fn add(&mut self, kind: &str, gaps: Vec<Duration>) {
        self.0.entry(kind.into()).or_default().extend(gaps);
    }

    fn at(sorted: &[Duration], percent: usize) -> Duration {
        sorted[(sorted.len() * percent).div_ceil(100).clamp(1, sorted.len()) - 1]
    }
}

impl fmt::Display for Gaps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (kind, gaps) in self.0.iter().filter(|(_, gaps)| !gaps.is_empty()) {
            let mut sorted = gaps.clone();
            sorted.sort_unstable();
            let ms = |percent| Gaps::at(&sorted, percent).as_millis();
            let (n, p50, p99, most) = (sorted.len(), ms(50), ms(99), ms(100));
            writeln!(f, "gaps after {kind:<22} {n:>5} groups: p50 {p50} ms, p99 {p99} ms, longest {most} ms")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_what_was_measured() {
        let mut gaps = Gaps::default();
        gaps.add("a kill", (1..=200).rev().map(Duration::from_millis).collect());
        gaps.add("nothing", vec![]);
        let said = gaps.to_string();
        assert!(said.starts_with("gaps after a kill"), "{said}");
        assert!(said.ends_with("200 groups: p50 100 ms, p99 198 ms, longest 200 ms\n"), "{said}");
    }

    #[test]
    fn each_group_has_a_key_of_its_own() {
        let keys: std::collections::BTreeSet<String> = (1..=16).map(|group| key_of(group, 16)).collect();
        assert_eq!(keys.len(), 16);
    }
}
