//! RFC 9562: versions 4 (chance), 7 (Unix time first) and 1 (time of the Gregorian calendar, clock sequence, node).

use super::{MS, Parts, radix};

/// From 1582-10-15 to 1970, in units of 100 ns.
const GREGORIAN: u64 = 0x01b2_1dd2_1381_4000;
/// Version 1 counts with 60 bits.
const TICKS_MAX: u64 = (1 << 60) - 1;

pub fn v4(random: [u8; 16]) -> String {
    stamped(u128::from_be_bytes(random), 4)
}

/// `count` stands in `rand_a`: ids of one node and millisecond are in order (the RFC's method 1).
pub fn v7(at_ms: u64, count: u64, random: [u8; 16]) -> Option<String> {
    if at_ms >= 1 << 48 || count >= 1 << 12 {
        return None;
    }
    let random = u128::from_be_bytes(random) & ((1 << 62) - 1);
    Some(stamped(u128::from(at_ms) << 80 | u128::from(count) << 64 | random, 7))
}

/// `at_100ns`: since 1970; `sequence`: 14 bits; `node`: 48 bits. The node is no network card's number, which its
/// multicast bit says.
pub fn v1(at_100ns: u64, sequence: u16, node: u64) -> Option<String> {
    let ticks = u128::from(at_100ns.checked_add(GREGORIAN).filter(|ticks| *ticks <= TICKS_MAX)?);
    let (low, mid, high) = (ticks & 0xffff_ffff, ticks >> 32 & 0xffff, ticks >> 48);
    let node = u128::from(node | 1 << 40) & ((1 << 48) - 1);
    Some(stamped(low << 96 | mid << 80 | high << 64 | u128::from(sequence & 0x3fff) << 48 | node, 1))
}

/// Version and variant in their places, then the text.
fn stamped(bits: u128, version: u128) -> String {
    let bits = bits & !(0xf << 76) & !(0b11 << 62) | version << 76 | 0b10 << 62;
    let hex = radix::write(bits, 32, radix::HEX);
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

/// The version and what it tells. Upper case counts as lower, as the RFC asks of readers.
pub fn decode(text: &str) -> Option<(u8, Parts)> {
    let parts: Vec<&str> = text.split('-').collect();
    if !parts.iter().map(|part| part.len()).eq([8, 4, 4, 4, 12]) {
        return None;
    }
    let bits = radix::read(&parts.concat().to_ascii_lowercase(), 32, radix::HEX)?;
    if bits >> 62 & 0b11 != 0b10 {
        return None;
    }
    let version = (bits >> 76 & 0xf) as u8;
    let told = match version {
        7 => Parts::at((bits >> 80) as i128 * MS),
        1 => {
            let ticks = bits >> 96 | (bits >> 80 & 0xffff) << 32 | (bits >> 64 & 0x0fff) << 48;
            let time_ns = (ticks as i128 - i128::from(GREGORIAN)) * 100;
            let (node, sequence) = (bits & ((1 << 48) - 1), bits >> 48 & 0x3fff);
            Parts { time_ns: Some(time_ns), worker: node as u64, sequence: sequence as u64 }
        }
        _ => Parts::default(),
    };
    Some((version, told))
}
