//! Any text is an object or an error; an object's plain texts, printed as a query, are the same object again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value};
use std::fmt::Write;

// The node's own file: the node itself would bring RocksDB along.
#[allow(dead_code, reason = "the door uses more of it")]
#[path = "../../node/src/http/query.rs"]
mod query;

fn print(object: &Map<String, Value>, outer: &str, out: &mut String) {
    for (name, value) in object {
        let name = format!("{outer}{name}");
        match value {
            Value::Object(inner) => print(inner, &format!("{name}."), out),
            Value::String(text) => {
                let mut part = |text: &str| text.bytes().for_each(|byte| write!(out, "%{byte:02X}").unwrap());
                part(&name);
                out.push('=');
                text.bytes().for_each(|byte| write!(out, "%{byte:02X}").unwrap());
                out.push('&');
            }
            other => panic!("every value is text or an object, not {other}"),
        }
    }
}

fuzz_target!(|text: &str| {
    let Ok(Value::Object(object)) = query::parse(text) else { return };
    let mut printed = String::new();
    print(&object, "", &mut printed);
    assert_eq!(query::parse(&printed).expect("it was one"), Value::Object(object), "{printed}");
});
