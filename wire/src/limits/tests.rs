//! Each kind of limit on both sides of its bound, its words, its standard spelling; random values against a naive checker.

mod naive;

use super::{Bound, Limits, is_required, open_api, words};
use crate::fit::{Misfit, Told};
use crate::value::{Bytes, Json, Rfc3339};
use crate::{Error, Outcome, Reason, Source, error::reasons};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const MISSING_KEY: Reason = Reason::bad_request("missing_key");
const TOO_BIG: Reason = Reason::too_large("value_too_big");
const KEY: Bound = Bound::bytes(1, 8).missing(MISSING_KEY, "missing key");
const WORD: Bound = Bound::bytes(1, 3);
const NAME: Bound = Bound::chars(2, 4);
const NOTE: Bound = Bound::chars(0, 3);

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
struct Everything {
    #[schemars(transform = KEY.on())]
    key: String,
    #[schemars(length(max = 3))]
    note: String,
    #[schemars(transform = Bound::bytes(0, 4).refused(TOO_BIG, "value is too big").on())]
    value: String,
    #[schemars(transform = Bound::range(4, 10).or_zero("the default").on())]
    digits: i64,
    #[schemars(range(max = 100))]
    limit: i32,
    #[schemars(range(min = -90.0, max = 90.0))]
    latitude: f64,
    #[schemars(transform = Bound::any().on())]
    any: i64,
    #[schemars(transform = Bound::items(0, 2).each(&WORD).on())]
    words: Vec<String>,
    #[schemars(transform = Bound::entries(0, 2).names(&NAME).each(&NOTE).on())]
    metadata: BTreeMap<String, String>,
    part: Part,
    #[schemars(length(min = 2, max = 3))]
    maybe: Option<String>,
    rest: Option<Part>,
    tree: Vec<Tree>,
    #[schemars(transform = Bound::bytes(0, 2).on())]
    raw: Bytes,
    #[schemars(transform = Bound::bytes(0, 9).on())]
    free: Json,
    #[schemars(regex(pattern = "^[A-Z]{3}$"), extend("x-zero" = "none"))]
    currency: String,
    at: Rfc3339,
    level: Level,
    unlimited: u64,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
struct Part {
    #[schemars(range(max = 5))]
    n: u64,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
struct Tree {
    #[schemars(length(max = 2))]
    name: String,
    #[schemars(length(max = 2))]
    children: Vec<Tree>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
enum Level {
    #[default]
    Low,
    High,
}

fn schema() -> Value {
    schemars::schema_for!(Everything).to_value()
}

fn valid() -> Everything {
    Everything { key: "k".into(), ..Everything::default() }
}

fn misfit(change: impl FnOnce(&mut Everything)) -> Option<Misfit> {
    let mut value = valid();
    change(&mut value);
    Limits::of(&schema()).check(&value).err()
}

/// A change, and what is said of it; empty = nothing.
type Row = (fn(&mut Everything), &'static str);

#[test]
fn each_limit_on_both_sides() {
    let rows: &[Row] = &[
        (|_| {}, ""),
        (|v| v.key = "k".repeat(8), ""),
        (|v| v.key = "ééééé".into(), "key: must be 1 to 8 bytes, it has 10"),
        (|v| v.note = "ééé".into(), ""),
        (|v| v.note = "éééé".into(), "note: must be up to 3 characters, it has 4"),
        (|v| v.value = "vvvv".into(), ""),
        (|v| v.digits = 4, ""),
        (|v| v.digits = 10, ""),
        (|v| v.digits = 3, "digits: must be 4 to 10, or 0 for the default, it is 3"),
        (|v| v.digits = -1, "digits: must be 4 to 10, or 0 for the default, it is -1"),
        (|v| v.limit = i32::MIN, ""),
        (|v| v.limit = 12_345, "limit: must be at most 100, it is 12,345"),
        (|v| v.latitude = -90.0, ""),
        (|v| v.latitude = 90.5, "latitude: must be -90.0 to 90.0, it is 90.5"),
        (|v| v.latitude = f64::NAN, "latitude: must be -90.0 to 90.0, it is NaN"),
        (|v| (v.any, v.unlimited) = (i64::MIN, u64::MAX), ""),
        (|v| v.words = vec!["a".into(), "abc".into()], ""),
        (|v| v.words = vec!["a".into(); 3], "words: must have up to 2 items, it has 3"),
        (|v| v.words = vec!["a".into(), String::new()], "words[1]: is required"),
        (|v| v.words = vec!["abcd".into()], "words[0]: must be 1 to 3 bytes, it has 4"),
        (|v| v.metadata = [("name".into(), "ééé".into())].into(), ""),
        (
            |v| v.metadata = ["aa", "bb", "cc"].map(|n| (n.into(), String::new())).into(),
            "metadata: must have up to 2 entries, it has 3",
        ),
        (|v| v.metadata = [("n".into(), "x".into())].into(), "metadata.n: must be 2 to 4 characters, it has 1"),
        (|v| v.metadata = [("nn".into(), "abcd".into())].into(), "metadata.nn: must be up to 3 characters, it has 4"),
        (|v| v.part.n = 5, ""),
        (|v| v.part.n = 6, "part.n: must be at most 5, it is 6"),
        (|v| v.maybe = Some("ab".into()), ""),
        (|v| v.maybe = Some(String::new()), "maybe: is required"),
        (|v| v.maybe = Some("a".into()), "maybe: must be 2 to 3 characters, it has 1"),
        (|v| v.rest = Some(Part { n: 6 }), "rest.n: must be at most 5, it is 6"),
        (|v| v.tree = vec![Tree { name: "ab".into(), children: vec![Tree::default(); 2] }], ""),
        (
            |v| {
                v.tree = vec![Tree {
                    children: vec![Tree::default(), Tree { name: "abc".into(), children: vec![] }],
                    ..Tree::default()
                }]
            },
            "tree[0].children[1].name: must be up to 2 characters, it has 3",
        ),
        (
            |v| v.tree = vec![Tree { children: vec![Tree::default(); 3], ..Tree::default() }],
            "tree[0].children: must have up to 2 items, it has 3",
        ),
        (|v| v.raw = Bytes(vec![255, 0]), ""),
        (|v| v.raw = Bytes(vec![0; 3]), "raw: must be up to 2 bytes, it has 3"),
        (|v| v.free = Json(json!({"a": "é"})), "free: must be up to 9 bytes, it has 10"),
        (|v| v.currency = "EUR".into(), ""),
        (|v| v.currency = "EURO".into(), "currency: must match ^[A-Z]{3}$"),
        (|v| (v.at, v.level) = (Rfc3339(i64::MAX), Level::High), ""),
        // The first field in the order of the type is named.
        (|v| (v.note, v.limit, v.part.n) = ("éééé".into(), 101, 6), "note: must be up to 3 characters, it has 4"),
    ];
    for (change, want) in rows {
        let said = misfit(change).map(|misfit| misfit.to_string());
        assert_eq!(said.unwrap_or_default(), *want);
    }
}

#[test]
fn an_error_bears_the_services_word_where_it_has_one() {
    let error = |change: fn(&mut Everything)| Error::from(misfit(change).unwrap());
    let plain = error(|v| v.note = "éééé".into());
    assert_eq!((plain.code, plain.outcome, plain.source), (400, Outcome::NotRun, Source::Cluster));
    assert!(plain.is(&reasons::BAD_FIELD), "{plain:?}");
    let missing = error(|v| v.key.clear());
    assert!(missing.is(&MISSING_KEY) && missing.outcome == Outcome::NotRun, "{missing:?}");
    assert_eq!(missing.detail, "missing key");
    assert!(error(|v| v.key = "k".repeat(9)).is(&reasons::BAD_FIELD), "missing() is for what is not given");
    let big = error(|v| v.value = "12345".into());
    assert_eq!((big.code, big.detail.as_str(), big.is(&TOO_BIG)), (413, "value is too big", true));
    assert_eq!(misfit(|v| v.key.clear()).unwrap().field, "key");
    assert_eq!(misfit(|v| v.note = "éééé".into()).unwrap().told, Told::Limit);
}

#[test]
fn limits_in_words() {
    let schema = schema();
    let told = |field: &str| words(&schema["properties"][field]);
    let rows: &[(&str, &[&str])] = &[
        ("key", &["1 to 8 bytes"]),
        ("note", &["up to 3 characters"]),
        ("digits", &["4 to 10, or 0 for the default"]),
        ("limit", &["at most 100"]),
        ("latitude", &["-90.0 to 90.0"]),
        ("any", &[]),
        ("words", &["up to 2 items", "each 1 to 3 bytes"]),
        ("metadata", &["up to 2 entries", "names 2 to 4 characters", "values up to 3 characters"]),
        ("maybe", &["2 to 3 characters"]),
        ("currency", &["or empty for none", "matching ^[A-Z]{3}$"]),
        ("at", &[]),
        ("unlimited", &[]),
    ];
    for (field, want) in rows {
        assert_eq!(told(field), *want, "{field}");
    }
    assert_eq!(words(&json!({"type": "integer", "format": "uint8", "minimum": 0, "maximum": 255})), [""; 0]);
    assert_eq!(words(&json!({"type": "string", "minLength": 6, "maxLength": 6})), ["exactly 6 characters"]);
    assert_eq!(words(&json!({"type": "string", "minLength": 1})), ["at least 1 character"]);
    assert_eq!(words(&json!({"type": "string", "x-max-bytes": 1_000_000})), ["up to 1,000,000 bytes"]);
}

#[test]
fn what_must_be_given() {
    let schema = schema();
    let required: Vec<_> = schema["properties"]
        .as_object()
        .unwrap()
        .iter()
        .filter(|(_, part)| is_required(part))
        .map(|(n, _)| n)
        .collect();
    // `maybe` must not be empty when it is given; that it may be left out is its type's word.
    assert_eq!(required, ["key"]);
}

#[test]
fn the_standard_spelling() {
    let mut schema = schema();
    open_api(&mut schema);
    let field = |name: &str| {
        let mut field = schema["properties"][name].clone();
        let default = field.as_object_mut().unwrap().shift_remove("default");
        assert_eq!(default.is_some(), name != "key", "{name}: nothing is no default where something must be given");
        field
    };
    assert_eq!(schema["required"], json!(["key"]));
    assert_eq!(field("key"), json!({"type": "string", "minLength": 1, "maxLength": 8}));
    assert_eq!(field("value"), json!({"type": "string", "maxLength": 4}));
    let digits = json!({"type": "integer", "format": "int64", "anyOf": [{"const": 0}, {"minimum": 4, "maximum": 10}]});
    assert_eq!(field("digits"), digits);
    assert_eq!(field("currency")["anyOf"], json!([{"maxLength": 0}, {"pattern": "^[A-Z]{3}$"}]));
    assert_eq!(field("raw"), json!({"type": "string", "format": "byte"}));
    assert!(!schema.to_string().contains("x-"), "{schema}");
    let bytes = Bound::bytes(5, 8);
    let mut schema = schemars::json_schema!({"type": "string"});
    schemars::transform::Transform::transform(&mut bytes.on(), &mut schema);
    let mut schema = schema.to_value();
    open_api(&mut schema);
    assert_eq!(schema, json!({"type": "string", "minLength": 2, "maxLength": 8}));
}

#[test]
fn a_type_without_limits_is_not_walked() {
    #[derive(JsonSchema)]
    #[allow(dead_code, reason = "only its schema is looked at")]
    struct Plain {
        a: String,
        b: Vec<u64>,
        c: Option<BTreeMap<String, u8>>,
    }
    struct Untouched;
    impl Serialize for Untouched {
        fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            panic!("walked into")
        }
    }
    #[derive(Serialize)]
    struct Same {
        a: Untouched,
        b: Untouched,
        c: Untouched,
    }
    let limits = Limits::of(&schemars::schema_for!(Plain).to_value());
    // `u8` has ends, and schemars says them: such fields alone are looked at.
    limits.check(&json!({"a": "x", "b": [1], "c": null})).unwrap();
    let schema = json!({"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "array", "items": {"type": "integer"}}, "c": {}}});
    Limits::of(&schema).check(&Same { a: Untouched, b: Untouched, c: Untouched }).unwrap();
}
