//! Where a page ended, as callers hold it: opaque to them, never empty, the same on every node.

use crate::{Error, Result};
use wire::error::reasons;

/// First letter, so that what a cursor holds can change.
const VERSION: char = '1';

/// The cursor behind the item of this key.
pub fn write(last: &[u8]) -> String {
    let mut cursor = String::with_capacity(1 + 2 * last.len());
    cursor.push(VERSION);
    last.iter().for_each(|byte| cursor.push_str(&format!("{byte:02x}")));
    cursor
}

/// The key in a cursor.
pub fn read(cursor: &str) -> Result<Vec<u8>> {
    let digits = cursor.strip_prefix(VERSION).filter(|digits| digits.len() % 2 == 0).ok_or_else(foreign)?.as_bytes();
    digits
        .chunks_exact(2)
        .map(|pair| Some(nibble(pair[0])? << 4 | nibble(pair[1])?))
        .collect::<Option<_>>()
        .ok_or_else(foreign)
}

/// The refusal of a cursor that no page of this list gave.
pub fn foreign() -> Error {
    reasons::BAD_BODY.refuse("cursor: not one that this endpoint gave")
}

fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_key_comes_back() {
        for key in [&b""[..], b"a", b"\0\xff", "é".as_bytes()] {
            assert_eq!(read(&write(key)).unwrap(), key);
        }
        assert_eq!(write(b""), "1");
    }

    #[test]
    fn what_no_page_gave_is_refused() {
        for cursor in ["", "2ab", "1a", "1zz", "1AB", "ab", "1é"] {
            assert!(read(cursor).unwrap_err().is(&reasons::BAD_BODY), "{cursor}");
        }
    }
}
