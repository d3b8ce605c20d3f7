//! The rules: what may be drawn, and that all of it is equally likely.

use super::api::*;
use super::draw::{Classes, WORDS, passphrase};
use super::guesses;
use sdk::prelude::*;

const LENGTH_DEFAULT: usize = 8;
const LOWER: &str = "abcdefghijklmnopqrstuvwxyz";
const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const DIGITS: &str = "0123456789";
const SPECIAL: &str = "!@#$%&*";
const AMBIGUOUS: &str = "0Oo1lI";

pub fn generate(here: &Here, req: GenerateRequest) -> Result<GenerateResponse> {
    let count = req.count.max(1);
    let (mut passwords, entropy_bits): (Vec<String>, f64) = if req.words > 0 {
        only_words(&req)?;
        let separator = if req.separator.is_empty() { "-" } else { &req.separator };
        let words = req.words as usize;
        let below = |bound| here.below(bound);
        ((0..count).map(|_| passphrase(words, separator, below)).collect(), words as f64 * (WORDS.len() as f64).log2())
    } else {
        let (classes, length) = classes(&req)?;
        ((0..count).map(|_| classes.draw(length, |bound| here.below(bound))).collect(), classes.entropy_bits(length))
    };
    let password = passwords[0].clone();
    if req.count == 0 {
        passwords.clear();
    }
    Ok(GenerateResponse { password, passwords, entropy_bits: entropy_bits as i32 })
}

pub fn strength(_: &Here, req: StrengthRequest) -> Result<StrengthResponse> {
    Ok(guesses::of(&req.password))
}

/// Silence about a field that does nothing would be taken for its effect.
fn only_words(req: &GenerateRequest) -> Result<()> {
    let GenerateRequest { words, separator, count, .. } = req.clone();
    if *req != (GenerateRequest { words, separator, count, ..Default::default() }) {
        return Err(MIXED.because("words go without length, classes, symbols and exclusions"));
    }
    Ok(())
}

/// What to draw from, and how many characters.
fn classes(req: &GenerateRequest) -> Result<(Classes, usize)> {
    if !req.separator.is_empty() {
        return Err(MIXED.because("a separator goes with words"));
    }
    if !are_symbols(&req.symbols) {
        return Err(BAD_SYMBOLS.because(BAD_SYMBOLS_DETAIL));
    }
    let special = if req.symbols.is_empty() { SPECIAL } else { &req.symbols };
    let flags = [req.lowercase, req.uppercase, req.numbers, req.special];
    let all = !flags.contains(&true);
    let asked = [flags[0], flags[1], flags[2], flags[3] || !req.symbols.is_empty()];
    let out = |sign: &char| req.exclude.contains(*sign) || req.exclude_ambiguous && AMBIGUOUS.contains(*sign);
    let named = [("lowercase", LOWER), ("uppercase", UPPER), ("numbers", DIGITS), ("special", special)];
    let mut classes = vec![];
    for ((name, signs), _) in named.into_iter().zip(asked).filter(|(_, asked)| all || *asked) {
        let left: Vec<char> = signs.chars().filter(|sign| !out(sign)).collect();
        if left.is_empty() {
            return Err(NOTHING_LEFT.because(format!("nothing is left of {name}")));
        }
        classes.push(left);
    }
    if classes.iter().map(Vec::len).sum::<usize>() < 2 {
        return Err(NOTHING_LEFT.because("a single character is left"));
    }
    let length = usize::try_from(req.length).ok().filter(|length| *length > 0).unwrap_or(LENGTH_DEFAULT);
    // Nobody asked for a class by name: a length under four just has fewer of them.
    let each = !all || length >= classes.len();
    if each && length < classes.len() {
        return Err(TOO_SHORT.because("too short for the requested classes"));
    }
    Ok((Classes::new(classes, each), length))
}

/// Each of them once, and none of another class: it would be drawn twice as often.
fn are_symbols(symbols: &str) -> bool {
    let signs = symbols.as_bytes();
    signs.iter().all(u8::is_ascii_punctuation) && (1..signs.len()).all(|at| !signs[..at].contains(&signs[at]))
}
