//! Outwards: a strict value as callers see it.

use super::Fit;
use super::shape::{Int, Shape};
use serde_json::{Map, Value};

/// 64-bit integers become decimal strings, fields left out come back as zero values.
pub fn show(fit: &Fit, shape: &Shape, value: &mut Value) {
    match (fit.resolve(shape), value) {
        (Shape::Int(Int { bits: 64, .. }), value @ Value::Number(_)) => *value = Value::String(value.to_string()),
        (Shape::Maybe(inner), value) if !value.is_null() => show(fit, inner, value),
        (Shape::List(item), Value::Array(items)) => items.iter_mut().for_each(|value| show(fit, item, value)),
        (Shape::Map(item), Value::Object(items)) => items.values_mut().for_each(|value| show(fit, item, value)),
        (Shape::Message(message), Value::Object(fields)) => {
            for field in &message.fields {
                match fields.get_mut(&field.name) {
                    Some(value) => show(fit, &field.shape, value),
                    None => {
                        let mut value = zero(fit, &field.shape);
                        show(fit, &field.shape, &mut value);
                        fields.insert(field.name.clone(), value);
                    }
                }
            }
        }
        _ => {}
    }
}

/// A type's zero value, strict.
pub fn zero(fit: &Fit, shape: &Shape) -> Value {
    match fit.resolve(shape) {
        Shape::Any | Shape::Null | Shape::Maybe(_) | Shape::Ref(_) => Value::Null,
        Shape::Bool => Value::Bool(false),
        Shape::Int(_) => 0.into(),
        Shape::Float { .. } => 0.0.into(),
        Shape::Text | Shape::Bytes => Value::String(String::new()),
        Shape::Time => "1970-01-01T00:00:00Z".into(),
        Shape::Choice(words) => words[0].clone().into(),
        Shape::List(_) => Value::Array(vec![]),
        Shape::Map(_) => Value::Object(Map::new()),
        // Only required fields: a type cannot require itself, so this ends.
        Shape::Message(message) => {
            let required = message.fields.iter().filter(|field| field.required);
            Value::Object(required.map(|field| (field.name.clone(), zero(fit, &field.shape))).collect())
        }
    }
}
