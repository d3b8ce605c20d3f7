use super::*;
use crate::value::{Bytes, Json, Rfc3339};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Everything {
    /// how many
    amount: i64,
    huge: u64,
    small: i32,
    byte: u8,
    ratio: f64,
    tight: f32,
    visible: bool,
    session_id: String,
    #[serde(rename = "shortURL")]
    short_url: String,
    tags: Vec<String>,
    counts: BTreeMap<String, i64>,
    part: Part,
    maybe: Option<Part>,
    later: Option<i64>,
    free: Json,
    raw: Bytes,
    at: Rfc3339,
    color: Color,
    tree: Vec<Tree>,
    #[serde(default)]
    filled: i64,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Part {
    n: i64,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Tree {
    n: u64,
    children: Vec<Tree>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Color {
    /// like blood
    #[default]
    Red,
    /// like the sky
    Blue,
}

fn fit() -> Fit {
    Fit::of(
        &schemars::generate::SchemaSettings::draft2020_12()
            .into_generator()
            .into_root_schema_for::<Everything>()
            .to_value(),
    )
}

fn take(value: Value) -> Result<Everything, String> {
    let strict = fit().take(value, Origin::Json).map_err(|misfit| misfit.to_string())?;
    serde_json::from_value(strict).map_err(|broken| format!("serde: {broken}"))
}

#[test]
fn nothing_given_is_all_zeroes() {
    let zero = Everything { free: Json(Value::Null), ..Everything::default() };
    assert_eq!(take(json!({})).unwrap(), zero);
    assert_eq!(take(json!({"amount": null, "tags": null, "part": null, "nonsense": [1]})).unwrap(), zero);
}

#[test]
fn each_spelling_that_fits() {
    let amount = |value: Value| take(json!({ "amount": value })).unwrap().amount;
    assert_eq!(amount(json!(5)), 5);
    assert_eq!(amount(json!("-9223372036854775808")), i64::MIN);
    assert_eq!(amount(json!(9_223_372_036_854_775_807_i64)), i64::MAX);
    assert_eq!(amount(json!(5.0)), 5);
    assert_eq!(take(json!({"huge": "18446744073709551615"})).unwrap().huge, u64::MAX);
    assert_eq!(take(json!({"small": "-7", "ratio": "1.5", "visible": "true"})).unwrap().ratio, 1.5);
    assert_eq!(take(json!({"sessionId": "a"})).unwrap().session_id, "a");
    assert_eq!(take(json!({"sessionId": "a", "session_id": "b"})).unwrap().session_id, "b");
    assert_eq!(take(json!({"shortURL": "u"})).unwrap().short_url, "u");
    assert_eq!(take(json!({"part": {"n": "3"}, "maybe": {"n": 4}})).unwrap().maybe, Some(Part { n: 4 }));
    assert_eq!(take(json!({"later": "12"})).unwrap().later, Some(12));
    assert_eq!(take(json!({"counts": {"a": "1"}})).unwrap().counts["a"], 1);
    assert_eq!(take(json!({"tree": [{"children": [{"n": "9"}]}]})).unwrap().tree[0].children[0].n, 9);
    assert_eq!(take(json!({"raw": "_-8"})).unwrap().raw, Bytes(vec![255, 239]));
    assert_eq!(take(json!({"color": "blue"})).unwrap().color, Color::Blue);
    let free = json!({"n": 9_007_199_254_740_993_i64});
    assert_eq!(take(json!({ "free": free })).unwrap().free, Json(free));
}

#[test]
fn each_misfit_names_field_and_rule() {
    let rows = [
        (json!({"amount": "abc"}), r#"amount: "abc" is not a 64-bit integer"#),
        (json!({"amount": 1.5}), "amount: 1.5 is not a 64-bit integer"),
        (json!({"amount": true}), "amount: true is not a 64-bit integer"),
        (json!({"amount": []}), "amount: a list is not a 64-bit integer"),
        (json!({"amount": ""}), r#"amount: "" is not a 64-bit integer"#),
        (
            json!({"amount": 9_223_372_036_854_775_808_u64}),
            "amount: 9223372036854775808 is out of range: a 64-bit integer holds -9223372036854775808 to 9223372036854775807",
        ),
        (
            json!({"small": 2_147_483_648_i64}),
            "small: 2147483648 is out of range: a 32-bit integer holds -2147483648 to 2147483647",
        ),
        (json!({"byte": 256}), "byte: 256 is out of range: an 8-bit unsigned integer holds 0 to 255"),
        (json!({"huge": -1}), "huge: -1 is out of range: a 64-bit unsigned integer holds 0 to 18446744073709551615"),
        (
            json!({"huge": 1e300}),
            "huge: 1e+300 is out of range: a 64-bit unsigned integer holds 0 to 18446744073709551615",
        ),
        (json!({"tight": 1e300}), "tight: 1e+300 is out of range: at most 3.4028234663852886e38"),
        (json!({"ratio": "NaN"}), r#"ratio: "NaN" is not a number"#),
        (json!({"visible": 1}), "visible: 1 is not a bool (true or false)"),
        (json!({"session_id": 5}), "session_id: 5 is not a string"),
        (json!({"tags": "a"}), r#"tags: "a" is not a list of string"#),
        (json!({"tags": ["a", 2]}), "tags[1]: 2 is not a string"),
        (json!({"tags": [null]}), "tags[0]: null is not a string"),
        (json!({"part": {"n": "x"}}), r#"part.n: "x" is not a 64-bit integer"#),
        (
            json!({"tree": [{"children": [{"n": -1}]}]}),
            "tree[0].children[0].n: -1 is out of range: a 64-bit unsigned integer holds 0 to 18446744073709551615",
        ),
        (json!({"counts": {"a": "x"}}), r#"counts.a: "x" is not a 64-bit integer"#),
        (json!({"part": 5}), "part: 5 is not an object"),
        (json!({"color": "green"}), r#"color: "green" is not one of red, blue"#),
        (json!({"raw": "?"}), "raw: not base64: Invalid symbol 63, offset 0."),
        (json!({"at": "yesterday"}), r#"at: "yesterday" is not a time like 2026-01-31T12:00:00Z"#),
        (json!([1]), "the body must be a JSON object, not a list"),
        (json!(null), "the body must be a JSON object, not null"),
    ];
    for (value, want) in rows {
        assert_eq!(take(value.clone()).unwrap_err(), want, "{value}");
    }
}

#[test]
fn text_is_read_as_its_fields_type() {
    let text = json!({"amount": "5", "visible": "1", "session_id": "123", "tags": "a,b", "part": {"n": "7"}, "free": "{\"x\":1}",
        "small": "", "maybe": "{\"n\":\"8\"}", "counts": {"k": "2"}});
    let strict = fit().take(text, Origin::Text).unwrap();
    let got: Everything = serde_json::from_value(strict).unwrap();
    assert_eq!((got.amount, got.visible, got.session_id.as_str(), got.part.n), (5, true, "123", 7));
    assert_eq!((got.tags, got.maybe, got.small), (vec!["a".into(), "b".into()], Some(Part { n: 8 }), 0));
    assert_eq!((got.free, got.counts["k"]), (Json(json!({"x": 1})), 2));
    assert_eq!(
        fit().take(json!({"amount": "abc"}), Origin::Text).unwrap_err().to_string(),
        r#"amount: "abc" is not a 64-bit integer"#
    );
}

#[test]
fn parts_merge_and_the_later_wins() {
    let under = fit().take_part(json!({"amount": "1", "part": {"n": "2"}}), Origin::Text).unwrap();
    let over = fit().take_part(json!({"amount": 3, "sessionId": "s"}), Origin::Json).unwrap();
    assert_eq!(merge(under, over), json!({"part": {"n": 2}, "amount": 3, "session_id": "s"}));
}

#[test]
fn replies_show_wide_numbers_as_strings_and_every_zero() {
    let mut value = serde_json::to_value(Everything {
        amount: i64::MIN,
        counts: [("a".to_string(), 1)].into(),
        tree: vec![Tree { n: 1, children: vec![Tree::default()] }],
        ..Everything::default()
    })
    .unwrap();
    value.as_object_mut().unwrap().shift_remove("huge");
    let shown = fit().show(value);
    assert_eq!(
        (&shown["amount"], &shown["huge"], &shown["small"]),
        (&json!("-9223372036854775808"), &json!("0"), &json!(0))
    );
    assert_eq!((&shown["counts"], &shown["maybe"], &shown["later"]), (&json!({"a": "1"}), &Value::Null, &Value::Null));
    assert_eq!(shown["tree"], json!([{"n": "1", "children": [{"n": "0", "children": []}]}]));
    assert_eq!((&shown["part"], &shown["tags"], &shown["session_id"]), (&json!({"n": "0"}), &json!([]), &json!("")));
}

#[test]
fn what_is_shown_is_taken_back() {
    let value =
        Everything { amount: 1 << 60, huge: u64::MAX, later: Some(-1), color: Color::Blue, ..Everything::default() };
    assert_eq!(take(fit().show(serde_json::to_value(&value).unwrap())).unwrap(), value);
}

#[test]
fn fields_are_told_with_type_and_doc() {
    let fields = fit().fields();
    assert_eq!(
        (fields[0].name.as_str(), fields[0].kind.as_str(), fields[0].doc.as_str()),
        ("amount", "64-bit integer", "how many")
    );
    assert_eq!(fields[10].kind, "map of 64-bit integer");
    assert!(fields[6].is_bool);
}
