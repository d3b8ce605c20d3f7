//! One test a rule.

use super::*;
use sdk::{Reason, Sandbox};

fn greet(name: &str) -> sdk::Result<String> {
    Ok(Sandbox::new(service()).call(CallRequest { name: name.into() })?.message)
}

fn greetings(name: &str, messages: i64) -> sdk::Result<Vec<String>> {
    let items = Sandbox::new(service()).items(StreamRequest { name: name.into(), messages })?;
    Ok(items.into_iter().map(|item| item.message).collect())
}

#[track_caller]
fn refused<T: std::fmt::Debug>(answer: sdk::Result<T>, id: &str, reason: Reason, detail: &str) {
    let error = answer.unwrap_err();
    assert_eq!((error.id.as_str(), error.detail.as_str()), (id, detail));
    assert!(error.is(&reason) && error.is_refusal(), "{error:?}");
}

#[test]
fn greets_by_name() {
    assert_eq!(greet("John").unwrap(), "Hello John");
    assert_eq!(greet("Ünïcödé 🎉").unwrap(), "Hello Ünïcödé 🎉");
}

#[test]
fn an_empty_name_leaves_the_space() {
    assert_eq!(greet("").unwrap(), "Hello ");
}

#[test]
fn a_name_has_1024_bytes_at_most() {
    assert_eq!(greet(&"é".repeat(512)).unwrap().len(), 1024 + "Hello ".len());
    let long = "x".repeat(1025);
    refused(greet(&long), "helloworld.call", NAME_TOO_LONG, "name over 1024 bytes");
    refused(greetings(&long, 1), "helloworld.stream", NAME_TOO_LONG, "name over 1024 bytes");
}

#[test]
fn a_stream_greets_as_often_as_asked_then_ends() {
    assert_eq!(greetings("John", 3).unwrap(), ["Hello John"; 3]);
    assert_eq!(greetings("John", 10_000).unwrap().len(), 10_000);
}

#[test]
fn no_number_asks_for_one_greeting() {
    assert_eq!(greetings("John", 0).unwrap(), ["Hello John"]);
}

#[test]
fn the_number_of_greetings_is_bounded_on_both_sides() {
    for messages in [-1, i64::MIN, 10_001, i64::MAX] {
        refused(greetings("John", messages), "helloworld.stream", BAD_MESSAGES, "messages must be 0-10000");
    }
    // The number is looked at before the name.
    refused(greetings(&"x".repeat(1025), -1), "helloworld.stream", BAD_MESSAGES, "messages must be 0-10000");
}

#[test]
fn a_stream_stops_when_its_reader_leaves() {
    let reader = Sandbox::new(service());
    assert_eq!(reader.first_items(StreamRequest { name: "John".into(), messages: 10_000 }, 2).unwrap().len(), 2);
}
