//! Every field of every request has a limit, and each limit holds on both of its sides.

use super::endpoints;
use super::schema::properties;
use sdk::Endpoint;
use serde_json::{Map, Value, json};

fn resolve<'a>(root: &'a Value, part: &'a Value) -> &'a Value {
    match part["$ref"].as_str() {
        Some(path) => &root["$defs"][path.trim_start_matches("#/$defs/")],
        None => part["anyOf"].as_array().map_or(part, |several| resolve(root, &several[0])),
    }
}

fn kind(part: &Value) -> &str {
    part["type"].as_str().or_else(|| part["type"][0].as_str()).unwrap_or_default()
}

/// What may be given without end: its place, and those inside of it.
fn unbounded(root: &Value, part: &Value, place: &str, depth: u8) -> Vec<String> {
    let part = resolve(root, part);
    let inside = |part: &Value, place: String| match depth {
        0 => vec![],
        depth => unbounded(root, part, &place, depth - 1),
    };
    let has = |words: &[&str]| words.iter().any(|word| part[*word].is_number());
    let (bounded, within) = match kind(part) {
        "string" if part["enum"].is_array() || part["oneOf"].is_array() || part["format"] == "date-time" => {
            (true, vec![])
        }
        "string" => (has(&["maxLength", "x-max-bytes"]), vec![]),
        "integer" => (has(&["maximum"]), vec![]),
        "number" => (has(&["maximum"]) && has(&["minimum"]), vec![]),
        "array" => (has(&["maxItems"]), inside(&part["items"], format!("{place}[]"))),
        "object" if part["properties"].is_object() || part["additionalProperties"].is_null() => {
            let fields = properties(part);
            (true, fields.iter().flat_map(|(name, part)| inside(part, format!("{place}.{name}"))).collect())
        }
        "object" => {
            let names = inside(&json!({"type": "string"}), format!("{place}'s names"));
            let names = if part["propertyNames"]["maxLength"].is_number() { vec![] } else { names };
            (
                has(&["maxProperties"]),
                [names, inside(&part["additionalProperties"], format!("{place}'s values"))].concat(),
            )
        }
        _ => (part["oneOf"].is_array() || kind(part) == "boolean", vec![]),
    };
    let own = (!bounded).then(|| place.to_string());
    own.into_iter().chain(within).collect()
}

#[test]
fn every_field_of_a_request_has_a_limit() {
    let none: Vec<String> =
        endpoints().iter().flat_map(|e| unbounded(&(e.request)(), &(e.request)(), &e.id(), 5)).collect();
    assert!(none.is_empty(), "say how much may be given, with a Bound or schemars' length and range: {none:#?}");
}

#[test]
fn what_has_no_limit_is_found() {
    let text = json!({"type": "string"});
    let entry = json!({"type": "object", "properties": {"name": text, "fine": {"type": "string", "maxLength": 3}}});
    let fields = json!({
        "text": text,
        "maybe": {"type": ["string", "null"]},
        "number": {"type": "integer", "format": "int64", "minimum": 1},
        "real": {"type": "number", "maximum": 1},
        "list": {"type": "array", "items": text},
        "entries": {"type": "array", "maxItems": 3, "items": {"$ref": "#/$defs/Entry"}},
        "map": {"type": "object", "additionalProperties": text},
        "or_null": {"anyOf": [{"$ref": "#/$defs/Entry"}, {"type": "null"}]},
        "free": {"description": "any JSON"},
        "yes": {"type": "boolean"},
    });
    let root = json!({"type": "object", "properties": fields, "$defs": {"Entry": entry}});
    let want = [
        "r.text",
        "r.maybe",
        "r.number",
        "r.real",
        "r.list",
        "r.list[]",
        "r.entries[].name",
        "r.map",
        "r.map's names",
        "r.map's values",
        "r.or_null.name",
        "r.free",
    ];
    assert_eq!(unbounded(&root, &root, "r", 5), want);
}

/// A value that a field takes, as little as can be.
fn least(root: &Value, part: &Value) -> Value {
    let part = resolve(root, part);
    let size = |words: &[&str]| words.iter().filter_map(|word| part[*word].as_u64()).max().unwrap_or(0) as usize;
    match kind(part) {
        _ if part["enum"].is_array() => part["enum"][0].clone(),
        _ if part["oneOf"].is_array() => part["oneOf"][0]["const"].clone(),
        _ if part["x-zero"].is_string() && kind(part) == "integer" => json!(0),
        _ if part["x-zero"].is_string() && kind(part) == "string" => json!(""),
        "string" if part["format"] == "date-time" => json!("1970-01-01T00:00:00Z"),
        "string" => json!("a".repeat(size(&["minLength", "x-min-bytes"]))),
        "integer" => json!(part["minimum"].as_i64().unwrap_or(0).max(0)),
        "number" => json!(part["minimum"].as_f64().unwrap_or(0.0).max(0.0)),
        "boolean" => json!(false),
        "array" => (0..size(&["minItems"])).map(|_| least(root, &part["items"])).collect(),
        "object" => properties(part).iter().map(|(name, part)| (name.clone(), least(root, part))).collect(),
        _ => Value::Null,
    }
}

/// Values of a field right inside its limits, and right outside of them.
fn probes(root: &Value, part: &Value, depth: u8) -> Vec<(Value, bool)> {
    let part = resolve(root, part);
    let bound = |word: &str| part[word].as_u64().map(|n| n as usize);
    let mut all = vec![];
    match kind(part) {
        "string" if part["enum"].is_array() || part["format"] == "date-time" => {}
        "" if part["maxLength"].is_number() => {
            // A map's names: strings, without saying so.
            let mut names = part.clone();
            names["type"] = json!("string");
            all.extend(probes(root, &names, depth));
        }
        "string" => {
            let chars = bound("maxLength").unwrap_or(usize::MAX);
            let (letter, most) = match bound("x-max-bytes") {
                Some(bytes) if bytes <= chars => ("a", bytes),
                _ => ("é", chars),
            };
            // What must also match a pattern is no repeated letter.
            if part["pattern"].is_null() {
                all.push((json!(letter.repeat(most)), true));
            }
            all.push((json!(letter.repeat(most + 1)), false));
            let must = ["minLength", "x-min-bytes"].iter().any(|word| bound(word).is_some_and(|min| min > 0));
            if must && part["x-zero"].is_null() {
                all.push((json!(""), false));
            }
        }
        "integer" => {
            let unsigned = part["format"].as_str().is_some_and(|format| format.starts_with('u'));
            let bits: u32 =
                part["format"].as_str().and_then(|f| f.trim_start_matches(['u', 'i', 'n', 't']).parse().ok()).unwrap();
            let ends = if unsigned {
                (0, (1_i128 << bits) - 1)
            } else {
                (-(1_i128 << (bits - 1)), (1_i128 << (bits - 1)) - 1)
            };
            let whole = |word: &str| part[word].as_i64().map(i128::from).or(part[word].as_u64().map(i128::from));
            let shown = |n: i128| i64::try_from(n).map(Value::from).unwrap_or_else(|_| json!(n as u64));
            if let Some(max) = whole("maximum") {
                all.push((shown(max), true));
                all.extend((max < ends.1).then(|| (shown(max + 1), false)));
            }
            if let Some(min) = whole("minimum") {
                all.push((shown(min), true));
                let zero = part["x-zero"].is_string() && min == 1;
                all.extend((min > ends.0).then(|| (shown(min - 1), zero)));
                all.extend((zero && ends.0 < 0).then(|| (json!(-1), false)));
            }
        }
        "number" => {
            let (min, max) = (part["minimum"].as_f64().unwrap_or(0.0), part["maximum"].as_f64().unwrap_or(0.0));
            all.extend([(json!(min), true), (json!(max), true), (json!(min - 1.0), false), (json!(max + 1.0), false)]);
        }
        "array" => {
            let list = |n: usize| Value::from(vec![least(root, &part["items"]); n]);
            let (min, max) = (bound("minItems").unwrap_or(0), bound("maxItems").unwrap_or(0));
            all.extend([(list(max), true), (list(max + 1), false)]);
            all.extend((min > 0).then(|| (list(min - 1), false)));
            all.extend(inner(root, &part["items"], depth, |value| json!([value])));
        }
        "object" if part["properties"].is_object() => {
            let whole = least(root, part);
            for (name, field) in properties(part) {
                all.extend(inner(root, &field, depth, |value| {
                    let mut whole = whole.clone();
                    whole[&name] = value;
                    whole
                }));
            }
        }
        "object" if part["additionalProperties"].is_object() => {
            let max = bound("maxProperties").unwrap_or(0);
            let named = |n: usize| -> Value {
                (0..n)
                    .map(|n| (format!("n{n}"), least(root, &part["additionalProperties"])))
                    .collect::<Map<_, _>>()
                    .into()
            };
            all.extend([(named(max), true), (named(max + 1), false)]);
            all.extend(inner(root, &part["additionalProperties"], depth, |value| json!({"name": value})));
            let value = least(root, &part["additionalProperties"]);
            all.extend(inner(
                root,
                &part["propertyNames"],
                depth,
                |name| json!({name.as_str().unwrap_or_default(): value}),
            ));
        }
        _ => {}
    }
    all
}

fn inner(root: &Value, part: &Value, depth: u8, within: impl Fn(Value) -> Value) -> Vec<(Value, bool)> {
    let found = if depth == 0 { vec![] } else { probes(root, part, depth - 1) };
    found.into_iter().map(|(value, fits)| (within(value), fits)).collect()
}

fn check(endpoint: &Endpoint, request: Value) -> Result<(), sdk::Error> {
    endpoint.check(&(endpoint.request_from_json)(request)?)
}

#[test]
fn each_limit_holds_on_both_sides() {
    let (mut taken, mut refused) = (0, 0);
    for endpoint in endpoints() {
        let schema = (endpoint.request)();
        check(&endpoint, least(&schema, &schema))
            .unwrap_or_else(|e| panic!("{}: the least request: {e}", endpoint.id()));
        for (request, fits) in probes(&schema, &schema, 4) {
            let shown = request.to_string();
            let place = || format!("{}: {}", endpoint.id(), shown.chars().take(200).collect::<String>());
            match (check(&endpoint, request), fits) {
                (Ok(()), true) => taken += 1,
                (Err(error), false) => {
                    refused += 1;
                    assert_eq!(
                        (error.outcome, error.source),
                        (wire::Outcome::NotRun, wire::Source::Cluster),
                        "{}",
                        place()
                    );
                    assert!((400..500).contains(&error.code) && !error.reason.is_empty(), "{}: {error:?}", place());
                }
                (Ok(()), false) => panic!("beyond a limit, and taken: {}", place()),
                (Err(error), true) => panic!("within its limits, and refused with {error}: {}", place()),
            }
        }
    }
    assert!(taken > 100 && refused > 100, "{taken} taken, {refused} refused: the test tests nothing");
}

/// A limit that is stated and not enforced would be a lie in the docs.
#[test]
fn only_what_is_enforced_is_stated() {
    const UNKNOWN: &[&str] = &["exclusiveMinimum", "exclusiveMaximum", "multipleOf", "contains", "minContains", "not"];
    for endpoint in endpoints() {
        let schema = (endpoint.request)().to_string();
        let stated: Vec<_> = UNKNOWN.iter().filter(|word| schema.contains(&format!("\"{word}\":"))).collect();
        assert!(stated.is_empty(), "{} states {stated:?}, which wire::limits does not know", endpoint.id());
    }
}
