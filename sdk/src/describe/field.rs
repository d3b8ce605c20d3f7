//! Fields as people read them: name, type, meaning, limits, and what is inside.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use wire::fit::Fit;
use wire::limits::words;

/// How deep fields inside fields are told of.
const DEPTH_MAX: usize = 4;

/// A field of a request or reply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    pub name: String,
    /// `64-bit integer`, `list of Account`, …
    #[serde(rename = "type")]
    pub kind: String,
    pub doc: String,
    /// Each a phrase: `1 to 512 bytes`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub limits: Vec<String>,
    /// What an object, or each one in a list or map, holds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<Field>,
}

/// The fields of a root schema, in the order of their declaration.
pub fn of(schema: &Value) -> Vec<Field> {
    let mut open = vec![];
    fields(schema, schema, &mut open)
}

/// `open`: the types we are inside of, since a type may contain itself.
fn fields(root: &Value, part: &Value, open: &mut Vec<String>) -> Vec<Field> {
    let mut alone = part.clone();
    alone["$defs"] = root.get("$defs").cloned().unwrap_or_else(|| json!({}));
    let info = Fit::of(&alone).fields();
    let told = info.into_iter().map(|info| {
        let schema = &part["properties"][&info.name];
        let inner = named(schema);
        let kind = match inner {
            Some(name) => info.kind.replace("object", name),
            None => info.kind,
        };
        let inside = match inner {
            Some(name) if open.len() < DEPTH_MAX && !open.iter().any(|known| known == name) => {
                open.push(name.to_string());
                let inside = fields(root, &root["$defs"][name], open);
                open.pop();
                inside
            }
            _ => vec![],
        };
        Field { name: info.name, kind, doc: info.doc, limits: limits(schema), fields: inside }
    });
    told.collect()
}

fn limits(schema: &Value) -> Vec<String> {
    let default = schema.get("default").filter(|default| !is_zero(default)).map(|default| match default {
        Value::String(word) => format!("default {word}"),
        default => format!("default {default}"),
    });
    words(schema).into_iter().chain(default).collect()
}

fn is_zero(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(value) => !value,
        Value::Number(n) => n.as_f64() == Some(0.0),
        // A time's zero is a text like any other here.
        Value::String(text) => text.is_empty() || text == "1970-01-01T00:00:00Z",
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.values().all(is_zero),
    }
}

/// The type that a field, its items or its values refer to.
fn named(schema: &Value) -> Option<&str> {
    if let Some(path) = schema["$ref"].as_str() {
        return path.strip_prefix("#/$defs/");
    }
    let solid = schema["anyOf"].as_array().and_then(|parts| parts.iter().find(|part| part["type"] != "null"));
    let inside = [solid, schema.get("items"), schema.get("additionalProperties")];
    inside.into_iter().flatten().filter(|part| part.is_object()).find_map(named)
}
