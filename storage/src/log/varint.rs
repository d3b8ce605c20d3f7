//! Numbers in as few bytes as they need, and a reader that never goes past the end.

use super::payload::PageBuffer;

/// Bytes that do not say what a record says. With a checksum that holds, this is a bug or a forgery: never skipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a record is malformed: {0}")]
pub(super) struct Malformed(pub &'static str);

pub(super) fn put(out: &mut PageBuffer, mut number: u64) {
    let mut bytes = [0; 10];
    let mut len = 0;
    loop {
        bytes[len] = (number & 0x7f) as u8;
        number >>= 7;
        len += 1;
        if number == 0 {
            break;
        }
        bytes[len - 1] |= 0x80;
    }
    out.put(&bytes[..len]);
}

/// What is left to read.
pub(super) struct Cursor<'a>(pub &'a [u8]);

impl<'a> Cursor<'a> {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn byte(&mut self) -> Result<u8, Malformed> {
        let (&first, rest) = self.0.split_first().ok_or(Malformed("it ends too soon"))?;
        self.0 = rest;
        Ok(first)
    }

    pub(super) fn number(&mut self) -> Result<u64, Malformed> {
        let mut number = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let part = u64::from(byte & 0x7f);
            if shift == 63 && part > 1 {
                break;
            }
            number |= part << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(Malformed("a number is too long"))
    }

    pub(super) fn bytes(&mut self, len: u64) -> Result<&'a [u8], Malformed> {
        let len = usize::try_from(len).ok().filter(|&len| len <= self.0.len()).ok_or(Malformed("it ends too soon"))?;
        let (bytes, rest) = self.0.split_at(len);
        self.0 = rest;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back() {
        for number in [0, 1, 127, 128, 300, u64::from(u32::MAX), u64::MAX - 1, u64::MAX] {
            let mut out = PageBuffer::default();
            put(&mut out, number);
            let mut cursor = Cursor(out.written());
            assert_eq!(cursor.number(), Ok(number));
            assert!(cursor.is_empty());
        }
        assert!(Cursor(&[0xff; 10]).number().is_err(), "above 64 bits");
        assert!(Cursor(&[0x80]).number().is_err(), "cut short");
    }
}
