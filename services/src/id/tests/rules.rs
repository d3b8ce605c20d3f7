//! One row for each error of the page, in order of precedence; then the rules one by one.

use super::*;
use sdk::Reason;
use wire::error::reasons::BAD_FIELD;

fn generates(change: impl FnOnce(&mut GenerateRequest)) -> Result<()> {
    let mut request = GenerateRequest { r#type: "nanoid".into(), ..Default::default() };
    change(&mut request);
    node().call(request).map(|_| ())
}

fn parses(id: &str, kind: &str) -> Result<()> {
    node().call(ParseRequest { id: id.into(), r#type: kind.into() }).map(|_| ())
}

fn counts(name: &str) -> Result<()> {
    node().call(SequenceRequest { name: name.into() }).map(|_| ())
}

#[test]
fn each_error_in_order() {
    let (bad_count, bad_prefix) = ("count must be 1-1000", "prefix must be 1-32 letters, digits or _");
    let (bad_length, bad_alphabet) = ("length must be 2-256", "alphabet must be 2-94 different printable ASCII signs");
    let all_wrong = |r: &mut GenerateRequest| {
        r.prefix = "a b".into();
        r.alphabet = "a".into();
    };
    let long = "1".repeat(513);
    let rows: Vec<(Result<()>, &str, Reason, &str)> = vec![
        // A request that breaks several rules names the first: limits in the order of fields, then what the rest is about.
        (
            generates(|r| (r.r#type, r.count) = ("t".repeat(17), -1)),
            "id.generate",
            UNSUPPORTED_TYPE,
            "unsupported id type",
        ),
        (generates(|r| (r.r#type, r.count) = ("guid".into(), -1)), "id.generate", BAD_COUNT, bad_count),
        (generates(|r| (r.count, r.prefix) = (-1, "p".repeat(34))), "id.generate", BAD_COUNT, bad_count),
        (generates(|r| (r.prefix, r.length) = ("p".repeat(34), 1)), "id.generate", BAD_PREFIX, bad_prefix),
        (generates(|r| (r.length, r.prefix) = (1, "a b".into())), "id.generate", BAD_LENGTH, bad_length),
        (
            generates(|r| {
                all_wrong(r);
                r.r#type = "guid".into();
            }),
            "id.generate",
            UNSUPPORTED_TYPE,
            "unsupported id type",
        ),
        (generates(|r| r.r#type = "UUID".into()), "id.generate", UNSUPPORTED_TYPE, "unsupported id type"),
        (generates(|r| r.count = 1001), "id.generate", BAD_COUNT, bad_count),
        (generates(|r| r.count = i64::MIN), "id.generate", BAD_COUNT, bad_count),
        (generates(all_wrong), "id.generate", BAD_PREFIX, bad_prefix),
        (generates(|r| r.prefix = "usr-".into()), "id.generate", BAD_PREFIX, bad_prefix),
        (generates(|r| r.prefix = "é".into()), "id.generate", BAD_PREFIX, bad_prefix),
        (generates(|r| r.prefix = "_".into()), "id.generate", BAD_PREFIX, bad_prefix),
        (generates(|r| r.prefix = "p".repeat(33)), "id.generate", BAD_PREFIX, bad_prefix),
        (
            generates(|r| (r.r#type, r.length, r.alphabet) = ("uuid".into(), 21, "ab".into())),
            "id.generate",
            BAD_LENGTH,
            "length is for nanoid",
        ),
        (
            generates(|r| (r.r#type, r.alphabet) = ("".into(), "ab".into())),
            "id.generate",
            BAD_ALPHABET,
            "alphabet is for nanoid",
        ),
        (generates(|r| (r.length, r.alphabet) = (1, "a".into())), "id.generate", BAD_LENGTH, bad_length),
        (generates(|r| r.length = 257), "id.generate", BAD_LENGTH, bad_length),
        (generates(|r| r.length = -1), "id.generate", BAD_LENGTH, bad_length),
        (generates(|r| r.alphabet = "a".into()), "id.generate", BAD_ALPHABET, bad_alphabet),
        (generates(|r| r.alphabet = "aba".into()), "id.generate", BAD_ALPHABET, bad_alphabet),
        (generates(|r| r.alphabet = "a b".into()), "id.generate", BAD_ALPHABET, bad_alphabet),
        (generates(|r| r.alphabet = "äb".into()), "id.generate", BAD_ALPHABET, bad_alphabet),
        (generates(|r| r.alphabet = "ab".repeat(500_000)), "id.generate", BAD_ALPHABET, bad_alphabet),
        (parses("", "guid"), "id.parse", MISSING_ID, "missing id"),
        (parses(&long, "guid"), "id.parse", BAD_FIELD, "id: must be 1 to 512 bytes, it has 513"),
        (parses("x", "guid"), "id.parse", UNSUPPORTED_TYPE, "unsupported id type"),
        (parses("x", ""), "id.parse", NOT_AN_ID, "not a valid id of a type that shows"),
        (parses("x", "ulid"), "id.parse", NOT_AN_ID, "not a valid ulid id"),
        (parses("7ZZZZZZZZZ0000000000000000", ""), "id.parse", NOT_AN_ID, "its time lies before 1677 or behind 2262"),
        (counts(""), "id.sequence", MISSING_NAME, "missing name"),
        (counts(&"n".repeat(257)), "id.sequence", BAD_FIELD, "name: must be 1 to 256 bytes, it has 257"),
    ];
    for (result, id, reason, detail) in rows {
        let error = result.expect_err(detail);
        assert_eq!((error.id.as_str(), error.detail.as_str()), (id, detail));
        assert!(error.is(&reason), "{error:?}");
    }
}

#[test]
fn what_is_just_inside_each_bound() {
    assert!(generates(|r| (r.count, r.length) = (1000, 256)).is_ok());
    assert!(generates(|r| (r.length, r.alphabet) = (2, "ab".into())).is_ok());
    assert!(generates(|r| r.alphabet = ('!'..='~').collect()).is_ok());
    assert!(generates(|r| r.prefix = "p".repeat(32) + "_").is_ok());
    assert!(counts(&"n".repeat(256)).is_ok());
}

#[test]
fn a_uuid_when_nothing_is_said() {
    let reply = node().call(GenerateRequest::default()).unwrap();
    assert_eq!((reply.r#type.as_str(), reply.id.len(), reply.ids.len()), ("uuid", 36, 0));
}

#[test]
fn the_first_of_many_is_the_id() {
    for kind in KINDS {
        let request = GenerateRequest { r#type: kind.name().into(), count: 3, ..Default::default() };
        let reply = node().call(request).unwrap();
        assert_eq!((reply.r#type.as_str(), reply.ids.len()), (kind.name(), 3));
        assert_eq!(reply.ids[0], reply.id);
    }
}

#[test]
fn a_prefix_ends_in_one_underscore() {
    for (given, want) in [("usr", "usr_"), ("usr_", "usr_"), ("sk_live", "sk_live_"), ("a__", "a__")] {
        for kind in KINDS {
            let request =
                GenerateRequest { r#type: kind.name().into(), prefix: given.into(), count: 2, ..Default::default() };
            let ids = node().call(request).unwrap().ids;
            assert!(ids.iter().all(|id| id.starts_with(want) && !id[want.len()..].is_empty()), "{ids:?}");
        }
    }
}

#[test]
fn nanoids_have_the_signs_asked_for_all_equally_often() {
    let alphabet: String = ('!'..='~').collect();
    let request = GenerateRequest { r#type: "nanoid".into(), length: 256, count: 200, alphabet, ..Default::default() };
    let ids = node().call(request).unwrap().ids;
    let mut seen = [0_u32; 94];
    for sign in ids.iter().flat_map(|id| id.bytes()) {
        seen[usize::from(sign - b'!')] += 1;
    }
    let expected = 51_200.0 / 94.0;
    let chi2: f64 = seen.iter().map(|n| (f64::from(*n) - expected).powi(2) / expected).sum();
    // 93 degrees of freedom: over 143 once in a thousand seeds. A byte's remainder would give over a thousand.
    assert!(seen.iter().sum::<u32>() == 51_200 && chi2 < 143.0, "{seen:?}: {chi2}");
}

#[test]
fn a_clock_that_a_type_cannot_write_is_an_error() {
    let at = |secs| {
        let node = Sandbox::new(service());
        node.advance(Duration::from_secs(secs));
        node
    };
    let early = [Kind::Snowflake, Kind::Sqid, Kind::Ksuid, Kind::Shortid];
    let late = [Kind::Snowflake, Kind::Sqid, Kind::Ksuid, Kind::Shortid, Kind::Xid, Kind::ObjectId];
    for (secs, wrong) in [(0, &early[..]), (9_000_000_000, &late[..])] {
        for kind in KINDS {
            let made = many(&at(secs), kind, 1);
            assert_eq!(made.is_err(), wrong.contains(&kind), "{} at {secs}", kind.name());
            if let Err(error) = made {
                assert!(error.is(&CLOCK_OUT_OF_RANGE) && error.code == 503, "{error:?}");
                assert_eq!(error.detail, format!("failed to mint {} id", kind.name()));
            }
        }
    }
}

/// The clock stands still: 50 ms may be taken ahead, then it is an error and no endless wait.
#[test]
fn a_clock_that_stands_gives_no_more_snowflakes() {
    let node = node();
    let mut made = 0;
    let error = loop {
        match many(&node, Kind::Snowflake, 1000) {
            Ok(ids) => made += ids.len(),
            Err(error) => break error,
        }
    };
    // What a call made before it ran out is lost with it.
    assert!((50 * 4096..=51 * 4096).contains(&made), "{made}");
    assert_eq!((error.code, error.detail.as_str()), (503, "failed to mint snowflake id"));
    assert!(error.retry_after_ms > 0, "{error:?}");
    node.advance(Duration::from_millis(1));
    assert_eq!(many(&node, Kind::Snowflake, 1000).unwrap().len(), 1000);
}

#[test]
fn sequences_count_from_one_each_on_its_own() {
    let node = node();
    let next = |on: &Sandbox, name: &str| on.call(SequenceRequest { name: name.into() }).unwrap().value;
    assert_eq!([next(&node, "a"), next(&node, "a"), next(&node, "b"), next(&node, "a")], [1, 2, 1, 3]);
    let stranger = node.account("local2");
    assert_eq!((next(&stranger, "a"), next(&node, "a")), (1, 4));
}

/// A way to put a sequence where calls would take too long to get.
mod set {
    use super::super::super::commands::{LAST, sequence};
    use sdk::prelude::*;

    endpoints! { id: Command Set(SetRequest) -> SetResponse, key name; }

    /// Set the last number.
    #[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
    pub struct SetRequest {
        pub name: String,
        pub last: i64,
    }
    /// It is set.
    #[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
    pub struct SetResponse {}

    fn set(tx: &mut Tx, req: SetRequest) -> Result<SetResponse> {
        tx.put(&LAST, &req.last)?;
        Ok(SetResponse {})
    }

    pub fn service() -> Service {
        Service::new("id", "sequences that can be set").row(&LAST).command(sequence).command(set)
    }
}

#[test]
fn a_sequence_ends_and_does_not_begin_anew() {
    let node = Sandbox::new(set::service());
    node.call(set::SetRequest { name: "n".into(), last: i64::MAX - 1 }).unwrap();
    let next = || node.call(SequenceRequest { name: "n".into() });
    assert_eq!(next().unwrap().value, i64::MAX);
    for _ in 0..2 {
        let error = next().unwrap_err();
        assert!(error.is(&SEQUENCE_ENDED) && error.code == 409, "{error:?}");
    }
}
