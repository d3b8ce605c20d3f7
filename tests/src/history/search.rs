//! The checker, and its budget.

use super::{Answer, Asked, Event, Value};
use std::cell::Cell;
use todc_utils::linearizability::history::Action;
use todc_utils::{History, Specification, WGLChecker};

pub enum Verdict {
    Linearizable,
    Violation,
    /// The budget is spent; nobody knows.
    GivenUp,
}

thread_local! {
    /// Steps left to the search on this thread: the checker takes no budget, but asks the specification at each step.
    static LEFT: Cell<u64> = const { Cell::new(0) };
}

/// Searches an order for the operations of one key, which are given in the order of their calls.
pub fn verdict(events: &[&Event], steps: u64) -> Verdict {
    // Calls before answers at the same nanosecond: what touches overlaps.
    let mut moments = vec![];
    for (n, event) in events.iter().enumerate() {
        let step = Step { asked: event.asked, answer: event.answer };
        match (event.asked, event.answer) {
            // A read nobody saw says nothing.
            (Asked::Get, Answer::Unknown) => continue,
            (_, Answer::Unknown) => moments.push((u64::MAX, 1, n, Action::Response(step))),
            (_, Answer::Done(_)) => moments.push((event.returned_ns, 1, n, Action::Response(step))),
        }
        moments.push((event.called_ns, 0, n, Action::Call(step)));
    }
    if moments.is_empty() {
        return Verdict::Linearizable;
    }
    moments.sort_by_key(|(at, kind, n, _)| (*at, *kind, *n));
    // Each operation is a process of its own: a client goes on after an unknown one.
    let actions = moments.into_iter().map(|(_, _, n, action)| (n, action)).collect();
    LEFT.set(steps);
    match (WGLChecker::<Key>::is_linearizable(History::from_actions(actions)), LEFT.get()) {
        (true, _) => Verdict::Linearizable,
        (false, 0) => Verdict::GivenUp,
        (false, _) => Verdict::Violation,
    }
}

/// An operation and its answer.
#[derive(Clone, Copy, Debug)]
struct Step {
    asked: Asked,
    answer: Answer,
}

/// A key of `cache`, one operation at a time.
struct Key;

impl Specification for Key {
    type State = Value;
    type Operation = Step;

    fn init() -> Value {
        None
    }

    /// Could it be answered so, and what is there afterwards?
    fn apply(step: &Step, held: &Value) -> (bool, Value) {
        let left = LEFT.get().saturating_sub(1);
        LEFT.set(left);
        if left == 0 {
            // No step is possible from here on: the search ends at once.
            return (false, *held);
        }
        let (after, told) = match step.asked {
            Asked::Get => (*held, *held),
            Asked::Set(value) => (Some(value), None),
            Asked::Delete => (None, None),
            Asked::Add(by) => {
                let sum = Some(held.unwrap_or(0).wrapping_add(by));
                (sum, sum)
            }
        };
        match step.answer {
            Answer::Done(said) => (said == told, after),
            Answer::Unknown => (true, after),
        }
    }
}
