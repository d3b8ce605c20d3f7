//! A JSON Schema compiled to the places where it limits something; all else is not walked.

use super::own::Own;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// A place in a type.
#[derive(Debug)]
pub struct Node {
    pub own: Option<Box<Own>>,
    pub inside: Inside,
}

/// What may be limited further in.
#[derive(Debug)]
pub enum Inside {
    Nothing,
    /// Fields in the order of the type; those without a limit are there to keep the order.
    Fields(Vec<(String, Node)>),
    Items(Box<Node>),
    Entries {
        names: Option<Box<Own>>,
        values: Box<Node>,
    },
    /// Position in the list of nodes: types may contain themselves.
    Ref(usize),
}

impl Node {
    /// Nothing here or further in is limited. A reference counts as limited: it may lead back here.
    pub fn is_free(&self) -> bool {
        self.own.is_none() && matches!(self.inside, Inside::Nothing)
    }
}

pub fn compile(schema: &Value) -> Vec<Node> {
    let empty = Map::new();
    let defs = schema.get("$defs").and_then(Value::as_object).unwrap_or(&empty);
    let names = defs.keys().enumerate().map(|(at, name)| (name.as_str(), at + 1)).collect();
    let compiler = Compiler { names };
    std::iter::once(schema).chain(defs.values()).map(|schema| compiler.node(schema)).collect()
}

struct Compiler<'a> {
    names: BTreeMap<&'a str, usize>,
}

impl Compiler<'_> {
    fn node(&self, schema: &Value) -> Node {
        Node { own: Own::of(schema).map(Box::new), inside: self.inside(schema) }
    }

    fn inside(&self, schema: &Value) -> Inside {
        if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
            let name = target.rsplit('/').next().unwrap_or(target);
            return self.names.get(name).map_or(Inside::Nothing, |at| Inside::Ref(*at));
        }
        // `T or null`; what offers more of a choice has no limits that we know of.
        for several in ["anyOf", "oneOf", "allOf"] {
            if let Some(parts) = schema.get(several).and_then(Value::as_array) {
                let mut solid = parts.iter().filter(|part| part.get("type").and_then(Value::as_str) != Some("null"));
                return match (solid.next(), solid.next()) {
                    (Some(only), None) => self.inside(only),
                    _ => Inside::Nothing,
                };
            }
        }
        if let Some(items) = schema.get("items") {
            return some(self.node(items), |items| Inside::Items(Box::new(items)));
        }
        if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
            let fields: Vec<_> = properties.iter().map(|(name, part)| (name.clone(), self.node(part))).collect();
            let limited = fields.iter().any(|(_, node)| !node.is_free());
            return if limited { Inside::Fields(fields) } else { Inside::Nothing };
        }
        let names = schema.get("propertyNames").and_then(Own::of).map(Box::new);
        let patterns = schema.get("patternProperties").and_then(|patterns| patterns.as_object()?.values().next());
        let values = schema.get("additionalProperties").filter(|values| values.is_object()).or(patterns);
        let values = values.map_or(Node { own: None, inside: Inside::Nothing }, |values| self.node(values));
        match names.is_none() && values.is_free() {
            true => Inside::Nothing,
            false => Inside::Entries { names, values: Box::new(values) },
        }
    }
}

fn some(node: Node, inside: impl FnOnce(Node) -> Inside) -> Inside {
    if node.is_free() { Inside::Nothing } else { inside(node) }
}
