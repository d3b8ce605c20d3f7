//! A call as it stands in a Rust program, derived from the request's schema.

use super::shell::WIDTH;
use serde_json::{Map, Value};
use wire::{Bytes, Kind, Rfc3339};

/// `request` holds only what has to be said.
pub fn call(service: &str, kind: Kind, schema: &Value, request: &Value) -> String {
    let writer = Writer { service, root: schema };
    let (before, after) = match kind {
        Kind::Stream => ("let mut items = client.stream(", ").await?;"),
        _ => ("let reply = client.call(", ").await?;"),
    };
    let mut out = writer.value(schema, request).laid(before.len() + after.len(), 0);
    out.insert_str(0, before);
    out.push_str(after);
    if kind == Kind::Stream {
        out.push_str("\nwhile let Some(item) = items.next().await {\n    println!(\"{:?}\", item?);\n}");
    }
    out
}

/// Source that can be laid out on one line or on several.
enum Code {
    Word(String),
    /// Opening, items, closing; `wide`: a space inside the brackets.
    Block {
        open: String,
        items: Vec<(String, Code)>,
        close: &'static str,
        wide: bool,
    },
}

impl Code {
    fn flat(&self) -> String {
        match self {
            Code::Word(word) => word.clone(),
            Code::Block { open, items, close, wide } => {
                let items: Vec<String> = items.iter().map(|(name, code)| format!("{name}{}", code.flat())).collect();
                let space = if *wide && !items.is_empty() { " " } else { "" };
                format!("{open}{space}{}{space}{close}", items.join(", "))
            }
        }
    }

    /// `around`: what stands on the same line; `indent`: how deep that line is.
    fn laid(&self, around: usize, indent: usize) -> String {
        let flat = self.flat();
        match self {
            Code::Block { open, items, close, .. } if indent + around + flat.chars().count() > WIDTH => {
                let inner = indent + 4;
                let mut out = open.clone();
                for (name, code) in items {
                    let comma = if name == ".." { "" } else { "," };
                    out.push_str(&format!("\n{:inner$}{name}{}{comma}", "", code.laid(name.len() + 1, inner)));
                }
                format!("{out}\n{:indent$}{close}", "")
            }
            _ => flat,
        }
    }
}

struct Writer<'a> {
    service: &'a str,
    root: &'a Value,
}

impl Writer<'_> {
    fn value(&self, schema: &Value, value: &Value) -> Code {
        if let Some(path) = schema["$ref"].as_str() {
            let name = path.rsplit('/').next().unwrap_or_default();
            return match self.root["$defs"].get(name) {
                Some(part) => self.named(name, part, value),
                None => self.value(self.root, value),
            };
        }
        // `T or null`
        if let Some(parts) = schema["anyOf"].as_array() {
            let solid = parts.iter().find(|part| part["type"] != "null").unwrap_or(schema);
            return self.maybe(value, |value| self.value(solid, value));
        }
        match &schema["type"] {
            Value::Array(kinds) => {
                let kind = kinds.iter().find(|kind| *kind != "null").and_then(Value::as_str).unwrap_or_default();
                self.maybe(value, |value| self.of_type(kind, schema, value))
            }
            Value::String(kind) => self.of_type(kind, schema, value),
            _ => word(format!("wire::Json(serde_json::json!({value}))")),
        }
    }

    fn maybe(&self, value: &Value, some: impl FnOnce(&Value) -> Code) -> Code {
        if value.is_null() {
            return word("None");
        }
        Code::Block { open: "Some(".into(), items: vec![(String::new(), some(value))], close: ")", wide: false }
    }

    fn of_type(&self, kind: &str, schema: &Value, value: &Value) -> Code {
        match (kind, value) {
            ("object", Value::Object(fields)) if schema["properties"].is_object() || !is_map(schema) => {
                self.named(schema["title"].as_str().unwrap_or_default(), schema, &Value::Object(fields.clone()))
            }
            ("object", Value::Object(entries)) => {
                let item = |(key, value): (&String, &Value)| {
                    let pair = vec![
                        (String::new(), word(format!("{key:?}.into()"))),
                        (String::new(), self.value(&schema["additionalProperties"], value)),
                    ];
                    (String::new(), Code::Block { open: "(".into(), items: pair, close: ")", wide: false })
                };
                let items = entries.iter().map(item).collect();
                Code::Block { open: "[".into(), items, close: "].into()", wide: false }
            }
            ("array", Value::Array(items)) => {
                let items = items.iter().map(|item| (String::new(), self.value(&schema["items"], item))).collect();
                Code::Block { open: "vec![".into(), items, close: "]", wide: false }
            }
            ("string", Value::String(text)) => word(text_as(schema["format"].as_str().unwrap_or_default(), text)),
            // A float without its point is an integer to rustc.
            ("number", Value::Number(n)) => word(format!("{:?}", n.as_f64().unwrap_or_default())),
            (_, value) => word(value.to_string()),
        }
    }

    /// A type of the service's `api.rs`.
    fn named(&self, name: &str, schema: &Value, value: &Value) -> Code {
        let path = format!("{}::{name}", self.service);
        match (schema["properties"].as_object(), value) {
            (Some(known), Value::Object(given)) => self.message(path, known, given),
            (None, Value::Object(given)) if given.is_empty() => word(format!("{path} {{}}")),
            // An enum of words: serde's snake_case names back to the variant's.
            (None, Value::String(text)) if schema["enum"].is_array() || schema["oneOf"].is_array() => {
                word(format!("{path}::{}", variant(text)))
            }
            (None, Value::Object(_)) => word(format!("wire::Json(serde_json::json!({value}))")),
            _ => self.value(schema, value),
        }
    }

    fn message(&self, path: String, known: &Map<String, Value>, given: &Map<String, Value>) -> Code {
        let said = known.iter().filter_map(|(name, part)| {
            let value = given.get(name).filter(|value| !self.is_zero(part, value))?;
            Some((format!("{}: ", field_name(name)), self.value(part, value)))
        });
        let mut items: Vec<(String, Code)> = said.collect();
        if items.is_empty() && !known.is_empty() {
            return word(format!("{path}::default()"));
        }
        if items.len() < known.len() {
            items.push(("..".into(), word("Default::default()")));
        }
        Code::Block { open: format!("{path} {{"), items, close: "}", wide: true }
    }

    /// What `Default` gives: nobody would write it down.
    fn is_zero(&self, schema: &Value, value: &Value) -> bool {
        let may_be_null = schema["anyOf"].is_array() || schema["type"].is_array();
        match value {
            Value::Null => true,
            _ if may_be_null => false,
            Value::Bool(value) => !value,
            Value::Number(n) => n.as_f64() == Some(0.0),
            Value::String(text) => text.is_empty(),
            Value::Array(items) => items.is_empty(),
            Value::Object(fields) => fields.is_empty(),
        }
    }
}

fn word(text: impl Into<String>) -> Code {
    Code::Word(text.into())
}

fn is_map(schema: &Value) -> bool {
    schema["additionalProperties"].is_object() || schema["additionalProperties"] == true
}

fn text_as(format: &str, text: &str) -> String {
    let json = || Value::String(text.to_string());
    match format {
        "date-time" => match serde_json::from_value::<Rfc3339>(json()) {
            Ok(moment) => format!("wire::Rfc3339({})", moment.0),
            Err(_) => format!("{text:?}.into()"),
        },
        "byte" => match serde_json::from_value::<Bytes>(json()) {
            Ok(bytes) => format!("wire::Bytes(b\"{}\".to_vec())", bytes.0.escape_ascii()),
            Err(_) => format!("{text:?}.into()"),
        },
        _ => format!("{text:?}.into()"),
    }
}

/// `not_run` → `NotRun`
fn variant(word: &str) -> String {
    let parts = word.split(['_', '-', ' ']).map(|part| {
        let mut letters = part.chars();
        letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect::<String>()
    });
    parts.collect()
}

/// `shortURL` → `short_url`, `type` → `r#type`: the wire's name as the field most likely has it; a test compiles them all.
fn field_name(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    let mut out = String::new();
    for (at, letter) in letters.iter().enumerate() {
        let after_small = at > 0 && !letters[at - 1].is_uppercase() && letters[at - 1] != '_';
        if letter.is_uppercase() && after_small {
            out.push('_');
        }
        out.extend(letter.to_lowercase());
    }
    let keywords =
        ["as", "async", "fn", "for", "if", "in", "let", "loop", "match", "mod", "move", "ref", "type", "use"];
    if keywords.contains(&out.as_str()) { format!("r#{out}") } else { out }
}
