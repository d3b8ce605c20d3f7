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

/// The most values a text may hold, counting those inside of others. Parsed, each takes some seventy bytes: eight MiB of
/// `[{},{},…` would take hundreds.
const VALUES_MAX: usize = 1 << 20;

/// A value, or where the text breaks.
pub fn parse(text: &str) -> Result<Value, Error> {
    if values(text) > VALUES_MAX {
        return Err(reasons::TOO_LARGE.refuse(format!("a request holds at most {VALUES_MAX} JSON values")));
    }
    serde_json::from_str(text).map_err(|broken| {
        let (line, column) = (broken.line(), broken.column());
        let what = broken.to_string();
        let what = what.split(" at line ").next().unwrap_or_default();
        reasons::BAD_BODY.refuse(format!("broken JSON at line {line}, column {column}: {what}"))
    })
}

/// How many values a text holds at most: one, and one more behind each comma and opening bracket outside of strings.
fn values(text: &str) -> usize {
    let (mut count, mut in_string, mut escaped) = (1, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b',' | b'[' | b'{' if !in_string => count += 1,
            _ => {}
        }
    }
    count
}

/// As [`parse`]; nothing at all is an empty object.
pub fn body(bytes: &[u8]) -> Result<Value, Error> {
    let text = text(bytes)?;
    if text.trim_start().is_empty() { Ok(Value::Object(Default::default())) } else { parse(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_counted_outside_of_strings() {
        for (text, most) in
            [("5", 1), ("[]", 2), ("[1,2]", 3), (r#"{"a":[1,{}],"b":"[,{\\\",[["}"#, 6), (r#""[[[""#, 1)]
        {
            assert_eq!(values(text), most, "{text}");
        }
    }

    #[test]
    fn a_text_of_too_many_values_is_not_parsed() {
        let many = |n: usize| format!("[{}0]", "0,".repeat(n - 2));
        assert!(parse(&many(VALUES_MAX)).is_ok());
        assert!(parse(&many(VALUES_MAX + 1)).unwrap_err().is(&reasons::TOO_LARGE));
        assert!(parse(&format!("\"{}\"", ",[".repeat(VALUES_MAX))).is_ok());
    }
}
