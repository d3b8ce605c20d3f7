//! Whatever text comes: an answer or a refusal of the table, never a panic.

use super::*;
use rand::{Rng, SeedableRng, rngs::SmallRng};

/// Texts of random signs, and of pieces that parsers look for.
fn text(random: &mut SmallRng) -> String {
    let pieces = [
        ",",
        "-",
        ".",
        "/",
        "+",
        "0",
        "90",
        "180.5",
        "1e308",
        "Etc/GMT",
        "Europe/",
        "London",
        "Paris",
        "Texas",
        "nan",
        "::",
        "[",
        "]",
        "2026-07-01",
        "T",
        "12:00",
        "Z",
        "é",
        "東",
        "\0",
        " ",
        "\u{301}",
        "9999-12-30",
    ];
    let sign = |random: &mut SmallRng| char::from_u32(random.random_range(0..0x11_0000)).unwrap_or('.').to_string();
    let count = random.random_range(0..8);
    let piece = |random: &mut SmallRng| match random.random_bool(0.8) {
        true => pieces[random.random_range(0..pieces.len())].to_string(),
        false => sign(random),
    };
    (0..count).map(|_| piece(random)).collect()
}

#[test]
fn any_text_is_answered_or_refused() {
    let time = time();
    let expected = [INVALID_LOCATION, LOCATION_NOT_FOUND, INVALID_TIME, NO_SUCH_TIME, AMBIGUOUS_TIME, BAD_FIELD];
    let mut refused = 0;
    let mut random = SmallRng::seed_from_u64(42);
    for round in 0..3_000 {
        let (location, other, at) = (text(&mut random), text(&mut random), text(&mut random));
        let convert =
            ConvertRequest { time: at.clone(), from: location.clone(), to: other.clone(), pick: "reject".into() };
        let answers = [
            done(time.call(NowRequest { location: location.clone(), at: at.clone() })),
            done(time.call(ZoneRequest { location: location.clone(), at: String::new() })),
            done(time.call(convert)),
            done(time.call(ListRequest { prefix: location.clone(), at: String::new() })),
            done(time.call(BatchRequest { locations: vec![location.clone(), other.clone()], at: String::new() })),
        ];
        for error in answers.into_iter().filter_map(Result::err) {
            let known = expected.iter().any(|reason| error.is(reason));
            assert!(known && !error.detail.is_empty(), "round {round}: {location:?} {other:?} {at:?}: {error:?}");
            refused += 1;
        }
    }
    assert!((3_000..12_000).contains(&refused), "{refused} refused: the texts say too little or too much");
}
