//! A call as it is typed into a shell.

use serde_json::Value;
use wire::fit::FieldInfo;

/// Lines longer than this are broken: terminals and phones are narrow.
pub const WIDTH: usize = 78;

/// `commons call wallet Credit --amount 5`; `request` holds only what has to be said.
pub fn command(service: &str, endpoint: &str, fields: &[FieldInfo], request: &Value) -> String {
    let flags = request.as_object().into_iter().flatten().map(|(name, value)| {
        // Free JSON is read as JSON: a string there needs its quotes.
        let free = fields.iter().any(|field| field.name == *name && field.kind == "JSON");
        match value {
            Value::Bool(true) if !free => format!("--{name}"),
            Value::String(text) if !free => format!("--{name} {}", quoted(text)),
            value => format!("--{name} {}", quoted(&value.to_string())),
        }
    });
    broken(std::iter::once(format!("commons call {service} {endpoint}")).chain(flags))
}

/// `curl localhost:8080/v1/wallet/Credit -H … -d '{"amount":5}'`
pub fn curl(service: &str, endpoint: &str, request: &Value) -> String {
    broken([
        format!("curl localhost:8080/v1/{service}/{endpoint}"),
        "-H 'Content-Type: application/json'".to_string(),
        format!("-d {}", quoted(&request.to_string())),
    ])
}

/// On one line if it fits, else as many parts on each as fit.
fn broken(parts: impl IntoIterator<Item = String>) -> String {
    let mut lines: Vec<String> = vec![];
    for part in parts {
        let room = if lines.len() > 1 { WIDTH - 4 } else { WIDTH - 2 };
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + part.chars().count() <= room => {
                line.push(' ');
                line.push_str(&part);
            }
            _ => lines.push(part),
        }
    }
    lines.join(" \\\n  ")
}

/// For a POSIX shell.
pub fn quoted(text: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./:@%+,".contains(letter);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_string()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}
