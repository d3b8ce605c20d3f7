//! How guesses are told: not the bits, which are an estimate, but their order, the reasons, and the ends of the scale.

use super::super::guesses;
use super::*;

fn told(password: &str) -> (i32, i32, Vec<String>) {
    let StrengthResponse { score, entropy_bits, reasons } = guesses::of(password);
    (score, entropy_bits, reasons)
}

#[test]
fn each_reason() {
    let rows = [
        ("password", &["common"][..]),
        ("P@SSW0RD", &["common"]),
        ("clay", &["word"]),
        ("Cl4y", &["word"]),
        ("zebra-clay", &["word"]),
        ("xkxkxkxkxk", &["repeat"]),
        ("kkkkkkkk", &["repeat"]),
        ("fghijk", &["sequence"]),
        ("97531", &["sequence"]),
        ("poiuytr", &["keyboard"]),
        ("1987", &["year"]),
        ("clay1987", &["word", "year"]),
        ("k", &["short"]),
        ("kX7", &["short"]),
        ("", &["short"]),
    ];
    for (password, reasons) in rows {
        let (score, bits, found) = told(password);
        assert_eq!(found, reasons, "{password}: {score}, {bits} bits");
        assert!(score <= 1, "{password}: {score}, {bits} bits");
    }
}

#[test]
fn what_is_drawn_by_chance_is_as_strong_as_it_is() {
    let on = Sandbox::new(service());
    for (length, score) in [(4, 1), (8, 2), (16, 4), (256, 4)] {
        for _ in 0..50 {
            let reply = generate_on(&on, |r| r.length = length).unwrap();
            let (found, bits, reasons) = told(&reply.password);
            assert!(found >= score, "{length}: {found}, {bits} bits, {reasons:?}");
            assert!(length > 128 || bits >= reply.entropy_bits - 25, "{length}: {bits} bits");
        }
    }
    let phrase = generate_on(&on, |r| r.words = 6).unwrap().password;
    let (score, bits, reasons) = told(&phrase);
    assert_eq!((score, reasons), (4, vec!["word".to_string()]), "{bits} bits");
}

#[test]
fn more_is_never_weaker_and_repeating_hardly_helps() {
    let bits = |password: &str| told(password).1;
    let rows = [
        ("clay", "clayzebra"),
        ("clay", "Clay"),
        ("Clay", "cLaY"),
        ("password", "password1987"),
        ("xkw", "xkwp"),
        ("xkwp", "xKwp"),
    ];
    for (weaker, stronger) in rows {
        assert!(bits(weaker) < bits(stronger), "{weaker} {} {stronger} {}", bits(weaker), bits(stronger));
    }
    assert!(bits("xkwpqzvj") + 11 > bits(&"xkwpqzvj".repeat(8)));
}

#[test]
fn any_text_is_looked_at_and_work_is_bounded() {
    for text in ["é", "🎉🎉🎉🎉", "\0", " ", "Ünïcödé pässwörd", &"a".repeat(1024), &"qwerty1987 ".repeat(90)]
    {
        let (score, bits, _) = told(text);
        assert!((0..=4).contains(&score) && bits >= 0, "{text}");
    }
}
