//! Any JSON or form text at any endpoint is fitted or told what is wrong; what fits is what the type takes, and what is shown
//! of it fits again. The first byte picks the endpoint, the second where the value comes from.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use std::sync::LazyLock;
use wire::Endpoint;
use wire::fit::{Fit, Origin};

static ENDPOINTS: LazyLock<Vec<(Endpoint, Fit)>> = LazyLock::new(|| {
    let all = services::tables().into_iter().flat_map(|(_, table)| table);
    all.map(|endpoint| (endpoint.clone(), Fit::of(&(endpoint.request)()))).collect()
});

fuzz_target!(|bytes: &[u8]| {
    let [which, from, text @ ..] = bytes else { return };
    let Ok(value) = serde_json::from_slice::<Value>(text) else { return };
    let (endpoint, fit) = &ENDPOINTS[*which as usize % ENDPOINTS.len()];
    let origin = if from % 2 == 0 { Origin::Json } else { Origin::Text };
    let Ok(strict) = fit.take(value, origin) else { return };
    let bytes = (endpoint.request_from_json)(strict.clone()).expect("what fits is what the type takes");
    let again = fit.take(fit.show(strict), Origin::Json).expect("what is shown fits");
    assert_eq!((endpoint.request_from_json)(again).expect("again"), bytes);
    if let Err(error) = endpoint.check(&bytes) {
        assert!((400..500).contains(&error.code), "{error}");
    }
});
