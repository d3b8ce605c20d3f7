//! What makes a flipped bit or a misdirected read an error: four bytes behind every stored value.
//!
//! The checksum covers the key as well, so a good value found under another key is as damaged as a broken one. Engines
//! store [`seal`]ed values and read through [`Checked`]; none of them makes or checks a sum of its own.

use super::{Error, Order, View};
use bytes::Bytes;
use std::ops::{ControlFlow, Range};

const LEN: usize = 4;

/// The stored form of `value` under `key`.
pub fn seal(key: &[u8], value: &[u8]) -> Bytes {
    let mut stored = Vec::with_capacity(value.len() + LEN);
    seal_into(key, value, &mut stored);
    stored.into()
}

/// As [`seal`], in place of what `stored` held.
pub fn seal_into(key: &[u8], value: &[u8], stored: &mut Vec<u8>) {
    stored.clear();
    stored.extend_from_slice(value);
    stored.extend_from_slice(&sum(key, value).to_be_bytes());
}

/// The value that was stored under `key`.
pub fn open(key: &[u8], mut stored: Bytes) -> Result<Bytes, Error> {
    let damaged = || Error::Damaged { key: key.escape_ascii().to_string() };
    let len = stored.len().checked_sub(LEN).ok_or_else(damaged)?;
    if stored[len..] != sum(key, &stored[..len]).to_be_bytes() {
        return Err(damaged());
    }
    stored.truncate(len);
    Ok(stored)
}

fn sum(key: &[u8], value: &[u8]) -> u32 {
    let mut sum = crc32fast::Hasher::new();
    // The length keeps (key, value) apart from the same bytes split elsewhere.
    sum.update(&(key.len() as u64).to_be_bytes());
    sum.update(key);
    sum.update(value);
    sum.finalize()
}

/// A view of stored rows, read as the values they were made from.
pub struct Checked<V>(pub V);

impl<V: View> View for Checked<V> {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, Error> {
        self.0.get(key)?.map(|stored| open(key, stored)).transpose()
    }

    fn visit(
        &self,
        range: Range<&[u8]>,
        order: Order,
        row: &mut dyn FnMut(Bytes, Bytes) -> ControlFlow<()>,
    ) -> Result<(), Error> {
        if range.is_empty() {
            return Ok(());
        }
        let mut damage = None;
        self.0.visit(range, order, &mut |key, stored| match open(&key, stored) {
            Ok(value) => row(key, value),
            Err(error) => {
                damage = Some(error);
                ControlFlow::Break(())
            }
        })?;
        damage.map_or(Ok(()), Err)
    }
}
