//! The rules in a table, then what no table can say: that nothing is likelier than anything else, and how guesses are told.

mod even;
mod guesses;

use super::*;
use sdk::{Error, Reason, Result, Sandbox};

fn generate(change: impl FnOnce(&mut GenerateRequest)) -> Result<GenerateResponse> {
    generate_on(&Sandbox::new(service()), change)
}

fn generate_on(on: &Sandbox, change: impl FnOnce(&mut GenerateRequest)) -> Result<GenerateResponse> {
    let mut request = GenerateRequest::default();
    change(&mut request);
    on.call(request)
}

/// Lower case, upper case, digits, others: how many of each.
fn classes_of(password: &str) -> [usize; 4] {
    let count = |of: fn(&char) -> bool| password.chars().filter(of).count();
    let special = |sign: &char| "!@#$%&*".contains(*sign);
    [count(char::is_ascii_lowercase), count(char::is_ascii_uppercase), count(char::is_ascii_digit), count(special)]
}

fn three(r: &mut GenerateRequest) {
    (r.lowercase, r.uppercase, r.numbers) = (true, true, true);
}

/// In order of precedence: the limits of fields in their order, then what fields say together.
#[test]
fn each_error_in_order() {
    let bad_symbols = "symbols must be up to 32 different ASCII signs that are no letters, digits or spaces";
    let mixed = "words go without length, classes, symbols and exclusions";
    let error = |result: Result<GenerateResponse>| result.unwrap_err();
    let rows: Vec<(Error, Reason, &str)> = vec![
        (error(generate(|r| (r.length, r.words, r.count) = (257, 65, 1001))), TOO_LONG, "max length 256"),
        (error(generate(|r| r.length = i32::MAX)), TOO_LONG, "max length 256"),
        (error(generate(|r| (r.symbols, r.words) = ("#".repeat(33), 65))), BAD_SYMBOLS, bad_symbols),
        (error(generate(|r| (r.words, r.count) = (65, 1001))), BAD_WORDS, "words must be 1-64"),
        (error(generate(|r| r.words = -1)), BAD_WORDS, "words must be 1-64"),
        (error(generate(|r| (r.count, r.symbols) = (1001, "a".into()))), BAD_COUNT, "count must be 1-1000"),
        (error(generate(|r| r.count = -1)), BAD_COUNT, "count must be 1-1000"),
        (error(generate(|r| (r.words, r.length) = (6, 8))), MIXED, mixed),
        (error(generate(|r| (r.words, r.special) = (6, true))), MIXED, mixed),
        (error(generate(|r| (r.words, r.exclude) = (6, "a".into()))), MIXED, mixed),
        (error(generate(|r| (r.words, r.symbols) = (6, "a".into()))), MIXED, mixed),
        (
            error(generate(|r| (r.separator, r.symbols) = (" ".into(), "a".into()))),
            MIXED,
            "a separator goes with words",
        ),
        (error(generate(|r| r.symbols = "##".into())), BAD_SYMBOLS, bad_symbols),
        (error(generate(|r| r.symbols = "#a".into())), BAD_SYMBOLS, bad_symbols),
        (error(generate(|r| r.symbols = "# ".into())), BAD_SYMBOLS, bad_symbols),
        (error(generate(|r| r.symbols = "§".into())), BAD_SYMBOLS, bad_symbols),
        (
            error(generate(|r| (r.length, r.exclude) = (1, "0123456789".into()))),
            NOTHING_LEFT,
            "nothing is left of numbers",
        ),
        (
            error(generate(|r| (r.symbols, r.exclude, r.special) = ("#".into(), "#".into(), true))),
            NOTHING_LEFT,
            "nothing is left of special",
        ),
        (
            error(generate(|r| (r.numbers, r.exclude, r.exclude_ambiguous) = (true, "2345678 9".into(), true))),
            NOTHING_LEFT,
            "nothing is left of numbers",
        ),
        (
            error(generate(|r| (r.numbers, r.exclude) = (true, "012345678".into()))),
            NOTHING_LEFT,
            "a single character is left",
        ),
        (
            error(generate(|r| {
                three(r);
                r.length = 2;
            })),
            TOO_SHORT,
            "too short for the requested classes",
        ),
    ];
    for (error, reason, detail) in rows {
        assert_eq!((error.id.as_str(), error.detail.as_str()), ("password.generate", detail));
        assert!(error.is(&reason), "{error:?}");
    }
    let missing = Sandbox::new(service()).call(StrengthRequest::default()).unwrap_err();
    assert_eq!((missing.id.as_str(), missing.detail.as_str()), ("password.strength", "missing password"));
    assert!(missing.is(&MISSING_PASSWORD));
}

#[test]
fn the_length_is_honoured() {
    let on = Sandbox::new(service());
    for length in 1..=256 {
        let reply = generate_on(&on, |r| r.length = length).unwrap();
        assert_eq!(reply.password.chars().count(), length as usize);
        let reply = generate_on(&on, |r| (r.length, r.lowercase) = (length, true)).unwrap();
        assert_eq!(classes_of(&reply.password), [length as usize, 0, 0, 0]);
    }
    for length in [0, -1, i32::MIN] {
        assert_eq!(generate_on(&on, |r| r.length = length).unwrap().password.len(), 8);
    }
}

#[test]
fn only_the_classes_asked_for_and_each_of_them() {
    let on = Sandbox::new(service());
    for flags in 0..16_u32 {
        let asked: Vec<bool> = (0..4).map(|class| flags >> class & 1 == 1).collect();
        let wanted = |class: usize| flags == 0 || asked[class];
        for length in [flags.count_ones().max(4) as i32, 8, 9] {
            for _ in 0..210 {
                let reply = generate_on(&on, |r| {
                    (r.lowercase, r.uppercase, r.numbers, r.special) = (asked[0], asked[1], asked[2], asked[3]);
                    r.length = length;
                });
                let seen = classes_of(&reply.unwrap().password);
                assert_eq!(seen.iter().sum::<usize>(), length as usize, "no other sign");
                assert!((0..4).all(|class| (seen[class] > 0) == wanted(class)), "{flags:04b}: {seen:?}");
            }
        }
    }
}

#[test]
fn the_example_of_the_page_has_no_special_sign() {
    let reply = generate(|r| {
        three(r);
        r.length = 16;
    });
    let seen = classes_of(&reply.unwrap().password);
    assert!(seen[0] + seen[1] + seen[2] == 16 && seen[3] == 0, "{seen:?}");
}

#[test]
fn under_four_signs_nobody_asked_for_a_class_by_name() {
    for length in 1..4 {
        assert_eq!(generate(|r| r.length = length).unwrap().password.len(), length as usize);
    }
    assert!(
        generate(|r| {
            three(r);
            r.length = 3;
        })
        .is_ok()
    );
}

#[test]
fn exclusions_and_own_symbols_hold() {
    let on = Sandbox::new(service());
    let all = |change: &dyn Fn(&mut GenerateRequest)| {
        let reply = generate_on(&on, |r| {
            (r.length, r.count) = (256, 40);
            change(r);
        });
        reply.unwrap().passwords.concat()
    };
    let signs = all(&|r| (r.exclude_ambiguous, r.exclude) = (true, "aZ9*".into()));
    assert!(!signs.contains(|sign| "0Oo1lIaZ9*".contains(sign)) && signs.contains('L') && signs.contains('8'));
    let signs = all(&|r| r.symbols = "-_.".into());
    assert!(signs.contains("-") && signs.contains('7') && !signs.contains(|sign| "!@#$%&*".contains(sign)));
    let signs = all(&|r| (r.symbols, r.lowercase) = ("-_.".into(), true));
    assert!(signs.contains("_") && !signs.contains(|sign: char| sign.is_ascii_uppercase() || sign.is_ascii_digit()));
}

#[test]
fn many_at_once_all_different() {
    let reply = generate(|r| (r.count, r.length) = (1000, 12)).unwrap();
    assert_eq!((reply.passwords.len(), &reply.passwords[0]), (1000, &reply.password));
    let distinct: std::collections::BTreeSet<&String> = reply.passwords.iter().collect();
    assert_eq!(distinct.len(), 1000);
    let on = Sandbox::new(service());
    let one = || generate_on(&on, |_| {}).unwrap();
    let (first, second) = (one(), one());
    assert!(first.password != second.password && first.passwords.is_empty());
}

#[test]
fn passphrases_have_so_many_words_of_the_list() {
    let on = Sandbox::new(service());
    for words in [1, 6, 64] {
        let reply = generate_on(&on, |r| (r.words, r.separator, r.count) = (words, " ".into(), 50)).unwrap();
        for phrase in &reply.passwords {
            assert_eq!(phrase.split(' ').count(), words as usize);
            assert!(phrase.split(' ').all(|word| draw::WORDS.binary_search(&word).is_ok()), "{phrase}");
        }
        assert_eq!(reply.entropy_bits, (f64::from(words) * 7776_f64.log2()) as i32);
    }
    assert!(generate_on(&on, |r| r.words = 2).unwrap().password.contains('-'));
}

#[test]
fn nothing_that_is_printed_for_developers_shows_a_password() {
    let reply = generate(|r| r.count = 2).unwrap();
    let request = StrengthRequest { password: reply.password.clone() };
    assert!(!format!("{reply:?} {request:?}").contains(&reply.password));
    assert!(endpoints().iter().all(|endpoint| endpoint.sensitive));
}
