//! The rules in a table, then what no table can say: expiry, isolation, layouts, and random calls against a model.

mod model;

use super::*;
use sdk::{Reason, Sandbox};
use serde_json::{Value, json};
use std::time::Duration;

/// A call of any endpoint.
#[derive(Clone, Debug)]
enum Call {
    Get(String),
    Set(String, String, i64),
    Delete(String),
    Increment(String, i64),
    Decrement(String, i64),
}

impl Call {
    fn on(self, cache: &Sandbox) -> sdk::Result<Value> {
        match self {
            Call::Get(key) => cache.call(GetRequest { key }).map(|r| json!([r.value, r.ttl])),
            Call::Set(key, value, ttl) => cache.call(SetRequest { key, value, ttl }).map(|r| json!(r.status)),
            Call::Delete(key) => cache.call(DeleteRequest { key }).map(|r| json!(r.status)),
            Call::Increment(key, value) => cache.call(IncrementRequest { key, value }).map(|r| json!(r.value)),
            Call::Decrement(key, value) => cache.call(DecrementRequest { key, value }).map(|r| json!(r.value)),
        }
    }
}

fn get(key: &str) -> Call {
    Call::Get(key.into())
}
fn set(key: &str, value: &str, ttl: i64) -> Call {
    Call::Set(key.into(), value.into(), ttl)
}
fn delete(key: &str) -> Call {
    Call::Delete(key.into())
}
fn increment(key: &str, by: i64) -> Call {
    Call::Increment(key.into(), by)
}
fn decrement(key: &str, by: i64) -> Call {
    Call::Decrement(key.into(), by)
}

fn cache() -> Sandbox {
    Sandbox::new(service())
}

fn keys(cache: &Sandbox) -> Vec<String> {
    cache.call(ListKeysRequest::default()).unwrap().keys
}

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// `k` holds `stored`; then the call is refused by this endpoint, for this reason, in these words, and changes nothing.
#[track_caller]
fn refused(stored: &str, call: Call, id: &str, reason: Reason, detail: &str) {
    let cache = cache();
    set("k", stored, 0).on(&cache).unwrap();
    let before = cache.dump();
    let error = call.on(&cache).unwrap_err();
    assert_eq!((error.id.as_str(), error.detail.as_str()), (id, detail));
    assert!(error.is(&reason) && error.is_refusal(), "{error:?}");
    assert_eq!(cache.dump(), before);
}

/// In order of precedence: key, value, time to live, then what is stored.
#[test]
fn each_error_in_order() {
    let (long, big, huge) = ("k".repeat(513), "v".repeat(65_537), "v".repeat(1_000_001));
    let key_too_long = "key must be at most 512 bytes, it has 513";
    let ttl_too_long = "ttl must be at most 315619200 seconds";
    let too_big_now = "value is too big: over 65536 bytes, until larger ones come with blobs";
    let (min, max) = (i64::MIN.to_string(), i64::MAX.to_string());
    let rows = [
        ("1", get(""), "cache.get", MISSING_KEY, "missing key"),
        ("1", set("", &huge, i64::MAX), "cache.set", MISSING_KEY, "missing key"),
        ("1", delete(""), "cache.delete", MISSING_KEY, "missing key"),
        ("1", increment("", 1), "cache.increment", MISSING_KEY, "missing key"),
        ("1", decrement("", 1), "cache.decrement", MISSING_KEY, "missing key"),
        ("1", get(&long), "cache.get", KEY_TOO_LONG, key_too_long),
        ("1", set(&long, &huge, i64::MAX), "cache.set", KEY_TOO_LONG, key_too_long),
        ("1", delete(&long), "cache.delete", KEY_TOO_LONG, key_too_long),
        ("1", increment(&long, 1), "cache.increment", KEY_TOO_LONG, key_too_long),
        ("1", decrement(&long, 1), "cache.decrement", KEY_TOO_LONG, key_too_long),
        ("1", set("k", &huge, i64::MAX), "cache.set", VALUE_TOO_BIG, "value is too big"),
        ("1", set("k", &big, i64::MAX), "cache.set", VALUE_TOO_BIG_NOW, too_big_now),
        ("1", set("k", "v", TTL_SECS_MAX + 1), "cache.set", TTL_TOO_LONG, ttl_too_long),
        ("1", set("k", "v", i64::MAX), "cache.set", TTL_TOO_LONG, ttl_too_long),
        ("bar", increment("k", 1), "cache.increment", NOT_AN_INTEGER, "value is not an integer"),
        ("bar", increment("k", 0), "cache.increment", NOT_AN_INTEGER, "value is not an integer"),
        ("1.5", decrement("k", 1), "cache.decrement", NOT_AN_INTEGER, "value is not an integer"),
        ("", increment("k", 1), "cache.increment", NOT_AN_INTEGER, "value is not an integer"),
        ("9223372036854775808", increment("k", 1), "cache.increment", NOT_AN_INTEGER, "value is not an integer"),
        (&max, increment("k", 1), "cache.increment", OUT_OF_RANGE, "value out of range"),
        (&min, increment("k", -1), "cache.increment", OUT_OF_RANGE, "value out of range"),
        (&min, decrement("k", 1), "cache.decrement", OUT_OF_RANGE, "value out of range"),
        ("0", decrement("k", i64::MIN), "cache.decrement", OUT_OF_RANGE, "value out of range"),
    ];
    for (stored, call, id, reason, detail) in rows {
        refused(stored, call, id, reason, detail);
    }
}

/// What is just inside each bound, and what each call answers.
#[test]
fn each_rule() {
    let (long, big) = ("k".repeat(512), "v".repeat(65_536));
    let (min, max) = (i64::MIN.to_string(), i64::MAX.to_string());
    let rows = [
        ("1", get("absent"), json!(["", 0])),
        ("1", get("k"), json!(["1", 0])),
        ("1", set("k", "v", -5), json!("ok")),
        ("1", set("k", &big, TTL_SECS_MAX), json!("ok")),
        ("1", set(&long, "", 0), json!("ok")),
        ("1", delete("k"), json!("ok")),
        ("1", delete("absent"), json!("ok")),
        ("1", increment("absent", 5), json!(5)),
        ("1", decrement("absent", 5), json!(-5)),
        ("1", increment("k", 0), json!(1)),
        ("1", increment("k", -3), json!(-2)),
        ("1", decrement("k", -3), json!(4)),
        ("-1", decrement("k", i64::MIN), json!(i64::MAX)),
        (&max, increment("k", i64::MIN), json!(-1)),
        (&min, increment("k", i64::MAX), json!(-1)),
        (&max, increment("k", 0), json!(i64::MAX)),
    ];
    for (stored, call, want) in rows {
        let cache = cache();
        set("k", stored, 0).on(&cache).unwrap();
        assert_eq!(call.clone().on(&cache).unwrap(), want, "{call:?} on {stored}");
    }
}

#[test]
fn a_counter_is_its_decimal_text() {
    let cache = cache();
    increment("n", 5).on(&cache).unwrap();
    assert_eq!(get("n").on(&cache).unwrap(), json!(["5", 0]));
    set("n", "41", 0).on(&cache).unwrap();
    assert_eq!(increment("n", 1).on(&cache).unwrap(), json!(42));
}

#[test]
fn reading_a_counter_makes_none() {
    let cache = cache();
    assert_eq!(increment("n", 0).on(&cache).unwrap(), json!(0));
    assert_eq!(decrement("n", 0).on(&cache).unwrap(), json!(0));
    assert_eq!((keys(&cache).len(), cache.row_count()), (0, 0));
}

#[test]
fn set_replaces_the_expiry_and_counting_keeps_it() {
    let cache = cache();
    set("n", "1", 10).on(&cache).unwrap();
    cache.advance(secs(4));
    increment("n", 1).on(&cache).unwrap();
    decrement("n", 5).on(&cache).unwrap();
    assert_eq!(get("n").on(&cache).unwrap(), json!(["-3", 6]));
    set("n", "1", 0).on(&cache).unwrap();
    assert_eq!(get("n").on(&cache).unwrap(), json!(["1", 0]));
    set("n", "1", 2).on(&cache).unwrap();
    cache.advance(secs(2));
    assert_eq!(increment("n", 7).on(&cache).unwrap(), json!(7), "an expired counter counts from 0");
    assert_eq!(get("n").on(&cache).unwrap(), json!(["7", 0]), "and its expiry is over too");
}

#[test]
fn expiry_is_exact_whether_or_not_swept() {
    for swept in [false, true] {
        let cache = cache();
        set("k", "v", 2).on(&cache).unwrap();
        cache.advance(Duration::from_nanos(1));
        assert_eq!(get("k").on(&cache).unwrap(), json!(["v", 2]), "a part of a second counts whole");
        cache.advance(Duration::from_nanos(1_999_999_998));
        assert_eq!((get("k").on(&cache).unwrap(), keys(&cache)), (json!(["v", 1]), vec!["k".to_string()]));
        cache.advance(Duration::from_nanos(1));
        if swept {
            cache.sweep().unwrap();
            assert_eq!(cache.row_count(), 0);
        }
        assert_eq!((get("k").on(&cache).unwrap(), keys(&cache)), (json!(["", 0]), vec![]));
    }
}

#[test]
fn accounts_do_not_see_each_other() {
    // One name is a prefix of the other: the original's listing got that wrong in places.
    let cache = cache();
    let (other, longer) = (cache.account("other"), cache.account("local2"));
    set("k", "mine", 0).on(&cache).unwrap();
    for stranger in [&other, &longer] {
        assert_eq!(get("k").on(stranger).unwrap(), json!(["", 0]));
        assert_eq!(keys(stranger), [""; 0]);
        delete("k").on(stranger).unwrap();
    }
    increment("k", 1).on(&longer).unwrap();
    assert_eq!((get("k").on(&cache).unwrap(), keys(&cache).len()), (json!(["mine", 0]), 1));
}

#[test]
fn keys_are_listed_by_their_bytes_page_by_page() {
    let cache = cache();
    for key in ["foo", "counter", "é", "Z", "foo2", "a/b"] {
        set(key, "v", 0).on(&cache).unwrap();
    }
    let sorted = ["Z", "a/b", "counter", "foo", "foo2", "é"];
    assert_eq!(keys(&cache), sorted);
    for limit in 1..=7 {
        let (mut all, mut cursor) = (vec![], String::new());
        loop {
            let page = cache.call(ListKeysRequest { limit, cursor }).unwrap();
            assert!(page.keys.len() <= limit as usize);
            all.extend(page.keys);
            cursor = page.cursor;
            if cursor.is_empty() {
                break;
            }
        }
        assert_eq!(all, sorted, "in pages of {limit}");
    }
    for bad in
        [ListKeysRequest { limit: 10_001, ..Default::default() }, ListKeysRequest { limit: 1, cursor: "x".into() }]
    {
        assert_eq!(cache.call(bad).unwrap_err().code, 400);
    }
}

/// A changed layout needs a new version of the row; see `Row::version`.
#[test]
fn the_layout_of_rows_is_frozen() {
    let cache = cache();
    set("k", "v", 1).on(&cache).unwrap();
    // account, service, table, key: format, row version, due, codec version, text; then the row's place in the due index.
    let row = "016c6f63616c0001636163686500656e747279006b0001";
    assert_eq!(
        cache.dump(),
        [format!("{row} 0101000000003b9aca00010176"), format!("02636163686500000000003b9aca00{row} ")]
    );
}
