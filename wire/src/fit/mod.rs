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
    pub told: Told,
}

/// How a misfit is told to the caller.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Told {
    /// The type is wrong: `bad_body`.
    #[default]
    Type,
    /// The value is out of the field's [limits](crate::limits): `bad_field`.
    Limit,
    /// The same, in words of the service's own: the rule is the whole text.
    As { code: u16, reason: String },
}

/// A field, for help and forms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldInfo {
    pub name: String,
    /// `64-bit integer`, `list of string`, …
    pub kind: String,
    pub doc: String,
    /// Each limit as a phrase: `1 to 512 bytes`; see [`crate::limits::words`].
    pub limits: Vec<String>,
    /// It must be given.
    pub required: bool,
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
            limits: field.limits.clone(),
            required: field.must_be_given,
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
    pub(crate) fn new(rule: impl Into<String>) -> Misfit {
        Misfit { field: String::new(), rule: rule.into(), told: Told::Type }
    }

    /// One step outwards: the field is inside `outer`.
    pub(crate) fn inside(mut self, outer: &str) -> Misfit {
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
        match (&self.told, self.field.as_str()) {
            (Told::As { .. }, _) | (_, "") => f.write_str(&self.rule),
            (_, field) => write!(f, "{field}: {}", self.rule),
        }
    }
}

impl From<Misfit> for Error {
    fn from(misfit: Misfit) -> Error {
        let detail = misfit.to_string();
        match misfit.told {
            Told::Type => reasons::BAD_BODY.refuse(detail),
            Told::Limit => reasons::BAD_FIELD.refuse(detail),
            Told::As { code, reason } => Error { code, reason: reason.into(), ..reasons::BAD_FIELD.refuse(detail) },
        }
    }
}

#[cfg(test)]
mod tests;
