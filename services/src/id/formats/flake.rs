//! Snowflake and bigflake: time, worker and a count within the millisecond, as one decimal number.

use super::{MS, Parts};

/// 2012-01-01T00:00:00Z in Unix milliseconds.
const EPOCH_MS: u64 = 1_325_376_000_000;
/// Snowflakes of one millisecond.
pub const SNOWFLAKES: u64 = 1 << 12;
/// Bigflakes of one millisecond: their sequence begins with 1.
pub const BIGFLAKES: u64 = (1 << 16) - 1;

/// 41 bits of milliseconds since 2012, 10 of the worker, 12 of the sequence, which begins with 0.
pub fn snowflake(at_ms: u64, worker: u16, n: u64) -> Option<u64> {
    let ms = at_ms.checked_sub(EPOCH_MS).filter(|ms| *ms < 1 << 41)?;
    (worker < 1 << 10 && n < SNOWFLAKES).then_some(ms << 22 | u64::from(worker) << 12 | n)
}

/// What a snowflake's number tells.
pub fn of_snowflake(number: u64) -> Option<Parts> {
    let ms = EPOCH_MS + Some(number >> 22).filter(|ms| *ms < 1 << 41)?;
    let (worker, sequence) = (number >> 12 & 0x3ff, number & 0xfff);
    Some(Parts { time_ns: Some(i128::from(ms) * MS), worker, sequence })
}

/// 64 bits of milliseconds since 1970, 48 of the worker, 16 of the sequence, which begins with 1.
pub fn bigflake(at_ms: u64, worker: u64, n: u64) -> Option<u128> {
    let worker = u128::from(worker & 0xffff_ffff_ffff);
    (n < BIGFLAKES).then_some(u128::from(at_ms) << 64 | worker << 16 | u128::from(n + 1))
}

/// What a bigflake's number tells.
pub fn of_bigflake(number: u128) -> Parts {
    Parts {
        time_ns: Some((number >> 64) as i128 * MS),
        worker: (number >> 16 & 0xffff_ffff_ffff) as u64,
        sequence: (number & 0xffff) as u64,
    }
}

/// Only as a number is written: digits, none of them a leading zero.
pub fn decimal<N: std::str::FromStr>(text: &str) -> Option<N> {
    let plain = text.bytes().all(|sign| sign.is_ascii_digit()) && !(text.len() > 1 && text.starts_with('0'));
    plain.then(|| text.parse().ok()).flatten()
}
