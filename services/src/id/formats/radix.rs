//! Numbers as digits of a fixed count, in any alphabet of ASCII signs.

pub const HEX: &[u8] = b"0123456789abcdef";
/// RFC 4648 "base32hex", lower case.
pub const HEX32: &[u8] = b"0123456789abcdefghijklmnopqrstuv";
/// Crockford's base 32: no I, L, O, U.
pub const CROCKFORD: &[u8] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
pub const BASE62: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// `len` digits, the greatest first; what they cannot hold is cut off at the front.
pub fn write(mut value: u128, len: usize, alphabet: &[u8]) -> String {
    let base = alphabet.len() as u128;
    let mut digits = vec![0; len];
    for digit in digits.iter_mut().rev() {
        *digit = alphabet[(value % base) as usize];
        value /= base;
    }
    digits.into_iter().map(char::from).collect()
}

/// The number of exactly `len` digits; `None` for other signs and for what 128 bits do not hold.
pub fn read(text: &str, len: usize, alphabet: &[u8]) -> Option<u128> {
    if text.len() != len {
        return None;
    }
    text.bytes().try_fold(0_u128, |value, sign| {
        let digit = alphabet.iter().position(|known| *known == sign)?;
        value.checked_mul(alphabet.len() as u128)?.checked_add(digit as u128)
    })
}
