//! Frames and payloads as a stranger may send them: drawn at random, or valid ones with something wrong. Whatever comes is a
//! value or an error, never a panic, and room is made for what has come, not for what is claimed.

use bytes::BytesMut;
use proptest::collection::vec;
use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt::Debug;
use wire::codec;
use wire::frame::{Frame, FrameError, HEADER_BYTES, Kind, Trace};
use wire::ids::{ClusterId, NodeId};
use wire::rpc::{Body, Call, Credit, Hello, Reply, RequestId, Welcome};
use wire::{Error, Outcome, Reason, Source};

/// Nothing is kept on disk: a failure prints what it found.
fn config() -> ProptestConfig {
    ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() }
}

fn bytes(max: usize) -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 0..max)
}

fn body() -> impl Strategy<Value = Body> {
    prop_oneof![
        (any::<u64>(), bytes(64)).prop_map(|(schema, bytes)| Body::Binary { schema, bytes: wire::Bytes(bytes) }),
        bytes(64).prop_map(|bytes| Body::Json(wire::Bytes(bytes))),
    ]
}

fn request_id() -> impl Strategy<Value = RequestId> {
    prop_oneof![
        Just(RequestId::None),
        any::<String>().prop_map(RequestId::Caller),
        (any::<u128>(), any::<u64>(), any::<u64>()).prop_map(|(client, n, low)| RequestId::Session { client, n, low }),
    ]
}

fn call() -> impl Strategy<Value = Call> {
    let parts = (any::<String>(), any::<String>(), request_id(), body(), any::<bool>());
    parts.prop_map(|(service, endpoint, request_id, body, stale_ok)| Call {
        stale_ok,
        service,
        endpoint,
        request_id,
        body,
    })
}

fn frame() -> impl Strategy<Value = Frame> {
    use Kind::*;
    let kind = proptest::sample::select(vec![Hello, Welcome, Call, Reply, Error, Item, End, Credit, Cancel]);
    (kind, any::<u64>(), any::<u32>(), any::<[u8; 16]>(), any::<[u8; 8]>(), bytes(200)).prop_map(
        |(kind, stream, time_left_ms, trace, span, payload)| Frame {
            time_left_ms,
            trace: Trace { trace, span },
            ..Frame::new(kind, stream, payload)
        },
    )
}

/// What goes wrong on the way: a byte changes, some are lost, some come twice, the end is missing.
#[derive(Clone, Debug)]
enum Damage {
    Change(prop::sample::Index, u8),
    Lose(prop::sample::Index, usize),
    Insert(prop::sample::Index, Vec<u8>),
    Cut(prop::sample::Index),
}

fn damage() -> impl Strategy<Value = Damage> {
    let at = any::<prop::sample::Index>;
    prop_oneof![
        (at(), any::<u8>()).prop_map(|(at, byte)| Damage::Change(at, byte)),
        (at(), 1..9_usize).prop_map(|(at, count)| Damage::Lose(at, count)),
        (at(), bytes(9)).prop_map(|(at, bytes)| Damage::Insert(at, bytes)),
        at().prop_map(Damage::Cut),
    ]
}

fn damaged(mut bytes: Vec<u8>, all: &[Damage]) -> Vec<u8> {
    for damage in all {
        let length = bytes.len();
        if length == 0 {
            break;
        }
        match damage {
            Damage::Change(at, byte) => bytes[at.index(length)] = *byte,
            Damage::Lose(at, count) => drop(bytes.drain(at.index(length)..(at.index(length) + count).min(length))),
            Damage::Insert(at, more) => {
                let at = at.index(length);
                drop(bytes.splice(at..at, more.iter().copied()));
            }
            Damage::Cut(at) => bytes.truncate(at.index(length)),
        }
    }
    bytes
}

/// All frames of what has come, and how it went on.
fn all_frames(mut input: BytesMut) -> (Vec<Frame>, Result<BytesMut, FrameError>) {
    let mut frames = vec![];
    loop {
        match Frame::decode(&mut input) {
            Ok(Some(frame)) => frames.push(frame),
            Ok(None) => return (frames, Ok(input)),
            Err(wrong) => return (frames, Err(wrong)),
        }
    }
}

fn encoded(frames: &[Frame]) -> BytesMut {
    let mut out = BytesMut::new();
    frames.iter().for_each(|frame| frame.encode(&mut out));
    out
}

/// A value that is read must be one that can be said again.
fn reads<T: Serialize + DeserializeOwned + PartialEq + Debug>(bytes: &[u8]) {
    if let Ok(value) = codec::decode::<T>(bytes) {
        assert_eq!(codec::decode::<T>(&codec::encode(&value).unwrap()).unwrap(), value);
    }
}

fn reads_as_anything(bytes: &[u8]) {
    reads::<Hello>(bytes);
    reads::<Welcome>(bytes);
    reads::<Call>(bytes);
    reads::<Body>(bytes);
    reads::<RequestId>(bytes);
    reads::<Reply>(bytes);
    reads::<Credit>(bytes);
    reads::<Error>(bytes);
}

fn error() -> impl Strategy<Value = Error> {
    let outcome = proptest::sample::select(vec![Outcome::NotRun, Outcome::Ran, Outcome::Unknown]);
    let source = proptest::sample::select(vec![Source::Cluster, Source::Service]);
    (any::<String>(), any::<u16>(), any::<String>(), outcome, source).prop_map(|(id, code, detail, outcome, source)| {
        Error { code, outcome, source, ..Reason::bad_request("odd").because(detail).at(&id) }
    })
}

/// A valid payload of each kind.
fn payload() -> impl Strategy<Value = Vec<u8>> {
    let ids = || (any::<[u8; 16]>(), any::<u64>()).prop_map(|(cluster, node)| (ClusterId(cluster), NodeId(node)));
    prop_oneof![
        (any::<String>(), any::<String>(), ids()).prop_map(|(token, agent, (cluster, _))| {
            codec::encode(&Hello { token, agent, cluster: Some(cluster) }).unwrap()
        }),
        (any::<String>(), ids())
            .prop_map(|(version, (cluster, node))| { codec::encode(&Welcome { cluster, node, version }).unwrap() }),
        call().prop_map(|call| codec::encode(&call).unwrap()),
        (body(), any::<bool>()).prop_map(|(body, stale)| codec::encode(&Reply { body, stale }).unwrap()),
        any::<u32>().prop_map(|items| codec::encode(&Credit { items }).unwrap()),
        error().prop_map(|error| codec::encode(&error).unwrap()),
    ]
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn frames_survive_the_way_in_whatever_pieces(frames in vec(frame(), 0..6), cuts in vec(1..70_usize, 1..40)) {
        let mut sent = encoded(&frames);
        let (mut input, mut got, mut cuts) = (BytesMut::new(), vec![], cuts.iter().cycle());
        while !sent.is_empty() {
            let length = (*cuts.next().unwrap()).min(sent.len());
            input.extend_from_slice(&sent.split_to(length));
            let (more, rest) = all_frames(input);
            got.extend(more);
            input = rest.unwrap();
        }
        prop_assert_eq!(got, frames);
        prop_assert!(input.is_empty());
    }

    #[test]
    fn any_bytes_are_frames_or_an_error(bytes in bytes(300)) {
        let (frames, _) = all_frames(BytesMut::from(&bytes[..]));
        // What was read is what was there.
        prop_assert!(bytes.starts_with(&encoded(&frames)));
    }

    #[test]
    fn damaged_frames_are_frames_or_an_error(frames in vec(frame(), 1..4), damage in vec(damage(), 1..4)) {
        let bytes = damaged(encoded(&frames).to_vec(), &damage);
        let (frames, _) = all_frames(BytesMut::from(&bytes[..]));
        prop_assert!(bytes.starts_with(&encoded(&frames)));
        frames.iter().for_each(|frame| reads_as_anything(&frame.payload));
    }

    #[test]
    fn a_length_that_lies_makes_no_room(claim in HEADER_BYTES as u32..9 << 20, come in bytes(100)) {
        let mut input = BytesMut::from(&claim.to_le_bytes()[..]);
        input.extend_from_slice(&come);
        let came = input.len();
        let (_, rest) = all_frames(input);
        if let Ok(rest) = rest {
            prop_assert!(rest.capacity() <= 4 * came, "{} bytes of room for {came} that came", rest.capacity());
        }
    }

    #[test]
    fn any_bytes_are_a_value_or_an_error(bytes in bytes(300)) {
        reads_as_anything(&bytes);
        reads_as_anything(&[&[codec::VERSION], &bytes[..]].concat());
    }

    #[test]
    fn damaged_values_are_values_or_errors(payload in payload(), damage in vec(damage(), 1..4)) {
        reads_as_anything(&payload);
        reads_as_anything(&damaged(payload, &damage));
    }

    #[test]
    fn a_call_comes_as_it_was_sent(call in call()) {
        prop_assert_eq!(codec::decode::<Call>(&codec::encode(&call).unwrap()).unwrap(), call);
    }
}
