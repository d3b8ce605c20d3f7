//! `a=1&b.c=two`: query parameters and forms as an object of texts.

use serde_json::{Map, Value};
use wire::{Error, error::reasons};

/// Dots nest at most this deep.
const DEPTH_MAX: usize = 16;
/// More pairs than any endpoint has fields.
const PAIRS_MAX: usize = 1_000;

/// Pairs that become an object: repeats are joined with commas; `a.b=1` is `{"a": {"b": "1"}}`.
#[derive(Default)]
pub struct Pairs {
    object: Map<String, Value>,
    count: usize,
}

impl Pairs {
    pub fn add(&mut self, name: &str, value: String) -> Result<(), Error> {
        self.put(name, value, true)
    }

    /// A value that cannot be joined with another one.
    pub fn add_once(&mut self, name: &str, value: String) -> Result<(), Error> {
        self.put(name, value, false)
    }

    fn put(&mut self, name: &str, value: String, joins: bool) -> Result<(), Error> {
        self.count += 1;
        if self.count > PAIRS_MAX {
            return Err(reasons::BAD_BODY.refuse(format!("more than {PAIRS_MAX} parameters")));
        }
        let path: Vec<&str> = name.trim().split('.').collect();
        if path.len() > DEPTH_MAX {
            return Err(reasons::BAD_BODY.refuse(format!("{}: dots nest at most {DEPTH_MAX} deep", path[0])));
        }
        let wrong = |rule| reasons::BAD_BODY.refuse(format!("{}: {rule}", name.trim()));
        put(&mut self.object, &path, value, joins).map_err(wrong)
    }
}

impl From<Pairs> for Value {
    fn from(pairs: Pairs) -> Value {
        Value::Object(pairs.object)
    }
}

/// Every value is text.
pub fn parse(text: &str) -> Result<Value, Error> {
    let mut pairs = Pairs::default();
    for pair in text.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        pairs.add(&decode(name)?, decode(value)?)?;
    }
    Ok(pairs.into())
}

fn put(object: &mut Map<String, Value>, path: &[&str], value: String, joins: bool) -> Result<(), &'static str> {
    let (first, rest) = path.split_first().expect("split gives at least one part");
    if !rest.is_empty() {
        let inner = object.entry(*first).or_insert_with(|| Value::Object(Map::new()));
        let inner = inner.as_object_mut().ok_or("is a value and an object at once")?;
        return put(inner, rest, value, joins);
    }
    match object.get_mut(*first) {
        None => drop(object.insert(first.to_string(), Value::String(value))),
        Some(Value::String(_)) if !joins => return Err("a file is given once"),
        Some(Value::String(before)) => {
            before.push(',');
            before.push_str(&value);
        }
        Some(_) => return Err("is a value and an object at once"),
    }
    Ok(())
}

/// `%41+b` → `A b`.
fn decode(text: &str) -> Result<String, Error> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || bytes.next().and_then(|byte| char::from(byte).to_digit(16));
                let (high, low) = (digit(), digit());
                let (Some(high), Some(low)) = (high, low) else {
                    return Err(reasons::BAD_BODY.refuse("a % in a parameter is not followed by two hex digits"));
                };
                (high * 16 + low) as u8
            }
            byte => byte,
        });
    }
    String::from_utf8(out).map_err(|_| reasons::BAD_BODY.refuse("a parameter is not UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn pairs_nest_repeat_and_decode() {
        let rows = [
            ("", json!({})),
            ("amount=5&name=J%C3%B6rg+X", json!({"amount": "5", "name": "Jörg X"})),
            ("a.b=1&a.c=2", json!({"a": {"b": "1", "c": "2"}})),
            ("t=a&t=b&flag", json!({"t": "a,b", "flag": ""})),
        ];
        for (text, want) in rows {
            assert_eq!(parse(text).unwrap(), want, "{text}");
        }
    }

    #[test]
    fn what_makes_no_object_is_refused() {
        for text in ["a=1&a.b=2", "a.b=1&a=2", "a=%", "a=%4", "a=%zz", "a=%ff", &"a.".repeat(20), &"x&".repeat(2000)] {
            assert_eq!(parse(text).unwrap_err().code, 400, "{text}");
        }
    }
}
