//! Leniency by schema: what a door accepts beyond strict JSON, and how it shows a reply.
//!
//! In: 64-bit integers as numbers or decimal strings, `"true"` for a bool, camelCase names, `null` and missing fields as
//! zero values, unknown fields ignored. Out: 64-bit integers as decimal strings, every zero value there. The types
//! themselves stay plain derives. A schema is compiled once, at start.

mod shape;
mod show;
mod take;

use crate::error::{Error, reasons};
use serde_json::Value;
use shape::Shape;
use std::fmt;

/// A type's schema, ready to fit values to it.
#[derive(Debug)]
pub struct Fit {
    /// What `$ref` names; the first is the type itself.
    shapes: Vec<Shape>,
}

/// Where a value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A JSON body: types must be right, but for the spellings above.
    Json,
    /// Query parameters, forms, command lines: every value arrives as text and is read as its field's type.
    Text,
}

/// Why a value does not fit: names the field and the rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit {
    /// `account.tags[2]`; empty = the whole body.
    pub field: String,
    pub rule: String,
}

/// A field, for help and forms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldInfo {
    pub name: String,
    /// `64-bit integer`, `list of string`, …
    pub kind: String,
    pub doc: String,
    /// A flag without a value means `true`.
    pub is_bool: bool,
}

impl Fit {
    /// Compiles a JSON Schema as [`crate::Endpoint::request`] gives it.
    pub fn of(schema: &Value) -> Fit {
        shape::compile(schema)
    }

    /// Strict JSON out of lenient: every required field there, every value of its type.
    pub fn take(&self, value: Value, origin: Origin) -> Result<Value, Misfit> {
        take::take(self, value, take::How { origin, fill: true })
    }

    /// As [`Fit::take`], with only the fields that were given: parts of one request are merged before they are filled up.
    pub fn take_part(&self, value: Value, origin: Origin) -> Result<Value, Misfit> {
        take::take(self, value, take::How { origin, fill: false })
    }

    /// A strict value as callers see it.
    pub fn show(&self, mut value: Value) -> Value {
        show::show(self, self.root(), &mut value);
        value
    }

    /// The fields of the type itself, in the order of its declaration.
    pub fn fields(&self) -> Vec<FieldInfo> {
        let Shape::Message(message) = self.resolve(self.root()) else { return vec![] };
        let info = |field: &shape::Field| FieldInfo {
            name: field.name.clone(),
            kind: self.word(&field.shape, 0),
            doc: field.doc.clone(),
            is_bool: matches!(self.bare(&field.shape), Shape::Bool),
        };
        message.fields.iter().map(info).collect()
    }

    fn root(&self) -> &Shape {
        &self.shapes[0]
    }
}

/// `over` wins over `under`, field by field.
pub fn merge(under: Value, over: Value) -> Value {
    match (under, over) {
        (Value::Object(mut under), Value::Object(over)) => {
            for (name, value) in over {
                let merged = match under.shift_remove(&name) {
                    Some(below) => merge(below, value),
                    None => value,
                };
                under.insert(name, merged);
            }
            Value::Object(under)
        }
        (_, over) => over,
    }
}

impl Misfit {
    fn new(rule: impl Into<String>) -> Misfit {
        Misfit { field: String::new(), rule: rule.into() }
    }

    /// One step outwards: the field is inside `outer`.
    fn inside(mut self, outer: &str) -> Misfit {
        self.field = match self.field.chars().next() {
            None => outer.to_string(),
            Some('[') => format!("{outer}{}", self.field),
            Some(_) => format!("{outer}.{}", self.field),
        };
        self
    }
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.field.as_str() {
            "" => f.write_str(&self.rule),
            field => write!(f, "{field}: {}", self.rule),
        }
    }
}

impl From<Misfit> for Error {
    fn from(misfit: Misfit) -> Error {
        reasons::BAD_BODY.refuse(misfit.to_string())
    }
}

#[cfg(test)]
mod tests;
