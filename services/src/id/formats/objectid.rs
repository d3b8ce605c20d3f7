//! MongoDB's ObjectId: 4 bytes of seconds, 5 of the process that made it, 3 of a counter; in hex.

use super::{Parts, SECOND, radix};

/// `process`: 40 bits; `counter`: begins anywhere, 24 bits.
pub fn encode(at_secs: u64, process: u64, counter: u64) -> Option<String> {
    let secs = u128::from(u32::try_from(at_secs).ok()?);
    let process = u128::from(process & 0xff_ffff_ffff);
    Some(radix::write(secs << 64 | process << 24 | u128::from(counter & 0xff_ffff), 24, radix::HEX))
}

pub fn decode(text: &str) -> Option<Parts> {
    let bits = radix::read(&text.to_ascii_lowercase(), 24, radix::HEX)?;
    Some(Parts {
        time_ns: Some((bits >> 64) as i128 * SECOND),
        worker: (bits >> 24 & 0xff_ffff_ffff) as u64,
        sequence: (bits & 0xff_ffff) as u64,
    })
}
