//! Parts of a table: both ways, from any key, with expired rows in between, in pages that stay true while rows change.

use super::{pick, random, run, scope, view};
use crate::sandbox::Memory;
use crate::{Limit, Read, Result, Table};
use rand::Rng;
use std::collections::BTreeMap;
use wire::{Rfc3339, error::reasons};

static MANY: Table<String, u32> = Table::new("many").expiring();
const TABLES: &[&str] = &["many"];
const NOW: i64 = 100;

fn any_key(random: &mut impl Rng) -> String {
    (0..random.random_range(0..3)).map(|_| ['\0', 'a', 'b', 'é'][random.random_range(0..4)]).collect()
}

/// `Some(value)` = alive, `None` = expired and not swept.
fn filled(random: &mut impl Rng, rows: usize) -> (Memory, BTreeMap<String, Option<u32>>) {
    let (mut memory, mut model) = (Memory::default(), BTreeMap::new());
    for _ in 0..rows {
        let (key, value) = (any_key(random), random.random());
        let alive = random.random_bool(0.5);
        let due = if alive { pick2(random) } else { Some(Rfc3339(NOW)) };
        run(&mut memory, scope(TABLES, 0), |tx| tx.put_at_until(&MANY, &key, &value, due)).unwrap();
        model.insert(key, alive.then_some(value));
    }
    (memory, model)
}

/// Alive either way.
fn pick2(random: &mut impl Rng) -> Option<Rfc3339> {
    random.random_bool(0.5).then_some(Rfc3339(NOW + 1))
}

#[test]
fn any_part_of_a_table_in_either_order() {
    for seed in 0..2000 {
        let random = &mut random(seed);
        let rows = random.random_range(0..40);
        let (memory, model) = filled(random, rows);
        let view = view(&memory, scope(TABLES, NOW));
        let (low, high) = (any_key(random), any_key(random));
        let (bounds, order, limit) =
            (random.random_range(0..6), random.random(), pick(random, &[0, 1, 2, 5, usize::MAX]));
        let mut scan = view.scan(&MANY);
        scan = match bounds {
            0 => scan,
            1 => scan.from(&low),
            2 => scan.after(&low),
            3 => scan.before(&high),
            4 => scan.from(&low).before(&high),
            _ => scan.after(&low).before(&high),
        };
        if order {
            scan = scan.backwards();
        }
        let lower = |key: &String| match bounds {
            1 | 4 => *key >= low,
            2 | 5 => *key > low,
            _ => true,
        };
        let inside = |key: &String| lower(key) && (bounds < 3 || *key < high);
        let live =
            model.iter().filter(|(key, _)| inside(key)).filter_map(|(key, value)| Some((key.clone(), (*value)?)));
        let mut want: Vec<_> = live.collect();
        if order {
            want.reverse();
        }
        want.truncate(limit);
        assert_eq!(scan.take(limit).unwrap(), want, "seed {seed}: bounds {bounds} of {low:?}..{high:?}");
    }
}

#[test]
fn the_first_live_row_behind_any_number_of_expired_ones() {
    static NUMBERS: Table<u64, u64> = Table::new("numbers").expiring();
    let mut rows = Memory::default();
    run(&mut rows, scope(&["numbers"], 0), |tx| {
        (0..5000).for_each(|n| tx.put_at_until(&NUMBERS, &n, &n, (n != 4321).then_some(Rfc3339(NOW))).unwrap());
    });
    let view = view(&rows, scope(&["numbers"], NOW));
    assert_eq!(view.scan(&NUMBERS).first().unwrap(), Some((4321, 4321)));
    assert_eq!(view.scan(&NUMBERS).backwards().first().unwrap(), Some((4321, 4321)));
    assert_eq!(view.scan(&NUMBERS).after(&4321).first().unwrap(), None);
}

#[test]
fn pages_show_what_stays_exactly_once_while_rows_come_and_go() {
    for seed in 0..300 {
        let random = &mut random(seed);
        let (mut rows, model) = filled(random, 30);
        let (back, limit) = (random.random_bool(0.5), random.random_range(1..6));
        let (mut touched, mut seen, mut cursor) = (vec![], Vec::<String>::new(), String::new());
        loop {
            let (page, next) = {
                let view = view(&rows, scope(TABLES, NOW));
                let scan = view.scan(&MANY);
                let scan = if back { scan.backwards() } else { scan };
                scan.page(Limit { default: 3, max: 9 }, limit, &cursor).unwrap()
            };
            assert!(page.len() <= limit as usize && (next.is_empty() || page.len() == limit as usize), "seed {seed}");
            seen.extend(page.into_iter().map(|(key, _)| key));
            cursor = next;
            if cursor.is_empty() {
                break;
            }
            let (key, away) = (any_key(random), random.random_bool(0.5));
            run(
                &mut rows,
                scope(TABLES, 0),
                |tx| if away { tx.delete_at(&MANY, &key) } else { tx.put_at(&MANY, &key, &1) },
            )
            .unwrap();
            touched.push(key);
        }
        let in_order = seen.windows(2).all(|pair| if back { pair[0] > pair[1] } else { pair[0] < pair[1] });
        assert!(in_order, "seed {seed}: {seen:?}");
        for (key, value) in model.iter().filter(|(key, _)| !touched.contains(key)) {
            assert_eq!(seen.contains(key), value.is_some(), "seed {seed}: {key:?}");
        }
    }
}

#[test]
fn what_asks_for_no_page_is_refused() {
    let (rows, _) = filled(&mut random(1), 30);
    let view = view(&rows, scope(TABLES, NOW));
    let page = |limit, cursor: &str| -> Result<usize> {
        Ok(view.scan(&MANY).page(Limit { default: 3, max: 9 }, limit, cursor)?.0.len())
    };
    assert_eq!((page(0, "").unwrap(), page(-7, "").unwrap(), page(1, "").unwrap()), (3, 3, 1));
    for (limit, cursor, why) in [
        (10, "", "limit: 10 is over 9"),
        (i64::MAX, "", "limit: 9223372036854775807 is over 9"),
        (1, "x", "cursor: not one that this endpoint gave"),
        (1, "1", "cursor: not one that this endpoint gave"),
        (1, "161", "cursor: not one that this endpoint gave"),
        // A key, and something behind it.
        (1, "161000178", "cursor: not one that this endpoint gave"),
    ] {
        let error = page(limit, cursor).unwrap_err();
        assert!(error.is(&reasons::BAD_BODY) && error.detail == why, "{error:?}");
    }
}
