//! Random values of a type against the plainest reading of the same schema: as JSON, field by field.

use super::*;
use rand::{Rng, SeedableRng, rngs::SmallRng};

/// The first place that breaks a limit, depth first in the order of the schema.
fn broken(root: &Value, part: &Value, value: &Value, at: &str) -> Option<String> {
    if let Some(path) = part["$ref"].as_str() {
        return broken(root, &root["$defs"][path.trim_start_matches("#/$defs/")], value, at);
    }
    if let Some(several) = part["anyOf"].as_array() {
        return if value.is_null() { None } else { broken(root, &several[0], value, at) };
    }
    let within = |n: f64, low: &str, high: &str| {
        part[low].as_f64().is_none_or(|min| n >= min) && part[high].as_f64().is_none_or(|max| n <= max)
    };
    let here = || Some(at.to_string());
    let zero = part["x-zero"].is_string();
    match value {
        Value::String(text) if zero && text.is_empty() => None,
        Value::Number(n) if zero && n.as_f64() == Some(0.0) => None,
        Value::String(text) => {
            let sized = within(text.chars().count() as f64, "minLength", "maxLength")
                && within(text.len() as f64, "x-min-bytes", "x-max-bytes");
            // The only pattern there is.
            let matches =
                part["pattern"].is_null() || (text.len() == 3 && text.bytes().all(|b| b.is_ascii_uppercase()));
            if sized && matches { None } else { here() }
        }
        Value::Number(n) if !within(n.as_f64().unwrap(), "minimum", "maximum") => here(),
        Value::Array(items) => {
            if !within(items.len() as f64, "minItems", "maxItems") {
                return here();
            }
            items.iter().enumerate().find_map(|(n, item)| broken(root, &part["items"], item, &format!("{at}[{n}]")))
        }
        Value::Object(fields) if part["properties"].is_object() => {
            let known = part["properties"].as_object().unwrap();
            let dot = if at.is_empty() { "" } else { "." };
            known.iter().find_map(|(name, part)| broken(root, part, &fields[name], &format!("{at}{dot}{name}")))
        }
        Value::Object(entries) => {
            if !within(entries.len() as f64, "minProperties", "maxProperties") {
                return here();
            }
            entries.iter().find_map(|(name, value)| {
                let text = Value::from(name.as_str());
                let at = if name.is_empty() { at.to_string() } else { format!("{at}.{name}") };
                let of_name = broken(root, &part["propertyNames"], &text, &at);
                of_name.or_else(|| broken(root, &part["additionalProperties"], value, &at))
            })
        }
        _ => None,
    }
}

fn text(random: &mut SmallRng) -> String {
    (0..random.random_range(0..5)).map(|_| ['a', 'B', 'é', '🎉', '\0'][random.random_range(0..5)]).collect()
}

fn tree(random: &mut SmallRng, depth: u8) -> Tree {
    let children = if depth == 0 { 0 } else { random.random_range(0..3) };
    let children = (0..children).map(|_| tree(random, depth - 1)).collect();
    Tree { name: text(random).chars().take(3).collect(), children }
}

fn any(random: &mut SmallRng) -> Everything {
    let mut value = valid();
    // A few fields at a time: were all random, the first would always be the one that is named.
    for _ in 0..random.random_range(0..4) {
        match random.random_range(0..13) {
            0 => value.key = text(random),
            1 => value.note = text(random),
            2 => value.value = text(random),
            3 => value.digits = random.random_range(-2..12),
            4 => value.limit = random.random_range(99..102),
            5 => value.latitude = f64::from(random.random_range(-91..92)),
            6 => value.words = (0..random.random_range(0..3)).map(|_| text(random)).collect(),
            7 => value.metadata = (0..random.random_range(0..4)).map(|_| (text(random), text(random))).collect(),
            8 => value.part.n = random.random_range(4..7),
            9 => value.maybe = Some(text(random)).filter(|_| random.random()),
            10 => value.rest = Some(Part { n: random.random_range(4..7) }),
            11 => value.tree = vec![tree(random, 3)],
            _ => value.currency = ["", "EUR", "eur", "EURO"][random.random_range(0..4)].into(),
        }
    }
    value
}

#[test]
fn random_values_break_what_the_naive_checker_says() {
    let schema = schema();
    let limits = Limits::of(&schema);
    let (mut fine, mut refused) = (0, 0);
    for seed in 0..20_000 {
        let value = any(&mut SmallRng::seed_from_u64(seed));
        let want = broken(&schema, &schema, &serde_json::to_value(&value).unwrap(), "");
        let got = limits.check(&value).err().map(|misfit| misfit.field);
        assert_eq!(got, want, "seed {seed}: {value:?}");
        *(if got.is_some() { &mut refused } else { &mut fine }) += 1;
    }
    assert!(fine > 2_000 && refused > 2_000, "{fine} fine, {refused} refused: the test tests nothing");
}
