//! How the packed file is written and read: one column after the other, since like beside like is small once deflated.

use thiserror::Error;

/// The packed file is not what this program wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the packed places are damaged: {0}")]
pub struct Damaged(pub &'static str);

#[derive(Default)]
pub struct Writer(pub Vec<u8>);

impl Writer {
    /// Seven bits a byte, the lowest first.
    pub fn number(&mut self, mut n: u32) {
        while n >= 0x80 {
            self.0.push(n as u8 | 0x80);
            n >>= 7;
        }
        self.0.push(n as u8);
    }

    pub fn text(&mut self, text: &str) {
        self.number(u32::try_from(text.len()).expect("a name is short"));
        self.0.extend_from_slice(text.as_bytes());
    }

    /// All lowest bytes, then all second ones, …: the high ones hardly differ.
    pub fn planes(&mut self, values: &[u32], bytes: usize) {
        for byte in 0..bytes {
            self.0.extend(values.iter().map(|value| value.to_le_bytes()[byte]));
        }
        debug_assert!(values.iter().all(|value| bytes == 4 || *value >> (8 * bytes) == 0));
    }
}

pub struct Reader<'a> {
    left: &'a [u8],
}

impl<'a> Reader<'a> {
    pub fn new(bytes: &'a [u8]) -> Reader<'a> {
        Reader { left: bytes }
    }

    pub fn bytes(&mut self, count: usize) -> Result<&'a [u8], Damaged> {
        let (taken, left) = self.left.split_at_checked(count).ok_or(Damaged("it ends early"))?;
        self.left = left;
        Ok(taken)
    }

    pub fn number(&mut self) -> Result<u32, Damaged> {
        let mut n = 0_u64;
        for shift in (0..35).step_by(7) {
            let byte = self.bytes(1)?[0];
            n |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return u32::try_from(n).map_err(|_| Damaged("a number over 32 bits"));
            }
        }
        Err(Damaged("a number over 32 bits"))
    }

    /// How many things follow, each at least one byte long: no more memory is asked for than the file can fill.
    pub fn count(&mut self) -> Result<usize, Damaged> {
        let count = self.number()? as usize;
        if count > self.left.len() { Err(Damaged("a count beyond its end")) } else { Ok(count) }
    }

    pub fn text(&mut self) -> Result<&'a str, Damaged> {
        let length = self.number()? as usize;
        str::from_utf8(self.bytes(length)?).map_err(|_| Damaged("a name that is no UTF-8"))
    }

    pub fn planes(&mut self, count: usize, bytes: usize) -> Result<Vec<u32>, Damaged> {
        let mut values = vec![0; count];
        for byte in 0..bytes {
            for (value, part) in values.iter_mut().zip(self.bytes(count)?) {
                *value |= u32::from(*part) << (8 * byte);
            }
        }
        Ok(values)
    }

    pub fn is_empty(&self) -> bool {
        self.left.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let (numbers, values) = ([0, 1, 127, 128, 300, u32::MAX], [0, 255, 256, 0xff_ffff]);
        let mut writer = Writer::default();
        numbers.iter().for_each(|n| writer.number(*n));
        writer.text("Ünï");
        writer.planes(&values, 3);
        let mut reader = Reader::new(&writer.0);
        for n in numbers {
            assert_eq!(reader.number(), Ok(n));
        }
        assert_eq!(reader.text(), Ok("Ünï"));
        assert_eq!(reader.planes(values.len(), 3).unwrap(), values);
        assert!(reader.is_empty() && reader.bytes(1).is_err());
    }

    #[test]
    fn numbers_and_texts_that_nobody_wrote() {
        assert_eq!(Reader::new(&[0xff; 5]).number(), Err(Damaged("a number over 32 bits")));
        assert_eq!(Reader::new(&[0xff, 0xff, 0xff, 0xff, 0x1f]).number(), Err(Damaged("a number over 32 bits")));
        assert_eq!(Reader::new(&[0x80]).number(), Err(Damaged("it ends early")));
        assert_eq!(Reader::new(&[2, 0xff, 0xff]).text(), Err(Damaged("a name that is no UTF-8")));
        assert_eq!(Reader::new(&[9, 0]).count(), Err(Damaged("a count beyond its end")));
    }
}
