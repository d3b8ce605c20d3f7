//! Every type and every field says what it is: the docs are the help, the form and the OpenAPI entry.

use super::endpoints;
use serde_json::{Map, Value, json};

/// Where a type or field is, and its part of the schema: `wallet.read response Account.balance`.
pub fn parts(place: &str, schema: &Value) -> Vec<(String, Value)> {
    let mut all = vec![(place.to_string(), schema.clone())];
    all.extend(properties(schema).into_iter().map(|(name, part)| (format!("{place}.{name}"), part)));
    for (name, part) in schema["$defs"].as_object().cloned().unwrap_or_default() {
        all.push((format!("{place} {name}"), part.clone()));
        all.extend(properties(&part).into_iter().map(|(field, part)| (format!("{place} {name}.{field}"), part)));
    }
    all
}

pub fn properties(schema: &Value) -> Map<String, Value> {
    schema["properties"].as_object().cloned().unwrap_or_default()
}

/// What a field holds when nothing was given.
pub fn zero(root: &Value, part: &Value) -> Value {
    if let Some(path) = part["$ref"].as_str() {
        return zero(root, &root["$defs"][path.trim_start_matches("#/$defs/")]);
    }
    match (part["type"].as_str(), part["format"].as_str()) {
        _ if part["enum"].is_array() => part["enum"][0].clone(),
        (Some("string"), Some("date-time")) => json!("1970-01-01T00:00:00Z"),
        (Some("string"), _) => json!(""),
        (Some("integer"), _) => json!(0),
        (Some("number"), _) => json!(0.0),
        (Some("boolean"), _) => json!(false),
        (Some("array"), _) => json!([]),
        (Some("object"), _) => json!({}),
        _ => Value::Null,
    }
}

/// A value with something in every field.
pub fn sample(root: &Value, part: &Value) -> Value {
    if let Some(path) = part["$ref"].as_str() {
        return sample(root, &root["$defs"][path.trim_start_matches("#/$defs/")]);
    }
    if let Some(several) = part["anyOf"].as_array() {
        return sample(root, &several[0]);
    }
    if let Some(words) = part["enum"].as_array() {
        return words[words.len() - 1].clone();
    }
    match (part["type"].as_str(), part["format"].as_str()) {
        (Some("string"), Some("date-time")) => json!("2009-02-13T23:31:30.123456789Z"),
        (Some("string"), _) => json!("Ünïcödé \0"),
        (Some("integer"), Some("int32")) => json!(i32::MIN),
        (Some("integer"), _) => json!(i64::MIN),
        (Some("number"), _) => json!(-51.5),
        (Some("boolean"), _) => json!(true),
        (Some("array"), _) => json!([sample(root, &part["items"])]),
        (Some("object"), _) if part["additionalProperties"].is_object() => {
            json!({"key": sample(root, &part["additionalProperties"])})
        }
        (Some("object"), _) => properties(part).iter().map(|(name, part)| (name.clone(), sample(root, part))).collect(),
        _ => panic!("a type that sample() does not know yet: {part}"),
    }
}

#[test]
fn every_type_and_field_has_a_doc_comment() {
    for endpoint in endpoints() {
        for (side, schema) in [("request", (endpoint.request)()), ("response", (endpoint.response)())] {
            for (place, part) in parts(&format!("{} {side}", endpoint.id()), &schema) {
                let doc = part["description"].as_str().unwrap_or_default();
                assert!(doc.trim().len() > 1, "{place} has no doc comment");
            }
        }
    }
}

#[test]
fn summaries_are_sentences_of_one_line() {
    for endpoint in endpoints() {
        let summary = endpoint.summary();
        assert!(summary.len() <= 100 && summary.starts_with(char::is_uppercase), "{}: {summary:?}", endpoint.id());
    }
}
