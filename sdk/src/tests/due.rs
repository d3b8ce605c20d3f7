//! Rows with an end: exact for every reader, a due index that is exact too, sweeps that leave nothing behind.

use super::{pick, random, run, scope, view};
use crate::runtime::{Order, Rows, expiry, keys, keys::RowKey};
use crate::sandbox::Memory;
use crate::{Read, Row, Table};
use rand::{Rng, rngs::SmallRng};
use std::collections::BTreeMap;
use wire::Rfc3339;

static ONE: Row<u32> = Row::new("one").expiring();
static MANY: Table<u8, u32> = Table::new("many").expiring();
const TABLES: &[&str] = &["one", "many"];

/// Rows as they lie there, due or not: key (`None` = the single row) to value and due moment (0 = never).
#[derive(Default)]
struct Model(BTreeMap<Option<u8>, (u32, i64)>);

impl Model {
    /// The index that belongs to these rows, in its order.
    fn index(&self) -> Vec<(i64, Vec<u8>, Option<u8>)> {
        let row = |key: &Option<u8>| match key {
            None => RowKey::entity("a", "demo", "one", "e"),
            Some(key) => RowKey::entity("a", "demo", "many", "e").row(&[*key]),
        };
        let due = self.0.iter().filter(|(_, (_, due))| *due != 0);
        let mut index: Vec<_> = due.map(|(key, (_, due))| (*due, row(key).as_bytes().to_vec(), *key)).collect();
        index.sort();
        index
    }

    fn sweep(&mut self, now: i64, limit: usize) {
        for (.., key) in self.index().into_iter().filter(|(due, ..)| *due <= now).take(limit) {
            self.0.remove(&key);
        }
    }

    fn live(&self, key: Option<u8>, now: i64) -> Option<(u32, i64)> {
        self.0.get(&key).copied().filter(|(_, due)| *due == 0 || now < *due)
    }
}

/// The index as it is stored.
fn index(rows: &Memory) -> Vec<(i64, Vec<u8>)> {
    let (from, to) = keys::due_until("demo", i64::MAX);
    let all = rows.scan(&from, &to, Order::Ascending, usize::MAX).unwrap();
    all.iter().map(|(key, _)| keys::parse_due("demo", key).unwrap()).map(|(due, row)| (due, row.to_vec())).collect()
}

fn agree(rows: &Memory, model: &Model, now: i64, why: &str) {
    let view = view(rows, scope(TABLES, now));
    let seen = |key: Option<u8>| match key {
        None => (view.get(&ONE).unwrap(), view.due(&ONE).unwrap()),
        Some(key) => (view.get_at(&MANY, &key).unwrap(), view.due_at(&MANY, &key).unwrap()),
    };
    for key in [None, Some(0), Some(1), Some(255)] {
        let want = model.live(key, now);
        let due = want.map(|(_, due)| due).filter(|due| *due != 0).map(Rfc3339);
        assert_eq!(seen(key), (want.map(|(value, _)| value), due), "{why}: {key:?}");
    }
    let scanned = view.scan(&MANY).take(10).unwrap();
    let want = (0..=255).filter_map(|key| Some((key, model.live(Some(key), now)?.0)));
    assert!(scanned.into_iter().eq(want), "{why}: scan");
    let want: Vec<_> = model.index().into_iter().map(|(due, row, _)| (due, row)).collect();
    assert_eq!(index(rows), want, "{why}: index");
    assert_eq!(expiry::next_due(rows, "demo").unwrap(), want.first().map(|(due, _)| *due), "{why}: next");
}

fn step(rows: &mut Memory, model: &mut Model, now: &mut i64, random: &mut SmallRng) {
    let key = pick(random, &[None, Some(0), Some(1), Some(255)]);
    let (value, scope) = (random.random(), scope(TABLES, *now));
    let due = pick(random, &[0, *now + 1, *now + 2, *now + 4]);
    let until = Some(Rfc3339(due)).filter(|_| due != 0);
    match random.random_range(0..8) {
        0..=3 => {
            run(rows, scope, |tx| match key {
                None => tx.put_until(&ONE, &value, until),
                Some(key) => tx.put_at_until(&MANY, &key, &value, until),
            })
            .unwrap();
            model.0.insert(key, (value, due));
        }
        4 => {
            // Without an end, over whatever was there; twice, as one command may.
            run(rows, scope, |tx| match key {
                None => tx.put_until(&ONE, &0, Rfc3339(*now + 9)).and_then(|()| tx.put(&ONE, &value)),
                Some(key) => {
                    tx.put_at_until(&MANY, &key, &0, Rfc3339(*now + 9)).and_then(|()| tx.put_at(&MANY, &key, &value))
                }
            })
            .unwrap();
            model.0.insert(key, (value, 0));
        }
        5 => {
            run(rows, scope, |tx| match key {
                None => tx.delete(&ONE),
                Some(key) => tx.delete_at(&MANY, &key),
            })
            .unwrap();
            model.0.remove(&key);
        }
        6 => *now += random.random_range(0..4),
        _ => {
            let limit = random.random_range(1..4);
            let ops = expiry::sweep(rows, "demo", *now, limit).unwrap();
            assert!(ops.len() <= 2 * limit, "bounded work");
            rows.apply(ops);
            model.sweep(*now, limit);
        }
    }
}

#[test]
fn the_index_is_exact_and_nobody_sees_what_is_due() {
    for seed in 0..300 {
        let random = &mut random(seed);
        let (mut rows, mut model, mut now) = (Memory::default(), Model::default(), 1);
        for n in 0..100 {
            step(&mut rows, &mut model, &mut now, random);
            agree(&rows, &model, now, &format!("seed {seed}, step {n}"));
        }
        now += 100;
        rows.apply(expiry::sweep(&rows, "demo", now, usize::MAX).unwrap());
        let for_good = model.0.values().filter(|(_, due)| *due == 0).count();
        assert_eq!(rows.len(), for_good, "seed {seed}: left behind");
    }
}

#[test]
fn an_end_is_exact_to_the_nanosecond_wherever_it_lies() {
    for due in [i64::MIN, -1, 0, 1, 1_000, i64::MAX - 1] {
        let mut rows = Memory::default();
        run(&mut rows, scope(TABLES, due), |tx| tx.put_until(&ONE, &7, Rfc3339(due))).unwrap();
        // 0 in a row's header stands for "never": the first nanosecond of 1970 is stored as the one before.
        let before = if due == 0 { -2 } else { due.saturating_sub(1) };
        let seen = |now| view(&rows, scope(TABLES, now)).get(&ONE).unwrap();
        assert_eq!(seen(before), (before < due).then_some(7), "due {due}");
        assert_eq!((seen(due), seen(due + 1)), (None, None), "due {due}");
        rows.apply(expiry::sweep(&rows, "demo", due.max(0), 9).unwrap());
        assert_eq!(rows.len(), 0, "due {due}");
    }
}

#[test]
fn a_deleted_range_leaves_index_rows_that_go_when_they_are_due() {
    let mut rows = Memory::default();
    run(&mut rows, scope(TABLES, 1), |tx| {
        tx.put_at_until(&MANY, &1, &1, Rfc3339(5)).unwrap();
        tx.put_at_until(&MANY, &2, &2, Rfc3339(5)).unwrap();
    });
    run(&mut rows, scope(TABLES, 1), |tx| {
        tx.delete_table(&MANY);
        // The same key again, due later: its old place in the index must not take it away.
        tx.put_at_until(&MANY, &2, &3, Rfc3339(8)).unwrap();
    });
    rows.apply(expiry::sweep(&rows, "demo", 5, 9).unwrap());
    assert_eq!(view(&rows, scope(TABLES, 7)).scan(&MANY).take(9).unwrap(), [(2, 3)]);
    assert_eq!(index(&rows).len(), 1);
    rows.apply(expiry::sweep(&rows, "demo", 8, 9).unwrap());
    assert_eq!(rows.len(), 0);
}
