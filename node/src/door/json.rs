//! JSON text from outside, and what is wrong with it.

use serde_json::Value;
use wire::{Error, error::reasons};

/// Text from bytes: a body is UTF-8.
pub fn text(bytes: &[u8]) -> Result<&str, Error> {
    let refuse = |wrong: std::str::Utf8Error| {
        reasons::BAD_BODY.refuse(format!("the body is not UTF-8: bad byte at {}", wrong.valid_up_to()))
    };
    std::str::from_utf8(bytes).map_err(refuse)
}

/// A value, or where the text breaks.
pub fn parse(text: &str) -> Result<Value, Error> {
    serde_json::from_str(text).map_err(|broken| {
        let (line, column) = (broken.line(), broken.column());
        let what = broken.to_string();
        let what = what.split(" at line ").next().unwrap_or_default();
        reasons::BAD_BODY.refuse(format!("broken JSON at line {line}, column {column}: {what}"))
    })
}

/// As [`parse`]; nothing at all is an empty object.
pub fn body(bytes: &[u8]) -> Result<Value, Error> {
    let text = text(bytes)?;
    if text.trim_start().is_empty() { Ok(Value::Object(Default::default())) } else { parse(text) }
}
