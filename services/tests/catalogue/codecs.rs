//! Types survive JSON and binary: empty, as in the examples, and with something in every field.

use super::schema::{sample, zero};
use super::{catalogue, endpoints};
use sdk::{Endpoint, Result};
use serde_json::{Value, json};

type Encode = fn(Value) -> Result<Vec<u8>>;
type Decode = fn(&[u8]) -> Result<Value>;

#[track_caller]
fn round_trips(what: &str, value: Value, encode: Encode, decode: Decode) {
    let bytes = encode(value.clone()).unwrap_or_else(|e| panic!("{what}: {e}"));
    let back = decode(&bytes).unwrap_or_else(|e| panic!("{what}: {e}"));
    assert_eq!(back, value, "{what}");
    assert_eq!(encode(back).unwrap(), bytes, "{what}");
}

fn request(endpoint: &Endpoint, value: Value) {
    round_trips(&format!("request of {}", endpoint.id()), value, endpoint.request_from_json, endpoint.request_to_json);
}

fn response(endpoint: &Endpoint, value: Value) {
    round_trips(
        &format!("response of {}", endpoint.id()),
        value,
        endpoint.response_from_json,
        endpoint.response_to_json,
    );
}

#[test]
fn with_something_in_every_field() {
    for endpoint in endpoints() {
        let (asked, answered) = ((endpoint.request)(), (endpoint.response)());
        request(&endpoint, sample(&asked, &asked));
        response(&endpoint, sample(&answered, &answered));
    }
}

#[test]
fn as_in_the_examples() {
    for (service, table) in catalogue() {
        for example in service.examples() {
            let endpoint =
                table.iter().find(|endpoint| endpoint.name == example.endpoint).expect("an endpoint of its service");
            request(endpoint, example.request.clone());
            match &example.response {
                Value::Array(items) => items.iter().for_each(|item| response(endpoint, item.clone())),
                reply => response(endpoint, reply.clone()),
            }
        }
    }
}

#[test]
fn an_empty_request_has_its_zero_values_and_unknown_fields_are_ignored() {
    for endpoint in endpoints() {
        let empty = (endpoint.request_from_json)(json!({})).unwrap_or_else(|e| panic!("{}: {e}", endpoint.id()));
        assert_eq!((endpoint.request_from_json)(json!({"no_such_field": [1]})).unwrap(), empty, "{}", endpoint.id());
        let shown = (endpoint.request_to_json)(&empty).unwrap();
        let schema = (endpoint.request)();
        for (name, value) in shown.as_object().expect("a request is an object") {
            let want = zero(&schema, &schema["properties"][name]);
            assert_eq!(*value, want, "{}: {name} when it is not given", endpoint.id());
        }
        request(&endpoint, shown);
    }
}
