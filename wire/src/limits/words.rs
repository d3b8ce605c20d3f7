//! Limits as people read them, and as standard OpenAPI has them.

use super::keyword;
use serde_json::{Map, Value, json};

/// Each limit of a field's schema as a phrase: `1 to 512 bytes`, `each up to 64 characters`; empty = none.
pub fn words(schema: &Value) -> Vec<String> {
    let mut all: Vec<String> = own(schema).into_iter().collect();
    all.extend(schema["pattern"].as_str().map(|pattern| format!("matching {pattern}")));
    for (part, of) in [("items", "each"), ("propertyNames", "names"), ("additionalProperties", "values")] {
        let inside = schema.get(part).map(words).unwrap_or_default();
        all.extend(inside.into_iter().map(|phrase| format!("{of} {phrase}")));
    }
    all
}

/// Size or range of the place itself: what "must be" goes on with.
pub(super) fn own(schema: &Value) -> Option<String> {
    let bound = |word: &str| schema[word].as_u64();
    let bytes = match (bound(keyword::MIN_BYTES), bound(keyword::MAX_BYTES)) {
        (None, Some(max)) if only_not_empty(schema) => sized(Some(1), Some(max), "byte"),
        (min, max) => sized(min, max, "byte"),
    };
    let chars = match only_not_empty(schema) {
        true => None,
        false => sized(bound("minLength"), bound("maxLength"), "character"),
    };
    let items = sized(bound("minItems"), bound("maxItems"), "item");
    let entries = sized(bound("minProperties"), bound("maxProperties"), "entry");
    let parts: Vec<String> = [chars, bytes, items, entries, ranged(schema)].into_iter().flatten().collect();
    let zero = schema[keyword::ZERO].as_str().map(|what| {
        let zero = if is_number(schema) { "0" } else { "empty" };
        format!("or {zero} for {what}")
    });
    let parts: Vec<String> = [parts.join(" and ")].into_iter().filter(|part| !part.is_empty()).chain(zero).collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// `minLength` 1 beside a limit in bytes: one byte and one character are the same question.
pub(super) fn only_not_empty(schema: &Value) -> bool {
    schema["minLength"] == 1
        && schema["maxLength"].is_null()
        && schema[keyword::MIN_BYTES].is_null()
        && schema[keyword::MAX_BYTES].is_u64()
}

/// Does it have to be given? Then it belongs into the `required` of a standard document.
pub fn is_required(schema: &Value) -> bool {
    let above_zero = |word: &str| schema[word].as_f64().is_some_and(|min| min > 0.0);
    let lower = [keyword::MIN_BYTES, "minLength", "minItems", "minProperties", "minimum"];
    let may_be_null = schema["type"].as_array().is_some_and(|kinds| kinds.iter().any(|kind| kind == "null"));
    !may_be_null
        && schema[keyword::ZERO].is_null()
        && (lower.into_iter().any(above_zero) || schema["maximum"].as_f64().is_some_and(|max| max < 0.0))
}

/// Rewrites a whole schema to words that every reader of OpenAPI knows: bytes become the characters they could be, a
/// zero that means something stands beside its range, and what must be given is `required`.
pub fn open_api(schema: &mut Value) {
    match schema {
        Value::Array(parts) => parts.iter_mut().for_each(open_api),
        Value::Object(map) => {
            standard(map);
            for (name, part) in map.iter_mut() {
                match (name.as_str(), part) {
                    ("properties" | "$defs", Value::Object(fields)) => fields.values_mut().for_each(open_api),
                    ("enum" | "const" | "default" | "examples", _) => {}
                    (_, part) => open_api(part),
                }
            }
        }
        _ => {}
    }
}

fn standard(map: &mut Map<String, Value>) {
    let mut given = vec![];
    for (name, part) in map.get_mut("properties").and_then(Value::as_object_mut).into_iter().flatten() {
        if is_required(part) {
            given.push(Value::from(name.as_str()));
            // What its type is when nothing is given is no value that it may have.
            part.as_object_mut().and_then(|part| part.shift_remove("default"));
        }
    }
    if !given.is_empty()
        && let Value::Array(required) = map.entry("required").or_insert_with(|| json!([]))
    {
        given.retain(|name| !required.contains(name));
        required.extend(given);
    }
    let is_number = is_number(&Value::Object(map.clone()));
    let max_bytes = map.shift_remove(keyword::MAX_BYTES).filter(|_| map.get("format") != Some(&json!("byte")));
    if let Some(max) = max_bytes.and_then(|max| max.as_u64()) {
        let chars = map.get("maxLength").and_then(Value::as_u64).unwrap_or(max);
        map.insert("maxLength".into(), chars.min(max).into());
    }
    // So many bytes are a quarter as many characters at least.
    if let Some(min) = map.shift_remove(keyword::MIN_BYTES).and_then(|min| min.as_u64()) {
        map.entry("minLength").or_insert(min.div_ceil(4).into());
    }
    map.shift_remove(keyword::MISSING);
    map.shift_remove(keyword::REFUSED);
    if map.shift_remove(keyword::ZERO).is_some() {
        let mut range = Map::new();
        for word in ["minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems", "pattern"] {
            range.extend(map.shift_remove(word).map(|bound| (word.to_string(), bound)));
        }
        let zero = match map.get("type").and_then(Value::as_str) {
            _ if is_number => json!({"const": 0}),
            Some("array") => json!({"maxItems": 0}),
            _ => json!({"maxLength": 0}),
        };
        map.insert("anyOf".into(), json!([zero, range]));
    }
}

fn is_number(schema: &Value) -> bool {
    let named = |kind: &Value| kind == "integer" || kind == "number";
    named(&schema["type"]) || schema["type"].as_array().is_some_and(|kinds| kinds.iter().any(named))
}

fn sized(min: Option<u64>, max: Option<u64>, unit: &str) -> Option<String> {
    let count = |n: u64| {
        let unit = match unit {
            unit if n == 1 => unit.to_string(),
            "entry" => "entries".to_string(),
            unit => format!("{unit}s"),
        };
        format!("{} {unit}", digits(&n.to_string()))
    };
    match (min.filter(|min| *min > 0), max) {
        (Some(min), Some(max)) if min == max => Some(format!("exactly {}", count(max))),
        (Some(min), Some(max)) => Some(format!("{} to {}", digits(&min.to_string()), count(max))),
        (Some(min), None) => Some(format!("at least {}", count(min))),
        (None, Some(max)) => Some(format!("up to {}", count(max))),
        (None, None) => None,
    }
}

/// The ends of an integer's type are no limits.
fn ranged(schema: &Value) -> Option<String> {
    let format = schema["format"].as_str().unwrap_or_default();
    let of_type = |bits: u32| match format.starts_with('u') {
        true => (0, (1_i128 << bits) - 1),
        false => (-(1_i128 << (bits - 1)), (1_i128 << (bits - 1)) - 1),
    };
    let bits =
        format.trim_start_matches('u').trim_start_matches("int").parse().ok().filter(|bits| (1..=64).contains(bits));
    let (lowest, highest) = bits.map_or((i128::MIN, i128::MAX), of_type);
    let bound = |word: &str, end: i128| {
        let text = schema[word].as_number()?.to_string();
        (text.parse() != Ok(end)).then(|| digits(&text))
    };
    match (bound("minimum", lowest), bound("maximum", highest)) {
        (Some(min), Some(max)) if min == max => Some(min),
        (Some(min), Some(max)) => Some(format!("{min} to {max}")),
        (Some(min), None) => Some(format!("at least {min}")),
        (None, Some(max)) => Some(format!("at most {max}")),
        (None, None) => None,
    }
}

/// `1,000,000`
pub(super) fn digits(text: &str) -> String {
    let (sign, digits) = text.strip_prefix('-').map_or(("", text), |digits| ("-", digits));
    if digits.len() < 4 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.to_string();
    }
    let mut out = sign.to_string();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}
