//! Codes by chance: every code of a size and alphabet is equally likely.

use sdk::Tx;

/// Decimal.
pub const DIGITS: &[u8] = b"0123456789";
pub const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ";
/// Crockford's: nothing in it looks like anything else in it.
pub const BASE32: &[u8] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

pub fn alphabet(name: &str) -> Option<&'static [u8]> {
    match name {
        "" | "digits" => Some(DIGITS),
        "letters" => Some(LETTERS),
        "base32" => Some(BASE32),
        _ => None,
    }
}

pub fn code(tx: &mut Tx, alphabet: &[u8], size: usize) -> String {
    signs(alphabet, size, |bytes| tx.fill(bytes))
}

/// `alphabet` has up to 256 signs. Bytes beyond its largest multiple are drawn again, as their remainders would favour its
/// first signs.
pub fn signs(alphabet: &[u8], size: usize, mut fill: impl FnMut(&mut [u8])) -> String {
    let fair = 256 / alphabet.len() * alphabet.len();
    let mut drawn = String::with_capacity(size);
    while drawn.len() < size {
        let mut byte = [0];
        fill(&mut byte);
        if usize::from(byte[0]) < fair {
            drawn.push(char::from(alphabet[usize::from(byte[0]) % alphabet.len()]));
        }
    }
    drawn
}
