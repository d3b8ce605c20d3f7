//! Whatever JSON or text comes to whatever endpoint: the door fits it or says what is wrong, and what it shows fits again.

use super::endpoints;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Map, Number, Value};
use std::collections::BTreeSet;
use std::sync::LazyLock;
use wire::Endpoint;
use wire::fit::{Fit, Origin, merge};

/// Nothing is kept on disk: a failure prints what it found.
fn config() -> ProptestConfig {
    ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() }
}

struct Case {
    endpoint: Endpoint,
    request: Fit,
    response: Fit,
}

static CASES: LazyLock<Vec<Case>> = LazyLock::new(|| {
    let case = |endpoint: Endpoint| Case {
        request: Fit::of(&(endpoint.request)()),
        response: Fit::of(&(endpoint.response)()),
        endpoint,
    };
    endpoints().into_iter().map(case).collect()
});

/// Every name a field has anywhere, and its camelCase spelling's like: random names would all be unknown ones.
static NAMES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let mut names = BTreeSet::from(["sessionId".to_string(), "ifVersion".into(), "nobody".into(), String::new()]);
    for case in CASES.iter() {
        collect(&(case.endpoint.request)(), &mut names);
        collect(&(case.endpoint.response)(), &mut names);
    }
    names.into_iter().collect()
});

fn collect(schema: &Value, names: &mut BTreeSet<String>) {
    match schema {
        Value::Object(parts) => {
            let properties = parts.get("properties").and_then(Value::as_object).into_iter().flatten();
            names.extend(properties.map(|(name, _)| name.clone()));
            parts.values().for_each(|part| collect(part, names));
        }
        Value::Array(parts) => parts.iter().for_each(|part| collect(part, names)),
        _ => {}
    }
}

fn number() -> impl Strategy<Value = Number> {
    prop_oneof![
        any::<i64>().prop_map(Number::from),
        any::<u64>().prop_map(Number::from),
        (-200_i64..200).prop_map(Number::from),
        any::<f64>().prop_filter_map("JSON has no such number", Number::from_f64),
    ]
}

/// Text that may be taken for something else.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        number().prop_map(|number| number.to_string()),
        "[ \\[\\]{}\",:0-9a-z+/=_.-]{0,12}",
        proptest::sample::select(vec![
            "",
            "true",
            "0",
            "null",
            "-0",
            "1e9",
            "NaN",
            "2026-01-31T12:00:00Z",
            "a,b",
            "[1"
        ])
        .prop_map(String::from),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let plain = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        number().prop_map(Value::Number),
        text().prop_map(Value::from),
    ];
    plain.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![vec(inner.clone(), 0..4).prop_map(Value::from), object(inner).prop_map(Value::from)]
    })
}

fn object(inner: impl Strategy<Value = Value>) -> impl Strategy<Value = Map<String, Value>> {
    let name = (0..NAMES.len()).prop_map(|at| NAMES[at].clone());
    vec((name, inner), 0..8).prop_map(|fields| fields.into_iter().collect())
}

/// What a field of this kind takes, in one of its spellings.
fn fitting(kind: &str) -> BoxedStrategy<Value> {
    let either = |plain: BoxedStrategy<Value>| {
        prop_oneof![3 => plain.clone(), 1 => plain.prop_map(|value| value.to_string().trim_matches('"').into())].boxed()
    };
    match kind {
        "string" => text().prop_map(Value::from).boxed(),
        "bool" => either(any::<bool>().prop_map(Value::from).boxed()),
        "number" => either(number().prop_map(Value::Number).boxed()),
        "64-bit integer" => either(prop_oneof![any::<i64>(), -9..999_i64].prop_map(Value::from).boxed()),
        kind if kind.ends_with("integer") => either((0..99_u8).prop_map(Value::from).boxed()),
        kind => match kind.strip_prefix("list of ") {
            Some(item) => vec(fitting(item), 0..4).prop_map(Value::from).boxed(),
            None => value().boxed(),
        },
    }
}

/// An object for this endpoint: mostly its own fields, mostly of their kind.
fn given() -> impl Strategy<Value = (usize, Value)> {
    let own = (0..CASES.len()).prop_flat_map(|at| {
        let fields = CASES[at].request.fields().into_iter().map(|field| {
            let value = prop_oneof![6 => fitting(&field.kind), 1 => value()];
            (Just(field.name), proptest::option::weighted(0.7, value))
        });
        fields.collect::<Vec<_>>().prop_map(move |fields| {
            let given = fields.into_iter().filter_map(|(name, value)| Some((name, value?)));
            (at, Value::Object(given.collect()))
        })
    });
    let anything = (0..CASES.len(), prop_oneof![object(value()).prop_map(Value::from), value()]);
    prop_oneof![3 => own, 1 => anything]
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_request_is_fitted_or_told_what_is_wrong((at, given) in given(), is_text: bool) {
        let Case { endpoint, request, .. } = &CASES[at];
        let origin = if is_text { Origin::Text } else { Origin::Json };
        let Ok(strict) = request.take(given, origin) else { return Ok(()) };
        // What fits is what the type takes: another verdict there would be an error in words that no caller knows.
        let bytes = (endpoint.request_from_json)(strict.clone()).map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert_eq!(request.take(strict.clone(), Origin::Json).unwrap(), strict.clone(), "fitted twice");
        let again = request.take(request.show(strict), Origin::Json).map_err(|misfit| TestCaseError::fail(misfit.to_string()))?;
        prop_assert_eq!((endpoint.request_from_json)(again).unwrap(), bytes.clone(), "shown and fitted again");
        // Limits look at any value there is, and their own error is one of the caller's.
        if let Err(error) = endpoint.check(&bytes) {
            prop_assert!((400..500).contains(&error.code), "{}", error);
        }
    }

    #[test]
    fn parts_of_a_request_merge_to_one_that_fits((at, under) in given(), over in value()) {
        let request = &CASES[at].request;
        let parts = (request.take_part(under, Origin::Text), request.take_part(over, Origin::Json));
        if let (Ok(under), Ok(over)) = parts {
            prop_assert!(request.take(merge(under, over), Origin::Json).is_ok());
        }
    }

    #[test]
    fn whatever_a_reply_is_it_can_be_shown(at in 0..CASES.len(), reply in value()) {
        let Case { endpoint, response, .. } = &CASES[at];
        let shown = response.show(reply.clone());
        prop_assert_eq!(response.show(shown.clone()), shown, "shown twice");
        let Ok(strict) = response.take(reply, Origin::Json) else { return Ok(()) };
        let bytes = (endpoint.response_from_json)(strict.clone()).map_err(|error| TestCaseError::fail(error.to_string()))?;
        let again = response.take(response.show(strict), Origin::Json).unwrap();
        prop_assert_eq!((endpoint.response_from_json)(again).unwrap(), bytes);
    }

    #[test]
    fn any_bytes_are_a_request_or_an_error(at in 0..CASES.len(), bytes in vec(any::<u8>(), 0..200)) {
        let endpoint = &CASES[at].endpoint;
        for bytes in [bytes.clone(), [&[wire::codec::VERSION], &bytes[..]].concat()] {
            let _ = ((endpoint.key_of)(&bytes), endpoint.check(&bytes), (endpoint.request_to_json)(&bytes));
            let _ = (endpoint.response_to_json)(&bytes);
        }
    }
}
