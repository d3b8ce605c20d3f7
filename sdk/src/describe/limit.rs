//! Limits of fields in words, as the schema has them.

use serde_json::Value;
use wire::endpoint::Limit;

/// Each limit of a field's schema as a phrase: `1 to 512 bytes`, `at least 1`.
pub fn words(schema: &Value) -> Vec<String> {
    let mut all = vec![];
    let mut range = |low: &str, high: &str, unit: &str| all.extend(between(&schema[low], &schema[high], unit));
    range("minLength", "maxLength", " characters");
    range("x-min-bytes", "x-max-bytes", " bytes");
    range("minItems", "maxItems", " items");
    range("minProperties", "maxProperties", " entries");
    // An unsigned type says `minimum: 0` of itself: that is no limit of the field.
    let is_unsigned = schema["format"].as_str().is_some_and(|format| format.starts_with("uint"));
    range(if is_unsigned && schema["minimum"] == 0 { "" } else { "minimum" }, "maximum", "");
    if let Some(pattern) = schema["pattern"].as_str() {
        all.push(format!("matches {pattern}"));
    }
    if let Some(default) = schema.get("default").filter(|default| !is_zero(default)) {
        all.push(format!("default {default}"));
    }
    let inside = |part: &str, each: &str| -> Vec<String> {
        schema.get(part).map(words).unwrap_or_default().into_iter().map(|rule| format!("{each} {rule}")).collect()
    };
    all.extend(inside("items", "each"));
    all.extend(inside("propertyNames", "keys"));
    all.extend(inside("additionalProperties", "values"));
    all
}

/// A gather's page has a largest size that is said in the endpoint table, not in its type.
pub fn with_page(mut request: Value, page: Option<Limit>) -> Value {
    if let (Some(page), Some(field)) = (page, request.pointer_mut("/properties/limit").and_then(Value::as_object_mut)) {
        field.entry("maximum").or_insert(page.max.into());
    }
    request
}

fn between(low: &Value, high: &Value, unit: &str) -> Option<String> {
    match (low.is_number(), high.is_number()) {
        (true, true) if low == high => Some(format!("exactly {}{unit}", number(low))),
        (true, true) => Some(format!("{} to {}{unit}", number(low), number(high))),
        (true, false) if *low == 1 && !unit.is_empty() => Some("not empty".into()),
        (true, false) => Some(format!("at least {}{unit}", number(low))),
        (false, true) => Some(format!("at most {}{unit}", number(high))),
        (false, false) => None,
    }
}

/// `1,000,000`
fn number(bound: &Value) -> String {
    let text = bound.to_string();
    let digits = text.trim_start_matches('-');
    if digits.len() < 4 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return text;
    }
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    if text.starts_with('-') { format!("-{out}") } else { out }
}

fn is_zero(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(value) => !value,
        Value::Number(n) => n.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.values().all(is_zero),
    }
}
