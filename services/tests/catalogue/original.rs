//! Names and types of fields are the original's; what we added is listed here, so that nothing is added by accident.

use super::catalogue;
use super::schema::properties;
use sdk::{Endpoint, Kind};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Endpoint, side, field, type: the additions that the catalogue's pages ask for.
const ADDED: &[(&str, &str, &str, &str)] = &[
    ("cache.get", "response", "version", "int64"),
    ("cache.set", "request", "if_version", "int64"),
    ("cache.set", "request", "if_absent", "bool"),
    ("cache.set", "response", "version", "int64"),
    ("cache.listkeys", "request", "prefix", "string"),
    ("cache.listkeys", "request", "limit", "int64"),
    ("cache.listkeys", "request", "cursor", "string"),
    ("cache.listkeys", "response", "cursor", "string"),
    ("helloworld.call", "request", "language", "Language"),
    ("helloworld.stream", "request", "language", "Language"),
    ("helloworld.stream", "request", "interval_ms", "int64"),
    ("id.generate", "request", "count", "int64"),
    ("id.generate", "request", "prefix", "string"),
    ("id.generate", "request", "length", "int64"),
    ("id.generate", "request", "alphabet", "string"),
    ("id.generate", "response", "ids", "list of string"),
    ("time.now", "request", "at", "string"),
    ("time.zone", "request", "at", "string"),
    ("time.zone", "response", "offset_seconds", "int32"),
    ("time.zone", "response", "is_weekend", "bool"),
    ("time.zone", "response", "next_change", "string"),
    ("time.zone", "response", "next_offset_seconds", "int32"),
    ("time.zone", "response", "next_abbreviation", "string"),
    ("otp.generate", "request", "purpose", "string"),
    ("otp.generate", "request", "alphabet", "string"),
    ("otp.generate", "response", "expires_at", "string"),
    ("otp.generate", "response", "attempts_left", "int32"),
    ("otp.validate", "request", "purpose", "string"),
    ("password.generate", "request", "exclude_ambiguous", "bool"),
    ("password.generate", "request", "exclude", "string"),
    ("password.generate", "request", "symbols", "string"),
    ("password.generate", "request", "words", "int32"),
    ("password.generate", "request", "separator", "string"),
    ("password.generate", "request", "count", "int32"),
    ("password.generate", "response", "passwords", "list of string"),
    ("password.generate", "response", "entropy_bits", "int32"),
    ("wallet.create", "request", "currency", "string"),
    ("wallet.create", "request", "overdraft_limit", "int64"),
    ("wallet.read", "response", "held", "int64"),
    ("wallet.read", "response", "available", "int64"),
    ("wallet.balance", "response", "held", "int64"),
    ("wallet.balance", "response", "available", "int64"),
    ("wallet.credit", "request", "metadata", "map of string"),
    ("wallet.debit", "request", "metadata", "map of string"),
    ("wallet.transfer", "request", "idempotency_key", "string"),
    ("wallet.transactions", "request", "limit", "int64"),
    ("wallet.transactions", "request", "cursor", "string"),
    ("wallet.transactions", "request", "from", "string"),
    ("wallet.transactions", "request", "to", "string"),
    ("wallet.transactions", "request", "reference", "string"),
    ("wallet.transactions", "request", "include_hidden", "bool"),
    ("wallet.transactions", "response", "cursor", "string"),
    ("wallet.list", "request", "limit", "int64"),
    ("wallet.list", "request", "cursor", "string"),
    ("wallet.list", "response", "cursor", "string"),
];

/// Service, message, field, type: additions inside of messages.
const ADDED_INSIDE: &[(&str, &str, &str, &str)] = &[
    ("wallet", "Account", "currency", "string"),
    ("wallet", "Account", "overdraft_limit", "int64"),
    ("wallet", "Transaction", "balance", "int64"),
    ("wallet", "Transaction", "visible", "bool"),
];

/// Service, message: those that the original did not have; only what we added uses them.
const ADDED_MESSAGES: &[(&str, &str)] = &[("helloworld", "Language")];

/// Endpoints that the original did not have, in the order of their tables.
const ADDED_ENDPOINTS: &[&str] = &[
    "cache.touch",
    "cache.getdelete",
    "cache.getmany",
    "cache.setmany",
    "id.parse",
    "id.sequence",
    "time.convert",
    "time.list",
    "time.batch",
    "otp.enroll",
    "otp.verify",
    "otp.unenroll",
    "password.strength",
    "wallet.authorize",
    "wallet.capture",
    "wallet.void",
    "wallet.holds",
    "wallet.statement",
];

fn original() -> Value {
    serde_json::from_str(include_str!("../../interface.json")).expect("interface.json is JSON")
}

/// Field to type, as `int64`, `list of Account`, `map of string`.
type Fields = BTreeMap<String, String>;

fn theirs(fields: &Value) -> Fields {
    let word = |field: &Value| {
        let name = field["type"].as_str().unwrap();
        match (field["repeated"].as_bool(), field["map"].as_bool()) {
            (Some(true), _) => format!("list of {name}"),
            (_, Some(true)) => format!("map of {name}"),
            _ => name.to_string(),
        }
    };
    let fields = fields.as_array().unwrap().iter();
    fields.map(|field| (field["name"].as_str().unwrap().to_string(), word(field))).collect()
}

fn ours(schema: &Value) -> Fields {
    properties(schema).iter().map(|(name, part)| (name.clone(), word(part))).collect()
}

fn word(part: &Value) -> String {
    if let Some(path) = part["$ref"].as_str() {
        return path.trim_start_matches("#/$defs/").to_string();
    }
    match (part["type"].as_str().unwrap_or_default(), part["format"].as_str()) {
        ("integer" | "number", Some(format)) => format.to_string(),
        ("boolean", _) => "bool".to_string(),
        ("array", _) => format!("list of {}", word(&part["items"])),
        ("object", _) => format!("map of {}", word(&part["additionalProperties"])),
        (other, _) => other.to_string(),
    }
}

fn check(endpoint: &Endpoint, side: &str, schema: &Value, fields: &Value, messages: &Map<String, Value>) {
    let mut want = theirs(fields);
    for (.., field, kind) in ADDED.iter().filter(|(id, at, ..)| *id == endpoint.id() && *at == side) {
        let before = want.insert(field.to_string(), kind.to_string());
        assert_eq!(before, None, "{} {side}: {field} is the original's, no addition", endpoint.id());
    }
    assert_eq!(ours(schema), want, "{} {side}", endpoint.id());
    for (name, part) in schema["$defs"].as_object().into_iter().flatten() {
        let Some(fields) = messages.get(name) else {
            let added = ADDED_MESSAGES.contains(&(endpoint.service, name.as_str()));
            assert!(added, "{} {side}: the original has no message {name}", endpoint.id());
            continue;
        };
        let mut want = theirs(fields);
        let ours_too = ADDED_INSIDE.iter().filter(|(service, at, ..)| *service == endpoint.service && at == name);
        for (.., field, kind) in ours_too {
            let before = want.insert(field.to_string(), kind.to_string());
            assert_eq!(before, None, "{name}: {field} is the original's, no addition");
        }
        assert_eq!(ours(part), want, "{} {side} {name}", endpoint.id());
    }
}

/// Those of this repository, so that none is dropped from `interface.json` and its test with it.
#[test]
fn every_service_of_the_original_is_compared() {
    let names = ["cache", "helloworld", "id", "otp", "password", "time", "wallet"];
    let original = original();
    let known: Vec<&str> =
        original["services"].as_array().unwrap().iter().filter_map(|of| of["name"].as_str()).collect();
    assert!(names.iter().all(|name| known.contains(name)), "{known:?}");
}

#[test]
fn endpoints_and_fields_are_the_originals() {
    let original = original();
    let known = original["services"].as_array().unwrap();
    for (service, table) in catalogue() {
        // A service that M3O never had is all its author's.
        let Some(of) = known.iter().find(|known| known["name"] == service.name()) else { continue };
        let messages = of["messages"].as_object().unwrap();
        for their in of["endpoints"].as_array().unwrap() {
            let endpoint = table.iter().find(|endpoint| their["name"] == endpoint.name);
            let endpoint = endpoint.unwrap_or_else(|| panic!("{} has no {}", service.name(), their["name"]));
            assert_eq!(endpoint.kind == Kind::Stream, their["stream"].as_bool().unwrap(), "{}", endpoint.id());
            check(endpoint, "request", &(endpoint.request)(), &their["request"], messages);
            check(endpoint, "response", &(endpoint.response)(), &their["response"], messages);
        }
        let theirs = of["endpoints"].as_array().unwrap();
        let own = table.iter().filter(|endpoint| !theirs.iter().any(|their| their["name"] == endpoint.name));
        let own: Vec<String> = own.map(Endpoint::id).collect();
        let added = ADDED_ENDPOINTS.iter().filter(|id| id.split('.').next() == Some(service.name()));
        assert!(added.eq(own.iter()), "{} has endpoints of its own: {own:?}", service.name());
    }
}
