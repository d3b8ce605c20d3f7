//! What clients saw, when, and whether some order of it makes sense: linearizability, key by key.
//!
//! A [`Recorder`] stamps each operation at its call and at its answer with one clock. [`check`] hands every key's operations to
//! `todc-utils`' checker (Wing and Gong's algorithm with Lowe's memory, as Porcupine and Knossos have it): no dependencies, tested
//! on Jepsen's histories of etcd. Its search is exponential at worst, so it gets a budget for each key: keys that exceed it are
//! named, and count as unproven, never as fine. Short histories keep that rare: clients move on to new keys.
//!
//! An operation without an answer may have taken effect at any time after its call, or never. Both are one case: it returns when
//! everything else is over, and what takes effect last is seen by nobody.

mod recorder;
mod search;
#[cfg(test)]
mod tests;

pub use recorder::Recorder;

use anyhow::{Result, bail};
use std::collections::BTreeMap;
use std::fmt;

/// One key of `cache`: a number, or nothing.
pub type Value = Option<i64>;

/// What was asked of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    Get,
    Set(i64),
    /// Answers the sum; nothing counts as 0.
    Add(i64),
    Delete,
}

/// What is known of it in the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Done; the value that `Get` and `Add` told, nothing for the others.
    Done(Value),
    /// It may have been done, may still be, or never.
    Unknown,
}

/// One operation on one key. Times are those of the recorder's clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    pub client: usize,
    pub key: String,
    pub asked: Asked,
    pub called_ns: u64,
    /// Of no meaning when the answer is unknown.
    pub returned_ns: u64,
    pub answer: Answer,
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = |ns: u64| ns as f64 / 1e6;
        let Event { client, asked, called_ns, returned_ns, answer, .. } = self;
        match answer {
            Answer::Done(value) => {
                write!(
                    f,
                    "{:>10.3} to {:>10.3} ms  k{client}  {asked:?} -> {value:?}",
                    ms(*called_ns),
                    ms(*returned_ns)
                )
            }
            Answer::Unknown => write!(f, "{:>10.3} to          ? ms  k{client}  {asked:?} -> unknown", ms(*called_ns)),
        }
    }
}

/// What a check came to, if no key is in violation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    pub keys: usize,
    pub operations: usize,
    pub unknown: usize,
    /// Keys whose search was given up.
    pub unproven: Vec<String>,
}

impl Checked {
    pub fn add(&mut self, other: Checked) {
        self.keys += other.keys;
        self.operations += other.operations;
        self.unknown += other.unknown;
        self.unproven.extend(other.unproven);
    }
}

impl fmt::Display for Checked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Checked { keys, operations, unknown, unproven } = self;
        write!(
            f,
            "{} of {keys} keys linearizable ({operations} operations, {unknown} unanswered)",
            keys - unproven.len()
        )?;
        match unproven.len() {
            0 => Ok(()),
            n => write!(f, "; UNPROVEN, too many orders to try: {n}: {}", unproven.join(", ")),
        }
    }
}

/// Steps of the search for one key. A key of 60 operations that overlap a little takes some hundreds.
pub const STEPS: u64 = 3_000_000;

/// Checks each key; the first that no order explains is an error that shows its whole history.
pub fn check(events: &[Event]) -> Result<Checked> {
    check_within(events, STEPS)
}

fn check_within(events: &[Event], steps: u64) -> Result<Checked> {
    let mut keys: BTreeMap<&str, Vec<&Event>> = BTreeMap::new();
    events.iter().for_each(|event| keys.entry(&event.key).or_default().push(event));
    let mut checked = Checked { keys: keys.len(), operations: events.len(), ..Checked::default() };
    checked.unknown = events.iter().filter(|event| event.answer == Answer::Unknown).count();
    for (key, mut events) in keys {
        events.sort_by_key(|event| event.called_ns);
        match search::verdict(&events, steps) {
            search::Verdict::Linearizable => {}
            search::Verdict::GivenUp => checked.unproven.push(key.into()),
            search::Verdict::Violation => {
                let lines: Vec<String> = events.iter().map(|event| format!("  {event}")).collect();
                bail!("{key} is not linearizable: no order explains\n{}", lines.join("\n"));
            }
        }
    }
    Ok(checked)
}
