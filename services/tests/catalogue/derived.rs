//! What is derived from the catalogue and checked in, so that a change of the API shows as a change of these files.
//! `cargo xtask openapi` writes them anew.

use sdk::describe::{describe, openapi::openapi};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::PathBuf;

/// Path from the clone's root, and what it must hold.
fn derived() -> Vec<(&'static str, String)> {
    let document = openapi(&services::all(), env!("CARGO_PKG_VERSION"));
    let document = serde_json::to_string_pretty(&document).expect("a document is plain data");
    vec![("services/openapi.json", document + "\n"), ("client/tests/examples/calls.rs", calls())]
}

/// Every example as Rust: compiled by the client's tests, and compared with what it must send.
fn calls() -> String {
    let mut out = String::from(
        "// Every example of the catalogue as the docs print it. Written by `cargo xtask openapi`.\n\
         // tidy: long because it is one list that nobody edits\n\nuse super::*;\n",
    );
    for service in describe(&services::all()) {
        for endpoint in &service.endpoints {
            for (n, example) in endpoint.examples.iter().enumerate() {
                let name = format!("{}_{}_{}", service.name, endpoint.name.to_lowercase(), n + 1);
                let code = example.rust.replace('\n', "\n    ");
                write!(
                    out,
                    "\nexample!({name}, {:?}, {:?}, {}, |client| {{\n    {code}\n}});\n",
                    service.name,
                    endpoint.name,
                    raw(&example.request.to_string()),
                )
                .expect("a string takes all");
            }
        }
    }
    out
}

/// A raw string literal, with as many # as it takes.
fn raw(text: &str) -> String {
    let fence = (1..).map(|n| "#".repeat(n)).find(|fence| !text.contains(&format!("\"{fence}"))).expect("some length");
    format!("r{fence}\"{text}\"{fence}")
}

#[test]
fn files_are_as_the_catalogue_says() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    for (path, want) in derived() {
        if std::env::var_os("COMMONS_WRITE_DERIVED").is_some() {
            std::fs::write(root.join(path), &want).unwrap_or_else(|why| panic!("{path}: {why}"));
        }
        let there = std::fs::read_to_string(root.join(path)).unwrap_or_default();
        let differs = there.lines().zip(want.lines()).position(|(there, want)| there != want);
        assert!(
            there == want,
            "{path} is not what the catalogue says (line {}): `cargo xtask openapi` writes it anew, `git diff` shows what \
             changed for callers",
            differs.unwrap_or(there.lines().count().min(want.lines().count())) + 1
        );
    }
}

#[test]
fn every_service_stands_on_a_shelf() {
    for service in describe(&services::all()) {
        assert!(!service.category.is_empty(), "{} has no category: M3O's catalogue sorts by it", service.name);
    }
}

#[test]
fn a_name_of_the_document_is_one_type() {
    for service in describe(&services::all()) {
        let mut known: BTreeMap<String, Value> = BTreeMap::new();
        let schemas = service.endpoints.iter().flat_map(|endpoint| [&endpoint.request, &endpoint.response]);
        for (name, part) in schemas.flat_map(|schema| schema["$defs"].as_object().into_iter().flatten()) {
            let before = known.entry(name.clone()).or_insert_with(|| part.clone());
            assert_eq!(before, part, "{}: two types are called {name}", service.name);
        }
    }
}
