//! Every type through the doors' leniency: what a caller sees may be sent back, and a misfit names its field.

use super::endpoints;
use super::schema::{properties, sample};
use serde_json::{Value, json};
use wire::fit::{Fit, Origin};

#[test]
fn what_is_shown_fits_again() {
    for endpoint in endpoints() {
        for schema in [(endpoint.request)(), (endpoint.response)()] {
            let (fit, strict) = (Fit::of(&schema), sample(&schema, &schema));
            let shown = fit.show(strict.clone());
            for (name, part) in properties(&schema).into_iter().filter(|(_, part)| part["format"] == "int64") {
                assert_eq!(shown[&name], i64::MIN.to_string(), "{}: {part} is a string", endpoint.id());
            }
            assert_eq!(fit.take(shown, Origin::Json).unwrap(), strict, "{}", endpoint.id());
            assert_eq!(fit.take(strict.clone(), Origin::Json).unwrap(), strict, "{}", endpoint.id());
        }
    }
}

#[test]
fn an_empty_body_is_the_default_request() {
    for endpoint in endpoints() {
        let fit = Fit::of(&(endpoint.request)());
        let empty = (endpoint.request_from_json)(fit.take(json!({}), Origin::Json).unwrap()).unwrap();
        assert_eq!(empty, (endpoint.request_from_json)(json!({})).unwrap(), "{}", endpoint.id());
    }
}

#[test]
fn a_misfit_names_its_field() {
    for endpoint in endpoints() {
        let schema = (endpoint.request)();
        for (name, part) in properties(&schema) {
            let wrong: Vec<Value> = match part["type"].as_str() {
                // An enum of words.
                None if part["$ref"].is_string() => vec![json!("no such word"), json!(1), json!([])],
                Some("object") => vec![json!("a"), json!(1), json!([])],
                Some("string") => vec![json!(true), json!(["a"]), json!({})],
                Some("integer") => {
                    vec![json!("x"), json!(1.5), json!(u64::MAX), json!("9223372036854775808"), json!([1])]
                }
                Some("boolean") => vec![json!("yes"), json!([])],
                Some("array") => vec![json!(1), json!({})],
                _ => panic!("{}: no wrong values known for {part}", endpoint.id()),
            };
            for value in wrong {
                let body = json!({&name: value});
                let misfit = Fit::of(&schema).take(body.clone(), Origin::Json).unwrap_err();
                assert!(misfit.field == name && !misfit.rule.is_empty(), "{}: {body}: {misfit}", endpoint.id());
            }
        }
    }
}
