//! KSUID: 32 bits of seconds since May 2014 and 128 of chance, as one number of 160 bits in base 62.

use super::{Parts, SECOND, radix::BASE62};

/// 2014-05-13T16:53:20Z in Unix seconds.
const EPOCH_SECS: u64 = 1_400_000_000;
const LEN: usize = 27;

pub fn encode(at_secs: u64, payload: u128) -> Option<String> {
    let secs = u32::try_from(at_secs.checked_sub(EPOCH_SECS)?).ok()?;
    let mut number = [secs, (payload >> 96) as u32, (payload >> 64) as u32, (payload >> 32) as u32, payload as u32];
    let mut digits = [0; LEN];
    for digit in digits.iter_mut().rev() {
        *digit = BASE62[divide(&mut number) as usize];
    }
    Some(digits.into_iter().map(char::from).collect())
}

pub fn decode(text: &str) -> Option<Parts> {
    if text.len() != LEN {
        return None;
    }
    let mut number = [0; 5];
    for sign in text.bytes() {
        let digit = BASE62.iter().position(|known| *known == sign)?;
        multiply_and_add(&mut number, digit as u32)?;
    }
    Some(Parts::at(i128::from(EPOCH_SECS + u64::from(number[0])) * SECOND))
}

/// Divides the number (32 bits a word, the greatest first) by 62; the remainder.
fn divide(number: &mut [u32; 5]) -> u64 {
    number.iter_mut().fold(0, |rest, word| {
        let part = rest << 32 | u64::from(*word);
        *word = (part / 62) as u32;
        part % 62
    })
}

/// `None` when 160 bits do not hold it.
fn multiply_and_add(number: &mut [u32; 5], digit: u32) -> Option<()> {
    let carry = number.iter_mut().rev().fold(u64::from(digit), |carry, word| {
        let part = u64::from(*word) * 62 + carry;
        *word = part as u32;
        part >> 32
    });
    (carry == 0).then_some(())
}
