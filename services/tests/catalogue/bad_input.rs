//! What is no request is refused before any service's code runs: 400, "did not run", naming the field where there is one.

use super::endpoints;
use super::schema::properties;
use rand::{Rng, RngCore, SeedableRng, rngs::SmallRng};
use sdk::{Endpoint, Error};
use serde_json::{Value, json};
use wire::{Outcome, Source, error::reasons};

#[track_caller]
fn refused(endpoint: &Endpoint, error: Error) {
    assert!(error.is(&reasons::BAD_BODY), "{}: {error:?}", endpoint.id());
    assert_eq!((error.code, error.outcome, error.source), (400, Outcome::NotRun, Source::Cluster), "{}", endpoint.id());
    assert!(!error.detail.is_empty(), "{}", endpoint.id());
}

#[test]
fn bodies_that_are_no_object() {
    for endpoint in endpoints() {
        for body in [json!(null), json!([]), json!([{}]), json!("{}"), json!(1), json!(true)] {
            refused(&endpoint, (endpoint.request_from_json)(body).unwrap_err());
        }
    }
}

#[test]
fn fields_of_the_wrong_type() {
    for endpoint in endpoints() {
        for (name, part) in properties(&(endpoint.request)()) {
            let wrong: Vec<Value> = match part["type"].as_str() {
                // An enum of words.
                None if part["$ref"].is_string() => vec![json!("no such word"), json!(1), json!([])],
                Some("object") => vec![json!("a"), json!(1), json!([]), json!({"k": [1]})],
                Some("string") => vec![json!(1), json!(true), json!(["a"]), json!({})],
                Some("integer") => vec![json!("x"), json!(1.5), json!(u64::MAX), json!(1e300), json!([1])],
                Some("boolean") => vec![json!("yes"), json!(1), json!([])],
                Some("array") => vec![json!("a"), json!(1), json!({}), json!([true])],
                _ => panic!("{}: no wrong values known for {part}", endpoint.id()),
            };
            for value in wrong {
                refused(&endpoint, (endpoint.request_from_json)(json!({&name: value})).unwrap_err());
            }
        }
    }
}

#[test]
fn bytes_that_are_no_value() {
    for seed in 0..50 {
        let mut random = SmallRng::seed_from_u64(seed);
        for endpoint in endpoints() {
            let mut bytes = vec![0; random.random_range(0..40)];
            random.fill_bytes(&mut bytes);
            // Some are values by luck; none may panic, and what is refused is refused as such.
            for version in [None, Some(wire::codec::VERSION)] {
                bytes.splice(0..0, version);
                if let Err(error) = (endpoint.key_of)(&bytes) {
                    refused(&endpoint, error);
                }
                if let Err(error) = (endpoint.request_to_json)(&bytes) {
                    refused(&endpoint, error);
                }
            }
        }
    }
}

#[test]
fn bytes_cut_off_or_with_something_behind() {
    for endpoint in endpoints() {
        let whole = (endpoint.request_from_json)(json!({})).unwrap();
        refused(&endpoint, (endpoint.key_of)(&[]).unwrap_err());
        refused(&endpoint, (endpoint.key_of)(&[&whole[..], &[0]].concat()).unwrap_err());
        (1..whole.len()).for_each(|end| refused(&endpoint, (endpoint.key_of)(&whole[..end]).unwrap_err()));
    }
}
