//! ULID: 48 bits of milliseconds, 80 of chance, in Crockford's base 32.

use super::{MS, Parts, radix};

const CHANCE_BITS: u32 = 80;
const CHANCE_MAX: u128 = (1 << CHANCE_BITS) - 1;

/// Within a millisecond `random` stays and `n` counts: the spec's monotonic ids. `None` also when the 80 bits are full.
pub fn encode(at_ms: u64, random: u128, n: u64) -> Option<String> {
    let chance = (random & CHANCE_MAX) + u128::from(n);
    if at_ms >= 1 << 48 || chance > CHANCE_MAX {
        return None;
    }
    Some(radix::write(u128::from(at_ms) << CHANCE_BITS | chance, 26, radix::CROCKFORD))
}

/// 26 digits hold 130 bits: those above `7ZZ…` are no ULID.
pub fn decode(text: &str) -> Option<Parts> {
    if !text.starts_with(|first| ('0'..='7').contains(&first)) {
        return None;
    }
    let value = radix::read(&text.to_ascii_uppercase(), 26, radix::CROCKFORD)?;
    Some(Parts::at((value >> CHANCE_BITS) as i128 * MS))
}
