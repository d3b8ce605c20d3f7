//! shortid: eight signs of milliseconds since 2016, one of the worker, then a count if the millisecond was used before.
//!
//! A sign has 6 bits. In the first nine, five of them tell something and the sixth is drawn: each value has two signs. The
//! alphabet is shuffled once and for all, the same on each node: workers are then apart for certain, and any node reads
//! what any other made. (An alphabet of each node's own would do away with both.)

use super::{MS, Parts};

const ALPHABET: &[u8; 64] = b"psoC6aJzDKRGuF92vAdPU3-cEeIiMjwtnkVXTb71LQhq_8yl5gHOYZxfrmBNW04S";
/// 2016-01-01T00:00:00Z in Unix milliseconds.
const EPOCH_MS: u64 = 1_451_606_400_000;
/// Of one millisecond: the count has two signs at most.
pub const PER_MS: u64 = 1 << 12;
const HEAD: usize = 9;

/// `random`: nine bits of it are used.
pub fn encode(at_ms: u64, worker: u16, n: u64, random: u16) -> Option<String> {
    let ms = at_ms.checked_sub(EPOCH_MS).filter(|ms| *ms < 1 << 40)?;
    if n >= PER_MS {
        return None;
    }
    let head = ms | u64::from(worker % 32) << 40;
    let drawn = |sign: usize| u64::from(random >> sign & 1) << 5;
    let mut signs: Vec<u64> = (0..HEAD).map(|sign| head >> (5 * sign) & 0x1f | drawn(sign)).collect();
    let mut count = n;
    while count > 0 {
        signs.push(count & 0x3f);
        count >>= 6;
    }
    Some(signs.into_iter().map(|sign| char::from(ALPHABET[sign as usize])).collect())
}

pub fn decode(text: &str) -> Option<Parts> {
    if !(HEAD..=HEAD + 2).contains(&text.len()) {
        return None;
    }
    let sign = |sign: u8| ALPHABET.iter().position(|known| *known == sign).map(|at| at as u64);
    let signs = text.bytes().map(sign).collect::<Option<Vec<u64>>>()?;
    let (head, count) = signs.split_at(HEAD);
    // A count is written as short as it can be, and not at all when it is 0.
    if count.last() == Some(&0) {
        return None;
    }
    let head = head.iter().rev().fold(0, |value, sign| value << 5 | sign & 0x1f);
    let sequence = count.iter().rev().fold(0, |value, sign| value << 6 | sign);
    let ms = EPOCH_MS + (head & ((1 << 40) - 1));
    Some(Parts { time_ns: Some(i128::from(ms) * MS), worker: head >> 40, sequence })
}
