use super::*;

/// One line an operation: who, from, to (0 = no answer), what, what it was told.
fn events(lines: &[(usize, u64, u64, Asked, Value)]) -> Vec<Event> {
    let event = |&(client, called_ns, returned_ns, asked, told): &(usize, u64, u64, Asked, Value)| {
        let answer = if returned_ns == 0 { Answer::Unknown } else { Answer::Done(told) };
        Event { client, key: "a".into(), asked, called_ns, returned_ns, answer }
    };
    lines.iter().map(event).collect()
}

fn fine(lines: &[(usize, u64, u64, Asked, Value)]) -> bool {
    match check(&events(lines)) {
        Ok(checked) => {
            assert_eq!(checked.unproven, Vec::<String>::new());
            true
        }
        Err(why) => {
            assert!(why.to_string().starts_with("a is not linearizable"), "{why}");
            false
        }
    }
}

use Asked::{Add, Delete, Get, Set};

#[test]
fn one_after_the_other_is_as_it_says() {
    let good = [(1, 1, 2, Get, None), (1, 3, 4, Set(7), None), (2, 5, 6, Get, Some(7)), (2, 7, 8, Add(3), Some(10))];
    assert!(fine(&good));
    assert!(fine(&[
        (1, 1, 2, Set(7), None),
        (1, 3, 4, Delete, None),
        (2, 5, 6, Get, None),
        (2, 7, 8, Add(3), Some(3))
    ]));
    assert!(!fine(&[(1, 1, 2, Set(7), None), (1, 3, 4, Delete, None), (2, 5, 6, Get, Some(7))]));
}

#[test]
fn what_overlaps_may_come_in_any_order() {
    // Both reads are under way while the write is.
    assert!(fine(&[(1, 1, 9, Set(7), None), (2, 2, 8, Get, None), (3, 2, 8, Get, Some(7))]));
    // Three writes, read in the opposite order of their calls.
    let backwards = [
        (1, 1, 20, Set(1), None),
        (2, 2, 20, Set(2), None),
        (3, 3, 20, Set(3), None),
        (4, 4, 5, Get, Some(3)),
        (4, 6, 7, Get, Some(2)),
        (4, 8, 9, Get, Some(1)),
    ];
    assert!(fine(&backwards));
}

#[test]
fn a_stale_read_is_found() {
    assert!(!fine(&[(1, 1, 2, Set(1), None), (1, 3, 4, Set(2), None), (2, 5, 6, Get, Some(1))]));
    // Seen once, it is there for everybody.
    assert!(!fine(&[(1, 1, 9, Set(7), None), (2, 2, 3, Get, Some(7)), (3, 4, 5, Get, None)]));
}

#[test]
fn a_lost_write_is_found() {
    assert!(!fine(&[(1, 1, 2, Set(7), None), (2, 3, 4, Get, None)]));
    assert!(!fine(&[(1, 1, 2, Add(1), Some(1)), (2, 3, 4, Add(1), Some(1))]));
    assert!(!fine(&[(1, 1, 2, Add(4), Some(4)), (2, 3, 9, Add(2), Some(6)), (2, 10, 11, Get, Some(4))]));
}

#[test]
fn a_doubled_increment_is_found() {
    assert!(!fine(&[(1, 1, 2, Add(5), Some(5)), (2, 3, 4, Get, Some(10))]));
    // One without an answer counts once, if at all.
    assert!(fine(&[(1, 1, 0, Add(5), None), (2, 3, 4, Get, Some(5))]));
    assert!(!fine(&[(1, 1, 0, Add(5), None), (2, 3, 4, Get, Some(10))]));
}

#[test]
fn an_unknown_write_takes_effect_at_any_later_time_or_never_but_not_before_and_not_twice() {
    // Never.
    assert!(fine(&[(1, 1, 0, Set(7), None), (2, 3, 4, Get, None), (2, 5, 6, Get, None)]));
    // Late: after reads that did not see it.
    assert!(fine(&[(1, 1, 0, Set(7), None), (2, 3, 4, Get, None), (2, 5, 6, Set(8), None), (2, 7, 8, Get, Some(7))]));
    // Not before it was asked for.
    assert!(!fine(&[(2, 1, 2, Get, Some(7)), (1, 3, 0, Set(7), None)]));
    // Not twice: overwritten, it does not come again.
    let twice = [(1, 1, 0, Set(7), None), (2, 2, 3, Get, Some(7)), (2, 4, 5, Set(8), None), (2, 6, 7, Get, Some(7))];
    assert!(!fine(&twice));
    // A read without an answer says nothing.
    assert!(fine(&[(1, 1, 2, Set(7), None), (2, 3, 0, Get, Some(99))]));
}

#[test]
fn keys_are_checked_apart_and_the_bad_one_is_shown() {
    let mut all = events(&[(1, 1, 2, Set(7), None)]);
    let other = events(&[(1, 3, 4, Set(1), None), (2, 5, 6, Get, Some(2))]);
    all.extend(other.into_iter().map(|event| Event { key: "b".into(), ..event }));
    let why = check(&all).unwrap_err().to_string();
    assert!(why.starts_with("b is not linearizable") && why.contains("k2  Get -> Some(2)"), "{why}");
    assert_eq!(check(&all[..1]).unwrap(), Checked { keys: 1, operations: 1, ..Checked::default() });
}

#[test]
fn a_search_that_takes_too_long_is_told_and_not_passed() {
    // Twelve unknown increments of the same kind, and a value none of them make.
    let mut lines: Vec<_> = (0..12).map(|n| (n, 1, 0, Add(1 << n), None)).collect();
    lines.push((20, 2, 3, Get, Some(1 << 13)));
    let checked = check_within(&events(&lines), 1_000).unwrap();
    assert_eq!(checked.unproven, ["a"]);
    assert!(checked.to_string().contains("UNPROVEN"), "{checked}");
    assert!(check(&events(&lines)).is_err(), "with time enough it is found");
}

/// The shape of a round of `chaos`: some clients, some unanswered, a hundred operations. It is decided, well within the budget.
#[test]
fn a_long_history_of_a_real_object_is_proved() {
    let (mut held, mut lines): (Value, Vec<_>) = (None, vec![]);
    for n in 0..100_u64 {
        let (asked, at) = (
            if n % 3 == 0 {
                Get
            } else if n % 3 == 1 {
                Set(n as i64)
            } else {
                Add(5)
            },
            n * 10,
        );
        let told = match asked {
            Get => held,
            Set(value) => {
                held = Some(value);
                None
            }
            Add(by) => {
                held = Some(held.unwrap_or(0) + by);
                held
            }
            Delete => None,
        };
        // Each overlaps the four before and after it; a few writes lose their answers, seen by whoever comes next.
        let lost = n % 17 == 1;
        lines.push((n as usize % 6, at.saturating_sub(40) + 1, if lost { 0 } else { at + 41 }, asked, told));
    }
    let checked = check_within(&events(&lines), 100_000).unwrap();
    assert_eq!((checked.unproven.len(), checked.unknown), (0, 6), "{checked}");
}
