//! `a=1&b.c=two`: query parameters and forms as an object of texts.

use serde_json::{Map, Value};
use wire::{Error, error::reasons};

/// Dots nest at most this deep.
const DEPTH_MAX: usize = 16;
/// More pairs than any endpoint has fields.
const PAIRS_MAX: usize = 1_000;

/// Every value is text; repeats are joined with commas; `a.b=1` is `{"a": {"b": "1"}}`.
pub fn parse(text: &str) -> Result<Value, Error> {
    let mut out = Map::new();
    for (n, pair) in text.split('&').filter(|pair| !pair.is_empty()).enumerate() {
        if n == PAIRS_MAX {
            return Err(reasons::BAD_BODY.refuse(format!("more than {PAIRS_MAX} parameters")));
        }
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (name, value) = (decode(name)?, decode(value)?);
        let path: Vec<&str> = name.trim().split('.').collect();
        if path.len() > DEPTH_MAX {
            return Err(reasons::BAD_BODY.refuse(format!("{}: dots nest at most {DEPTH_MAX} deep", path[0])));
        }
        put(&mut out, &path, value).map_err(|rule| reasons::BAD_BODY.refuse(format!("{}: {rule}", name.trim())))?;
    }
    Ok(Value::Object(out))
}

fn put(object: &mut Map<String, Value>, path: &[&str], value: String) -> Result<(), &'static str> {
    let (first, rest) = path.split_first().expect("split gives at least one part");
    if !rest.is_empty() {
        let inner = object.entry(*first).or_insert_with(|| Value::Object(Map::new()));
        let inner = inner.as_object_mut().ok_or("is a value and an object at once")?;
        return put(inner, rest, value);
    }
    match object.get_mut(*first) {
        None => drop(object.insert(first.to_string(), Value::String(value))),
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
