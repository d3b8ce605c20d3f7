//! Any bytes are a payload or an error, and a payload that was read can be said again. The first byte picks the type.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt::Debug;
use std::sync::LazyLock;
use wire::rpc::{Body, Call, Credit, Hello, Reply, RequestId, Welcome};
use wire::{Endpoint, Error, codec};

static ENDPOINTS: LazyLock<Vec<Endpoint>> =
    LazyLock::new(|| services::tables().into_iter().flat_map(|(_, table)| table).collect());

fn reads<T: Serialize + DeserializeOwned + PartialEq + Debug>(bytes: &[u8]) {
    if let Ok(value) = codec::decode::<T>(bytes) {
        assert_eq!(codec::decode::<T>(&codec::encode(&value).unwrap()).unwrap(), value);
    }
}

/// What a door does with a request in binary.
fn enters(endpoint: &Endpoint, bytes: &[u8]) {
    let checked = endpoint.check(bytes);
    let key = (endpoint.key_of)(bytes);
    if checked.is_ok() {
        key.expect("it is a request");
        let shown = (endpoint.request_to_json)(bytes).expect("it is a request");
        (endpoint.request_from_json)(shown).expect("and stays one");
    }
}

fuzz_target!(|bytes: &[u8]| {
    let Some((&which, rest)) = bytes.split_first() else { return };
    match which {
        0 => reads::<Hello>(rest),
        1 => reads::<Welcome>(rest),
        2 => reads::<Call>(rest),
        3 => reads::<Body>(rest),
        4 => reads::<RequestId>(rest),
        5 => reads::<Reply>(rest),
        6 => reads::<Credit>(rest),
        7 => reads::<Error>(rest),
        which => enters(&ENDPOINTS[which as usize % ENDPOINTS.len()], rest),
    }
});
