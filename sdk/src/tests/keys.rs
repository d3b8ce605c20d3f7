//! Keys of rows: they sort as their parts do, stay apart, and come back.

use super::{pick, random};
use crate::TableKey;
use crate::runtime::keys::{self, RowKey};
use crate::table::key_bytes;
use rand::{Rng, rngs::SmallRng};

fn any_text(random: &mut SmallRng) -> String {
    (0..random.random_range(0..5)).map(|_| pick(random, &['\0', '\u{1}', 'a', 'b', 'ÿ', '\u{10ffff}'])).collect()
}

#[test]
fn row_keys_sort_as_account_table_entity_and_row() {
    for seed in 0..2000 {
        let random = &mut random(seed);
        let mut any = || {
            let (account, table) = (any_text(random), pick(random, &["s", "t", "tt"]));
            let (entity, row) = (any_text(random), any_text(random));
            let key = RowKey::entity(&account, "demo", table, &entity).row(&key_bytes(&row));
            ((account, table, entity, row), key)
        };
        let ((a, a_key), (b, b_key)) = (any(), any());
        assert_eq!(a.cmp(&b), a_key.cmp(&b_key), "seed {seed}: {a:?} {b:?}");
        let table = RowKey::table(&a.0, "demo", a.1);
        assert_eq!(keys::entity_of(&table, a_key.as_bytes()), Some(a.2.clone()), "seed {seed}");
        let entity = RowKey::entity(&a.0, "demo", a.1, &a.2);
        let inside = entity.as_bytes() <= b_key.as_bytes() && b_key.as_bytes() < entity.end().as_slice();
        assert_eq!(inside, (&a.0, a.1, &a.2) == (&b.0, b.1, &b.2), "seed {seed}: {a:?} {b:?}");
    }
}

#[test]
fn table_keys_sort_as_tuples_and_come_back() {
    for seed in 0..2000 {
        let random = &mut random(seed);
        let mut any = || ((any_text(random), random.random_range(-2..2_i64)), any_text(random));
        let (a, b) = (any(), any());
        let (a_bytes, b_bytes) = (key_bytes(&a), key_bytes(&b));
        assert_eq!(a.cmp(&b), a_bytes.cmp(&b_bytes), "seed {seed}: {a:?} {b:?}");
        assert_eq!(TableKey::read(&a_bytes), Some((a, &[][..])), "seed {seed}");
    }
}

#[test]
fn index_rows_sort_by_their_moment() {
    let row = RowKey::entity("a", "demo", "t", "e").into_bytes();
    let moments = [-1, 0, 1, 255, 256, i64::MAX - 1, i64::MAX];
    let index: Vec<_> = moments.iter().map(|due| keys::due("demo", *due, &row)).collect();
    assert!(index.is_sorted());
    for (due, key) in moments.iter().zip(&index) {
        assert_eq!(keys::parse_due("demo", key), Some(((*due).max(0), row.as_ref())));
        assert_eq!(keys::parse_due("dem", key), None);
        for now in moments {
            let (from, to) = keys::due_until("demo", now);
            let found = from.as_slice() <= key.as_ref() && key.as_ref() < to.as_slice();
            assert_eq!(found, (*due).max(0) <= now.max(0), "due {due} at {now}");
        }
    }
}

#[test]
fn what_is_no_key_is_none() {
    for bytes in [&b""[..], b"a", b"\0", b"a\0", b"\0\x02", b"\xff\0\x01"] {
        assert_eq!(String::read(bytes), None, "{bytes:?}");
    }
    assert_eq!(u64::read(&[0; 7]), None);
    assert_eq!(<(u8, String)>::read(&[1, b'a']), None);
}
