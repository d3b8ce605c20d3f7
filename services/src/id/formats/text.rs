//! Ids that are chance alone: nanoid and cuid2. `below(n)` draws a number below n, all equally likely.

/// nanoid's own: 64 signs, 6 bits each.
pub const NANOID: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_-";
pub const NANOID_LEN: usize = 21;

const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyz";
const BASE36: &[u8] = b"0123456789abcdefghijklmnopqrstuvwxyz";
const CUID2_LEN: usize = 24;

pub fn drawn(alphabet: &[u8], len: usize, mut below: impl FnMut(u64) -> u64) -> String {
    (0..len).map(|_| char::from(alphabet[below(alphabet.len() as u64) as usize])).collect()
}

/// A letter, then 23 signs of base 36. The reference hashes clock, counter and fingerprint into weak randomness; drawn
/// from a strong source, its signs are just as even, and nothing can be told from them.
pub fn cuid2(mut below: impl FnMut(u64) -> u64) -> String {
    drawn(LETTERS, 1, &mut below) + &drawn(BASE36, CUID2_LEN - 1, below)
}

pub fn is_nanoid(text: &str) -> bool {
    text.len() == NANOID_LEN && text.bytes().all(|sign| NANOID.contains(&sign))
}

/// Of any length and alphabet that `Generate` takes.
pub fn is_custom_nanoid(text: &str) -> bool {
    (2..=256).contains(&text.len()) && text.bytes().all(|sign| sign.is_ascii_graphic())
}

pub fn is_cuid2(text: &str) -> bool {
    text.len() == CUID2_LEN
        && text.bytes().all(|sign| BASE36.contains(&sign))
        && text.starts_with(|first: char| first.is_ascii_lowercase())
}
