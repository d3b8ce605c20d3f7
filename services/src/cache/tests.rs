//! The rules in a table, then what no table can say: expiry, isolation, layouts, and random calls against a model.

mod many;
mod model;
mod versions;

use super::*;
use sdk::{Reason, Sandbox};
use serde_json::{Value, json};
use std::time::Duration;
use wire::error::reasons::BAD_FIELD;
use wire::{Outcome, Source};

/// A call of any endpoint that is about one key.
#[derive(Clone, Debug)]
enum Call {
    Get(String),
    Set(SetRequest),
    Delete(String),
    Increment(String, i64),
    Decrement(String, i64),
    Touch(String, i64),
    GetDelete(String),
}

impl Call {
    /// What it answers; versions are left to the tests about them.
    fn on(self, cache: &Sandbox) -> sdk::Result<Value> {
        match self {
            Call::Get(key) => cache.call(GetRequest { key }).map(|r| json!([r.value, r.ttl])),
            Call::Set(request) => cache.call(request).map(|r| json!(r.status)),
            Call::Delete(key) => cache.call(DeleteRequest { key }).map(|r| json!(r.status)),
            Call::Increment(key, value) => cache.call(IncrementRequest { key, value }).map(|r| json!(r.value)),
            Call::Decrement(key, value) => cache.call(DecrementRequest { key, value }).map(|r| json!(r.value)),
            Call::Touch(key, ttl) => cache.call(TouchRequest { key, ttl }).map(|r| json!(r.version > 0)),
            Call::GetDelete(key) => cache.call(GetDeleteRequest { key }).map(|r| json!([r.value, r.version > 0])),
        }
    }
}

fn get(key: &str) -> Call {
    Call::Get(key.into())
}
fn set(key: &str, value: &str, ttl: i64) -> Call {
    Call::Set(SetRequest { key: key.into(), value: value.into(), ttl, ..Default::default() })
}
fn set_if(key: &str, value: &str, if_version: i64, if_absent: bool) -> Call {
    Call::Set(SetRequest { key: key.into(), value: value.into(), ttl: 0, if_version, if_absent })
}
fn touch(key: &str, ttl: i64) -> Call {
    Call::Touch(key.into(), ttl)
}
fn get_delete(key: &str) -> Call {
    Call::GetDelete(key.into())
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

fn version(cache: &Sandbox, key: &str) -> i64 {
    cache.call(GetRequest { key: key.into() }).unwrap().version
}

/// `k` holds `stored`; then the call is refused by this endpoint, for this reason, in these words, and changes nothing.
#[track_caller]
fn refused(stored: &str, call: Call, id: &str, reason: Reason, detail: &str) -> sdk::Error {
    let cache = cache();
    set("k", stored, 0).on(&cache).unwrap();
    let before = cache.dump();
    let error = call.on(&cache).unwrap_err();
    assert_eq!((error.id.as_str(), error.detail.as_str()), (id, detail));
    assert!(error.is(&reason), "{error:?}");
    assert_eq!(cache.dump(), before);
    error
}

/// Limits of fields, in the order of the fields: the service does not run.
#[test]
fn each_field_out_of_its_limits() {
    let (long, big, huge) = ("k".repeat(513), "v".repeat(65_537), "v".repeat(1_000_001));
    let key_too_long = "key: must be 1 to 512 bytes, it has 513";
    let ttl_too_long = |ttl: &str| format!("ttl: must be at most 315,619,200, it is {ttl}");
    let too_big = "value is too big: over 65536 bytes, until larger ones come with blobs";
    let (over, most) = (ttl_too_long("315,619,201"), ttl_too_long("9,223,372,036,854,775,807"));
    let negative = "if_version: must be at least 0, it is -1";
    let rows = [
        (get(""), "cache.get", MISSING_KEY, "missing key"),
        (set("", &huge, i64::MAX), "cache.set", MISSING_KEY, "missing key"),
        (delete(""), "cache.delete", MISSING_KEY, "missing key"),
        (increment("", 1), "cache.increment", MISSING_KEY, "missing key"),
        (decrement("", 1), "cache.decrement", MISSING_KEY, "missing key"),
        (touch("", i64::MAX), "cache.touch", MISSING_KEY, "missing key"),
        (get_delete(""), "cache.getdelete", MISSING_KEY, "missing key"),
        (get(&long), "cache.get", BAD_FIELD, key_too_long),
        (set(&long, &huge, i64::MAX), "cache.set", BAD_FIELD, key_too_long),
        (delete(&long), "cache.delete", BAD_FIELD, key_too_long),
        (increment(&long, 1), "cache.increment", BAD_FIELD, key_too_long),
        (decrement(&long, 1), "cache.decrement", BAD_FIELD, key_too_long),
        (touch(&long, i64::MAX), "cache.touch", BAD_FIELD, key_too_long),
        (get_delete(&long), "cache.getdelete", BAD_FIELD, key_too_long),
        (set("k", &huge, i64::MAX), "cache.set", VALUE_TOO_BIG, too_big),
        (set("k", &big, i64::MAX), "cache.set", VALUE_TOO_BIG, too_big),
        (set("k", "v", TTL_SECS_MAX + 1), "cache.set", BAD_FIELD, &over),
        (set("k", "v", i64::MAX), "cache.set", BAD_FIELD, &most),
        (touch("k", TTL_SECS_MAX + 1), "cache.touch", BAD_FIELD, &over),
        (set_if("k", "v", -1, true), "cache.set", BAD_FIELD, negative),
    ];
    for (call, id, reason, detail) in rows {
        let error = refused("1", call, id, reason, detail);
        assert_eq!((error.source, error.outcome), (Source::Cluster, Outcome::NotRun), "{error:?}");
    }
}

/// In order of precedence: what is asked, then what is stored.
#[test]
fn each_error_in_order() {
    let (min, max) = (i64::MIN.to_string(), i64::MAX.to_string());
    let contradiction = "if_absent and if_version cannot both be met";
    let rows = [
        ("1", set_if("k", "v", 1, true), "cache.set", CONTRADICTION, contradiction),
        ("1", set_if("absent", "v", 1, true), "cache.set", CONTRADICTION, contradiction),
        ("1", set_if("k", "v", 0, true), "cache.set", NOT_ABSENT, "the key has a value"),
        ("1", set_if("absent", "v", 1, false), "cache.set", OTHER_VERSION, "there is no such key"),
        ("1", set_if("k", "v", 7, false), "cache.set", OTHER_VERSION, "the version is 1, not 7"),
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
        let error = refused(stored, call, id, reason, detail);
        assert!(error.is_refusal(), "{error:?}");
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
        ("1", set_if("k", "v", 1, false), json!("ok")),
        ("1", set_if("absent", "v", 0, true), json!("ok")),
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
        ("1", touch("absent", 5), json!(false)),
        ("1", touch("k", TTL_SECS_MAX), json!(true)),
        ("1", get_delete("absent"), json!(["", false])),
        ("1", get_delete("k"), json!(["1", true])),
        ("", get_delete("k"), json!(["", true])),
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
fn touch_changes_the_expiry_and_nothing_else() {
    let cache = cache();
    set("k", "v", 10).on(&cache).unwrap();
    let before = version(&cache, "k");
    cache.advance(secs(4));
    touch("k", 100).on(&cache).unwrap();
    assert_eq!((get("k").on(&cache).unwrap(), version(&cache, "k")), (json!(["v", 100]), before));
    touch("k", -1).on(&cache).unwrap();
    assert_eq!(get("k").on(&cache).unwrap(), json!(["v", 0]));
    touch("k", 1).on(&cache).unwrap();
    cache.advance(secs(1));
    assert_eq!(touch("k", 5).on(&cache).unwrap(), json!(false), "it is gone");
    assert_eq!(get("k").on(&cache).unwrap(), json!(["", 0]));
}

#[test]
fn get_delete_gives_a_value_to_one_caller_only() {
    let cache = cache();
    set("k", "v", 0).on(&cache).unwrap();
    assert_eq!(get_delete("k").on(&cache).unwrap(), json!(["v", true]));
    assert_eq!(get_delete("k").on(&cache).unwrap(), json!(["", false]));
    assert_eq!(keys(&cache), [""; 0]);
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
            let page = cache.call(ListKeysRequest { limit, cursor, ..Default::default() }).unwrap();
            assert!(page.keys.len() <= limit as usize);
            all.extend(page.keys);
            cursor = page.cursor;
            if cursor.is_empty() {
                break;
            }
        }
        assert_eq!(all, sorted, "in pages of {limit}");
    }
    let by = |prefix: &str| cache.call(ListKeysRequest { prefix: prefix.into(), ..Default::default() }).unwrap().keys;
    assert_eq!((by("foo"), by("foo2"), by("f\0")), (vec!["foo".into(), "foo2".into()], vec!["foo2".into()], vec![]));
    let page = ListKeysRequest { prefix: "foo".into(), limit: 1, ..Default::default() };
    let first = cache.call(page.clone()).unwrap();
    let second = cache.call(ListKeysRequest { cursor: first.cursor, ..page }).unwrap();
    assert_eq!((first.keys, second.keys, second.cursor), (vec!["foo".into()], vec!["foo2".into()], String::new()));
    let bad = [
        ListKeysRequest { limit: 10_001, ..Default::default() },
        ListKeysRequest { limit: 1, cursor: "x".into(), ..Default::default() },
        ListKeysRequest { prefix: "p".repeat(513), ..Default::default() },
    ];
    bad.into_iter().for_each(|bad| assert_eq!(cache.call(bad).unwrap_err().code, 400));
}

/// A changed layout needs a new version of the row; see `Row::version`.
#[test]
fn the_layout_of_rows_is_frozen() {
    let cache = cache();
    set("k", "v", 1).on(&cache).unwrap();
    // account, service, table, key: format, row version, due, codec version, text, the key's version (zigzag); then the
    // row's place in the due index.
    let row = "016c6f63616c0001636163686500656e747279006b0001";
    assert_eq!(
        cache.dump(),
        [format!("{row} 0101000000003b9aca0001017602"), format!("02636163686500000000003b9aca00{row} ")]
    );
}
