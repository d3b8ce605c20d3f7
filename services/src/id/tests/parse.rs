//! What Generate makes, Parse reads.

use super::*;

fn parse(on: &Sandbox, id: &str, kind: &str) -> ParseResponse {
    on.call(ParseRequest { id: id.into(), r#type: kind.into() }).unwrap_or_else(|why| panic!("{id}: {why}"))
}

#[test]
fn every_type_reads_back_named_and_by_its_looks() {
    let node = node();
    for kind in KINDS {
        for prefix in ["", "usr", "sk_live"] {
            for _ in 0..500 {
                node.advance(Duration::from_micros(700));
                let request =
                    GenerateRequest { r#type: kind.name().into(), prefix: prefix.into(), ..Default::default() };
                let id = node.call(request).unwrap().id;
                let named = parse(&node, &id, kind.name());
                assert_eq!(named.r#type, kind.name(), "{id}");
                if kind == Kind::Sqid {
                    continue;
                }
                let found = parse(&node, &id, "");
                assert_eq!((found.r#type.as_str(), found.prefix.as_str()), (kind.name(), prefix), "{id}");
                // A nanoid whose type is named may have any signs: its prefix does not show.
                let whole = kind == Kind::Nanoid && !prefix.is_empty();
                assert!(whole || named == found, "{id}: {named:?} {found:?}");
            }
        }
    }
}

#[test]
fn time_worker_and_sequence_are_those_of_the_maker() {
    // The node has id 1 and worker 0.
    let rows = [
        (Kind::Uuid, "", 0, [0, 0]),
        (Kind::Nanoid, "", 0, [0, 0]),
        (Kind::Cuid2, "", 0, [0, 0]),
        (Kind::Ulid, "2026-11-24T12:00:00Z", 0, [0, 0]),
        (Kind::Ksuid, "2026-11-24T12:00:00Z", 0, [0, 0]),
        (Kind::UuidV7, "2026-11-24T12:00:00Z", 0, [0, 0]),
        (Kind::UuidV1, "2026-11-24T12:00:00Z", 1 << 40 | 1, [0, 0]),
        (Kind::Shortid, "2026-11-24T12:00:00Z", 0, [0, 1]),
        (Kind::Snowflake, "2026-11-24T12:00:00Z", 0, [0, 1]),
        (Kind::Sqid, "2026-11-24T12:00:00Z", 0, [0, 1]),
        (Kind::Bigflake, "2026-11-24T12:00:00Z", 1, [1, 2]),
    ];
    for (kind, time, worker, sequences) in rows {
        let node = node();
        let ids = many(&node, kind, 2).unwrap();
        let told = parse(&node, &ids[0], kind.name());
        assert_eq!((told.time.as_str(), told.worker, told.sequence), (time, worker, sequences[0]), "{}", kind.name());
        assert_eq!(parse(&node, &ids[1], kind.name()).sequence, sequences[1], "{}", kind.name());
    }
    // These begin to count anywhere.
    for (kind, worker) in [(Kind::Xid, 1 << 16), (Kind::ObjectId, 1 << 10)] {
        let node = node();
        let ids = many(&node, kind, 2).unwrap();
        let (first, second) = (parse(&node, &ids[0], ""), parse(&node, &ids[1], ""));
        assert_eq!((first.time.as_str(), first.worker), ("2026-11-24T12:00:00Z", worker), "{}", kind.name());
        assert_eq!((first.sequence + 1) % (1 << 24), second.sequence, "{}", kind.name());
        assert_ne!(first.sequence, 0, "{}", kind.name());
    }
}

#[test]
fn no_text_is_a_panic() {
    use rand::{Rng, SeedableRng, rngs::SmallRng};
    let node = node();
    let signs: Vec<char> = ('!'..='~').chain("__--00ZZzz ü\u{0}".chars()).collect();
    for seed in 0..2000 {
        let mut random = SmallRng::seed_from_u64(seed);
        let len = [9, 11, 20, 21, 24, 26, 27, 36, 40][random.random_range(0..9)];
        let digits = random.random_bool(0.3);
        let sign = |random: &mut SmallRng| match digits {
            true => char::from(b'0' + random.random_range(0..10)),
            false => signs[random.random_range(0..signs.len())],
        };
        let id: String = (0..len).map(|_| sign(&mut random)).collect();
        for kind in [""].into_iter().chain(KINDS.map(Kind::name)) {
            if let Err(error) = node.call(ParseRequest { id: id.clone(), r#type: kind.into() }) {
                assert!(error.is(&NOT_AN_ID), "{id:?} as {kind:?}: {error:?}");
            }
        }
    }
}
