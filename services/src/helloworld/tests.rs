//! One test a rule.

use super::*;
use sdk::{Reason, Sandbox};
use std::time::Duration;
use wire::{Outcome, Source, error::reasons};

fn greet(name: &str, language: Language) -> sdk::Result<String> {
    Ok(Sandbox::new(service()).call(CallRequest { name: name.into(), language })?.message)
}

fn greetings(name: &str, messages: i64) -> sdk::Result<Vec<String>> {
    let request = StreamRequest { name: name.into(), messages, ..Default::default() };
    let items = Sandbox::new(service()).items(request)?;
    Ok(items.into_iter().map(|item| item.message).collect())
}

#[track_caller]
fn refused<T: std::fmt::Debug>(answer: sdk::Result<T>, id: &str, reason: Reason, detail: &str) {
    let error = answer.unwrap_err();
    assert_eq!((error.id.as_str(), error.detail.as_str()), (id, detail));
    assert!(error.is(&reason), "{error:?}");
    // A limit is the door's: the service did not run.
    assert_eq!((error.source, error.outcome), (Source::Cluster, Outcome::NotRun));
}

#[test]
fn greets_by_name() {
    assert_eq!(greet("John", Language::En).unwrap(), "Hello John");
    assert_eq!(greet("Ünïcödé 🎉", Language::En).unwrap(), "Hello Ünïcödé 🎉");
}

#[test]
fn an_empty_name_leaves_the_space() {
    assert_eq!(greet("", Language::En).unwrap(), "Hello ");
}

#[test]
fn greets_in_a_dozen_languages() {
    let mut schema = (endpoints()[0].request)();
    let languages = schema["$defs"]["Language"]["enum"].take();
    let languages: Vec<Language> = serde_json::from_value(languages).unwrap();
    let mut all: Vec<String> = languages.iter().map(|language| greet("John", *language).unwrap()).collect();
    assert_eq!((languages.len(), languages[0], all[0].as_str()), (12, Language::En, "Hello John"));
    all.sort();
    all.dedup();
    assert!(all.len() == 12 && all.iter().all(|greeting| greeting.ends_with(" John")), "{all:?}");
    let request = StreamRequest { name: "John".into(), language: Language::Es, ..Default::default() };
    assert_eq!(Sandbox::new(service()).items(request).unwrap()[0].message, "Hola John");
}

#[test]
fn a_name_has_1024_bytes_at_most() {
    assert_eq!(greet(&"é".repeat(512), Language::En).unwrap().len(), 1024 + "Hello ".len());
    let long = "x".repeat(1025);
    refused(greet(&long, Language::En), "helloworld.call", NAME_TOO_LONG, "name over 1024 bytes");
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
    // In the order of the fields: the name first.
    refused(greetings(&"x".repeat(1025), -1), "helloworld.stream", NAME_TOO_LONG, "name over 1024 bytes");
}

#[test]
fn an_interval_lies_between_two_greetings() {
    let request = |interval_ms| StreamRequest { messages: 3, interval_ms, ..Default::default() };
    for (interval_ms, waited) in [(0, 0), (250, 500), (10_000, 20_000)] {
        let sandbox = Sandbox::new(service());
        assert_eq!(sandbox.items(request(interval_ms)).unwrap().len(), 3);
        let now = sandbox.view("", |view| sdk::Read::now(view));
        assert_eq!(wire::Rfc3339(0).until(now), Duration::from_millis(waited), "twice {interval_ms} ms");
    }
    for interval_ms in [-1, 10_001] {
        let detail =
            format!("interval_ms: must be 0 to 10,000, it is {}", if interval_ms < 0 { "-1" } else { "10,001" });
        refused(Sandbox::new(service()).items(request(interval_ms)), "helloworld.stream", reasons::BAD_FIELD, &detail);
    }
}

#[test]
fn a_stream_stops_when_its_reader_leaves() {
    let reader = Sandbox::new(service());
    let request = StreamRequest { name: "John".into(), messages: 10_000, ..Default::default() };
    assert_eq!(reader.first_items(request, 2).unwrap().len(), 2);
}
