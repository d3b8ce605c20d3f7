//! Types as callers see them, each once, under `service.Type`.

use crate::describe::{Described, DescribedEndpoint};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use wire::limits::{self, keyword};

/// Which way a value goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Request,
    Reply,
}

/// What the types of a service are called.
pub struct Names<'a> {
    service: &'a str,
    /// Types that go both ways: the request's has a name of its own, since it takes what the reply never shows.
    both: BTreeSet<String>,
}

/// `components.schemas`
#[derive(Default)]
pub struct Schemas {
    known: Map<String, Value>,
}

impl Names<'_> {
    pub fn of(service: &Described) -> Names<'_> {
        let of = |side: fn(&DescribedEndpoint) -> &Value| -> BTreeSet<String> {
            let schemas = service.endpoints.iter().map(side);
            schemas.flat_map(|schema| inner(schema).map(|(name, _)| name.to_string()).chain([title(schema)])).collect()
        };
        let (asked, told) = (of(|endpoint| &endpoint.request), of(|endpoint| &endpoint.response));
        Names { service: &service.name, both: asked.intersection(&told).cloned().collect() }
    }

    fn component(&self, title: &str, side: Side) -> String {
        let input = if side == Side::Request && self.both.contains(title) { "Input" } else { "" };
        format!("{}.{title}{input}", self.service)
    }
}

impl Schemas {
    /// Registers a root schema with all it refers to; returns a reference to it.
    pub fn add(&mut self, names: &Names, schema: &Value, side: Side) -> Value {
        let title = title(schema);
        let schema = &standard(schema.clone());
        let seen = Seen { names, side, root: &title };
        for (name, part) in inner(schema).chain([(title.as_str(), schema)]) {
            let component = names.component(name, side);
            self.known.entry(component).or_insert_with(|| seen.schema(part));
        }
        json!({"$ref": format!("#/components/schemas/{}", names.component(&title, side))})
    }

    /// All of them by name.
    pub fn with(mut self, name: &str, schema: Value) -> Value {
        self.known.insert(name.to_string(), schema);
        self.known.sort_keys();
        Value::Object(self.known)
    }
}

fn title(schema: &Value) -> String {
    schema["title"].as_str().unwrap_or("Anonymous").to_string()
}

fn inner(schema: &Value) -> impl Iterator<Item = (&str, &Value)> {
    schema["$defs"].as_object().into_iter().flatten().map(|(name, part)| (name.as_str(), part))
}

/// A top-level field on its own, for a query parameter.
pub fn field(names: &Names, schema: &Value, name: &str) -> Value {
    Seen { names, side: Side::Request, root: &title(schema) }.schema(&standard(schema["properties"][name].clone()))
}

/// Fields that an empty request leaves at a value their own limits refuse.
pub fn required(schema: &Value) -> Vec<String> {
    let fields = schema["properties"].as_object().into_iter().flatten();
    fields.filter(|(_, part)| limits::is_required(part)).map(|(name, _)| name.clone()).collect()
}

/// Limits in the words of the standard; what it has none for goes into the description.
fn standard(mut schema: Value) -> Value {
    say_bytes(&mut schema);
    limits::open_api(&mut schema);
    schema
}

/// JSON Schema counts characters: a limit in bytes has to be said.
fn say_bytes(schema: &mut Value) {
    let rules = limits::words(schema).join(", ");
    match schema {
        Value::Object(parts) => {
            if parts.contains_key(keyword::MAX_BYTES) || parts.contains_key(keyword::MIN_BYTES) {
                let doc = parts.get("description").and_then(Value::as_str).unwrap_or_default();
                let doc = if doc.is_empty() { rules } else { format!("{doc} ({rules})") };
                parts.insert("description".into(), doc.into());
            }
            parts.values_mut().for_each(say_bytes);
        }
        Value::Array(parts) => parts.iter_mut().for_each(say_bytes),
        _ => {}
    }
}

struct Seen<'a> {
    names: &'a Names<'a>,
    side: Side,
    root: &'a str,
}

impl Seen<'_> {
    fn schema(&self, schema: &Value) -> Value {
        let Value::Object(fields) = schema else { return schema.clone() };
        let mut out = Map::new();
        for (keyword, part) in fields {
            let part = match keyword.as_str() {
                // Titles are in the component's name; a zero default goes without saying.
                "$schema" | "$defs" | "title" | "default" | "required" => continue,
                "$ref" => self.reference(part),
                "properties" | "patternProperties" => {
                    let parts = part.as_object().into_iter().flatten();
                    Value::Object(parts.map(|(name, part)| (name.clone(), self.schema(part))).collect())
                }
                "items" | "additionalProperties" | "propertyNames" | "not" => self.schema(part),
                "anyOf" | "oneOf" | "allOf" | "prefixItems" => {
                    part.as_array().into_iter().flatten().map(|part| self.schema(part)).collect()
                }
                _ => part.clone(),
            };
            out.insert(keyword.clone(), part);
        }
        self.object(schema, &mut out);
        self.wide_integer(&mut out);
        bytes(&mut out);
        words(&mut out);
        Value::Object(out)
    }

    fn reference(&self, path: &Value) -> Value {
        let path = path.as_str().unwrap_or_default();
        let name = path.strip_prefix("#/$defs/").unwrap_or(self.root);
        format!("#/components/schemas/{}", self.names.component(name, self.side)).into()
    }

    fn object(&self, schema: &Value, out: &mut Map<String, Value>) {
        let Some(properties) = schema["properties"].as_object() else { return };
        let required = match self.side {
            Side::Request => required(schema),
            Side::Reply => properties.keys().cloned().collect(),
        };
        if !required.is_empty() {
            out.insert("required".into(), required.into());
        }
    }

    /// Decimal strings in replies; in requests numbers as well, and only those can be compared with limits.
    fn wide_integer(&self, out: &mut Map<String, Value>) {
        let format = out.get("format").and_then(Value::as_str).unwrap_or_default();
        let digits = match format {
            "int64" => "-?[0-9]{1,19}",
            "uint64" => "[0-9]{1,20}",
            _ => return,
        };
        let may_be_null = out.get("type").is_some_and(Value::is_array);
        let mut kinds = vec!["string"];
        if self.side == Side::Request {
            kinds.push("integer");
        }
        if may_be_null {
            kinds.push("null");
        }
        out.insert("type".into(), if kinds.len() == 1 { json!("string") } else { json!(kinds) });
        out.insert("pattern".into(), format!("^{digits}$").into());
        if self.side == Side::Reply {
            out.shift_remove("minimum");
            out.shift_remove("maximum");
        }
    }
}

fn bytes(out: &mut Map<String, Value>) {
    if out.get("format").is_some_and(|format| format == "byte") {
        out.insert("contentEncoding".into(), "base64".into());
    }
}

/// An enum whose words have docs is a list of constants to schemars: here it is an enum, its docs in the description.
fn words(out: &mut Map<String, Value>) {
    let Some(parts) = out.get("oneOf").and_then(Value::as_array) else { return };
    let Some(words) = parts.iter().map(|part| part["const"].as_str()).collect::<Option<Vec<_>>>() else { return };
    let told = words.iter().zip(parts).map(|(word, part)| match part["description"].as_str() {
        Some(doc) => format!("\n- `{word}`: {doc}"),
        None => format!("\n- `{word}`"),
    });
    let doc = out.get("description").and_then(Value::as_str).unwrap_or_default();
    let doc = format!("{doc}{}", told.collect::<String>());
    let words = json!(words);
    out.shift_remove("oneOf");
    out.insert("type".into(), "string".into());
    out.insert("enum".into(), words);
    out.insert("description".into(), doc.into());
}
