//! Nothing is likelier than anything else: χ² with fixed seeds, each bound met by an even draw 999 times in 1,000.

use super::super::draw::{Classes, WORDS};
use super::*;
use rand::{Rng, SeedableRng, rngs::StdRng};
use std::collections::BTreeMap;

fn chi2(seen: &BTreeMap<String, u32>, kinds: usize) -> f64 {
    let expected = f64::from(seen.values().sum::<u32>()) / kinds as f64;
    let missing = (kinds - seen.len()) as f64 * expected;
    seen.values().map(|n| (f64::from(*n) - expected).powi(2) / expected).sum::<f64>() + missing
}

fn counts(items: impl IntoIterator<Item = String>) -> BTreeMap<String, u32> {
    items.into_iter().fold(BTreeMap::new(), |mut seen, item| {
        *seen.entry(item).or_default() += 1;
        seen
    })
}

/// 69 symbols; long passwords, so that "one of each class" hardly favours the small ones. A byte's remainder, as the
/// original took, gives some symbols four and some three of 256: χ² over 1,000.
#[test]
fn symbols() {
    let on = Sandbox::new(service());
    let reply = generate_on(&on, |r| (r.length, r.count) = (256, 400)).unwrap();
    let seen = counts(reply.passwords.concat().chars().map(String::from));
    let value = chi2(&seen, 69);
    assert!(seen.len() == 69 && value < 111.1, "68 degrees of freedom: {value}");
}

#[test]
fn of_one_class() {
    let on = Sandbox::new(service());
    let reply = generate_on(&on, |r| (r.length, r.count, r.lowercase) = (100, 1000, true)).unwrap();
    let value = chi2(&counts(reply.passwords.concat().chars().map(String::from)), 26);
    assert!(value < 52.7, "25 degrees of freedom: {value}");
}

/// Whole passwords: of two letters and three digits, four characters with both classes: 5⁴ − 2⁴ − 3⁴ = 528.
#[test]
fn whole_passwords_of_two_classes() {
    let classes = Classes::new(vec![vec!['a', 'b'], vec!['1', '2', '3']], true);
    let mut random = StdRng::seed_from_u64(1);
    let mut draw = || classes.draw(4, |bound| random.random_range(0..bound));
    let seen = counts((0..264_000).map(|_| draw()));
    let value = chi2(&seen, 528);
    assert!(seen.len() == 528 && value < 633.0, "527 degrees of freedom: {value}");
    assert!((classes.entropy_bits(4) - 528_f64.log2()).abs() < 1e-9);
    // Placing one of each and shuffling would not be even: with it this test fails.
    let placed = counts((0..264_000).map(|_| classes.placed(4, |bound| random.random_range(0..bound))));
    assert!(placed.len() == 528 && chi2(&placed, 528) > 4000.0);
}

/// A draw that never ends well: the last resort has each class all the same.
#[test]
fn a_thousand_rounds_then_each_class_is_placed() {
    let classes = Classes::new(vec![vec!['a'], vec!['b'], vec!['c']], true);
    let mut asked = 0;
    let drawn = classes.draw(3, |_| {
        asked += 1;
        0
    });
    let mut signs: Vec<char> = drawn.chars().collect();
    signs.sort_unstable();
    assert_eq!((signs, asked), (vec!['a', 'b', 'c'], 3 * 1000 + 3 + 2));
}

#[test]
fn entropy_is_the_number_of_passwords() {
    let bits = |change: fn(&mut GenerateRequest)| generate(change).unwrap().entropy_bits;
    // 26⁸; 62¹⁶ less those without a class; 10¹; 69³ as nobody asked for a class.
    assert_eq!(bits(|r| r.lowercase = true), 37);
    assert_eq!(bits(|r| (r.lowercase, r.uppercase, r.numbers, r.length) = (true, true, true, 16)), 95);
    assert_eq!(bits(|r| (r.numbers, r.length) = (true, 1)), 3);
    assert_eq!(bits(|r| r.length = 3), 18);
    // 4! · 26 · 26 · 10 · 7 of 69⁴.
    assert_eq!(bits(|r| r.length = 4), (24.0 * 26.0 * 26.0 * 70.0_f64).log2() as i32);
}

#[test]
fn the_list_has_6_to_the_5_words_none_of_them_the_beginning_of_another() {
    assert_eq!(WORDS.len(), 7776);
    assert!(WORDS.is_sorted() && WORDS.windows(2).all(|pair| !pair[1].starts_with(pair[0])));
    let small =
        |word: &&str| (3..=9).contains(&word.len()) && word.bytes().all(|c| c.is_ascii_lowercase() || c == b'-');
    assert!(WORDS.iter().all(small));
}

#[test]
fn words() {
    let on = Sandbox::new(service());
    let mut all = vec![];
    for _ in 0..5 {
        let reply = generate_on(&on, |r| (r.words, r.separator, r.count) = (64, " ".into(), 1000)).unwrap();
        all.extend(reply.passwords.iter().flat_map(|phrase| phrase.split(' ')).map(str::to_string));
    }
    let value = chi2(&counts(all), 7776);
    // As a normal distribution of mean 7,775 and deviation 124.7.
    assert!((7_390.0..8_170.0).contains(&value), "{value}");
}
