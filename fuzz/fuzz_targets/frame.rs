//! Any bytes are frames or an error, and what was read is what was there.
#![no_main]

use bytes::BytesMut;
use libfuzzer_sys::fuzz_target;
use wire::frame::Frame;

fuzz_target!(|bytes: &[u8]| {
    let mut input = BytesMut::from(bytes);
    let mut again = BytesMut::new();
    while let Ok(Some(frame)) = Frame::decode(&mut input) {
        frame.encode(&mut again);
    }
    assert!(bytes.starts_with(&again));
    assert!(input.capacity() <= 4 * bytes.len() + 64, "room for {} after {}", input.capacity(), bytes.len());
});
