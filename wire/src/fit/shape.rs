//! A JSON Schema compiled to what fitting asks of it.

use super::Fit;
use crate::limits;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// What values of a type look like.
#[derive(Debug)]
pub enum Shape {
    /// Free JSON, or a schema we do not look into (an enum that carries data).
    Any,
    Null,
    Bool,
    Int(Int),
    Float {
        max: f64,
    },
    Text,
    /// base64
    Bytes,
    /// RFC 3339
    Time,
    /// One of these words; the first is the zero value.
    Choice(Vec<String>),
    List(Box<Shape>),
    Map(Box<Shape>),
    Message(Message),
    /// `null` is a value of its own.
    Maybe(Box<Shape>),
    /// Position in [`Fit`]'s list: types may contain themselves.
    Ref(usize),
}

/// An integer type: its width and range.
#[derive(Clone, Copy, Debug)]
pub struct Int {
    pub bits: u8,
    pub min: i128,
    pub max: i128,
}

/// An object with named fields.
#[derive(Debug, Default)]
pub struct Message {
    pub fields: Vec<Field>,
    /// Names as declared.
    pub exact: BTreeMap<String, usize>,
    /// Their camelCase spellings, where they differ.
    pub camel: BTreeMap<String, usize>,
}

/// A named field.
#[derive(Debug)]
pub struct Field {
    pub name: String,
    pub shape: Shape,
    /// The type's own derive cannot fill it in.
    pub required: bool,
    pub doc: String,
    pub limits: Vec<String>,
    pub must_be_given: bool,
}

pub fn compile(schema: &Value) -> Fit {
    let empty = Map::new();
    let defs = schema.get("$defs").and_then(Value::as_object).unwrap_or(&empty);
    let names: BTreeMap<&str, usize> = defs.keys().enumerate().map(|(n, name)| (name.as_str(), n + 1)).collect();
    let compiler = Compiler { names };
    let shapes = std::iter::once(schema).chain(defs.values()).map(|schema| compiler.shape(schema)).collect();
    Fit { shapes }
}

struct Compiler<'a> {
    names: BTreeMap<&'a str, usize>,
}

impl Compiler<'_> {
    fn shape(&self, schema: &Value) -> Shape {
        if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
            let name = target.rsplit('/').next().unwrap_or(target);
            return Shape::Ref(self.names.get(name).copied().unwrap_or(0));
        }
        for several in ["anyOf", "oneOf", "allOf"] {
            if let Some(parts) = schema.get(several).and_then(Value::as_array) {
                return self.one_of(parts);
            }
        }
        if let Some(words) = schema.get("enum").and_then(Value::as_array) {
            let words: Option<Vec<String>> = words.iter().map(|word| word.as_str().map(str::to_string)).collect();
            return words.filter(|words| !words.is_empty()).map_or(Shape::Any, Shape::Choice);
        }
        match schema.get("type") {
            Some(Value::String(kind)) => self.of_type(kind, schema),
            Some(Value::Array(kinds)) => {
                let named: Vec<&str> = kinds.iter().filter_map(Value::as_str).filter(|&kind| kind != "null").collect();
                match named[..] {
                    [kind] if named.len() < kinds.len() => Shape::Maybe(Box::new(self.of_type(kind, schema))),
                    [kind] => self.of_type(kind, schema),
                    _ => Shape::Any,
                }
            }
            _ => Shape::Any,
        }
    }

    /// `T or null`, an enum of words with docs, or something we leave alone.
    fn one_of(&self, parts: &[Value]) -> Shape {
        let is_null = |part: &&Value| part.get("type").and_then(Value::as_str) == Some("null");
        let solid: Vec<&Value> = parts.iter().filter(|part| !is_null(part)).collect();
        if let [only] = solid[..] {
            let inner = self.shape(only);
            return if solid.len() < parts.len() { Shape::Maybe(Box::new(inner)) } else { inner };
        }
        let mut words = vec![];
        for part in &solid {
            match (part.get("const").and_then(Value::as_str), part.get("enum").and_then(Value::as_array)) {
                (Some(word), _) => words.push(word.to_string()),
                (None, Some(several)) => words.extend(several.iter().filter_map(Value::as_str).map(str::to_string)),
                (None, None) => return Shape::Any,
            }
        }
        if words.is_empty() { Shape::Any } else { Shape::Choice(words) }
    }

    fn of_type(&self, kind: &str, schema: &Value) -> Shape {
        let format = schema.get("format").and_then(Value::as_str).unwrap_or_default();
        match kind {
            "null" => Shape::Null,
            "boolean" => Shape::Bool,
            "integer" => Shape::Int(int(format)),
            "number" => Shape::Float { max: if format == "float" { f64::from(f32::MAX) } else { f64::MAX } },
            "string" => match format {
                "byte" => Shape::Bytes,
                "date-time" => Shape::Time,
                _ => Shape::Text,
            },
            // A tuple (`prefixItems`) has one type a place: its parts are free.
            "array" => Shape::List(Box::new(schema.get("items").map_or(Shape::Any, |items| self.shape(items)))),
            "object" => self.object(schema),
            _ => Shape::Any,
        }
    }

    fn object(&self, schema: &Value) -> Shape {
        let Some(properties) = schema.get("properties").and_then(Value::as_object) else {
            let patterns = schema.get("patternProperties").and_then(|patterns| patterns.as_object()?.values().next());
            let rest = schema.get("additionalProperties").filter(|rest| !rest.is_boolean()).or(patterns);
            return match (rest, schema.get("additionalProperties")) {
                (Some(rest), _) => Shape::Map(Box::new(self.shape(rest))),
                (None, Some(Value::Bool(true))) => Shape::Map(Box::new(Shape::Any)),
                (None, _) => Shape::Message(Message::default()),
            };
        };
        let required: Vec<&str> =
            schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
        let mut message = Message::default();
        for (name, part) in properties {
            let at = message.fields.len();
            message.exact.insert(name.clone(), at);
            let camel = camel_case(name);
            if camel != *name {
                message.camel.insert(camel, at);
            }
            message.fields.push(Field {
                shape: self.shape(part),
                required: required.contains(&name.as_str()),
                doc: part.get("description").and_then(Value::as_str).unwrap_or_default().to_string(),
                limits: limits::words(part),
                must_be_given: limits::is_required(part),
                name: name.clone(),
            });
        }
        Shape::Message(message)
    }
}

/// Range by schemars' format words; an integer of unknown width is taken as 64-bit.
fn int(format: &str) -> Int {
    let digits = format.trim_start_matches("uint").trim_start_matches("int");
    let bits = digits.parse::<u8>().ok().filter(|bits| matches!(bits, 8 | 16 | 32 | 64)).unwrap_or(64);
    match format.starts_with('u') {
        true => Int { bits, min: 0, max: (1_i128 << bits) - 1 },
        false => Int { bits, min: -(1_i128 << (bits - 1)), max: (1_i128 << (bits - 1)) - 1 },
    }
}

/// `session_id` → `sessionId`.
pub fn camel_case(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut raise = false;
    for letter in name.chars() {
        match letter {
            '_' if !out.is_empty() => raise = true,
            letter if raise => {
                out.extend(letter.to_uppercase());
                raise = false;
            }
            letter => out.push(letter),
        }
    }
    out
}

impl Fit {
    /// Follows references.
    pub(super) fn resolve<'a>(&'a self, mut shape: &'a Shape) -> &'a Shape {
        // A type that is nothing but a reference to itself cannot exist; the bound is for a damaged schema.
        for _ in 0..self.shapes.len() {
            match shape {
                Shape::Ref(at) => shape = &self.shapes[*at],
                _ => break,
            }
        }
        shape
    }

    /// Without its `or null`.
    pub(super) fn bare<'a>(&'a self, shape: &'a Shape) -> &'a Shape {
        match self.resolve(shape) {
            Shape::Maybe(inner) => self.resolve(inner),
            shape => shape,
        }
    }

    /// What a person calls this type.
    pub(super) fn word(&self, shape: &Shape, depth: u8) -> String {
        match self.bare(shape) {
            Shape::Any | Shape::Ref(_) | Shape::Maybe(_) => "JSON".into(),
            Shape::Null => "null".into(),
            Shape::Bool => "bool".into(),
            Shape::Int(int) => int.word(),
            Shape::Float { .. } => "number".into(),
            Shape::Text => "string".into(),
            Shape::Bytes => "base64 bytes".into(),
            Shape::Time => "RFC 3339 time".into(),
            Shape::Choice(words) => format!("one of {}", words.join(", ")),
            Shape::List(item) if depth < 3 => format!("list of {}", self.word(item, depth + 1)),
            Shape::List(_) => "list".into(),
            Shape::Map(item) if depth < 3 => format!("map of {}", self.word(item, depth + 1)),
            Shape::Map(_) => "map".into(),
            Shape::Message(_) => "object".into(),
        }
    }
}

impl Int {
    pub fn word(&self) -> String {
        let sign = if self.min == 0 { "unsigned " } else { "" };
        format!("{}-bit {sign}integer", self.bits)
    }
}
