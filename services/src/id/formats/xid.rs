//! xid: 32 bits of seconds, 24 machine, 16 process, 24 counter; 96 bits and four zeros, in base 32 hex.

use super::{Parts, SECOND, radix};

/// `machine`: 24 bits; `counter`: begins anywhere, 24 bits.
pub fn encode(at_secs: u64, machine: u64, process: u16, counter: u64) -> Option<String> {
    let secs = u128::from(u32::try_from(at_secs).ok()?);
    let maker = u128::from(machine & 0xff_ffff) << 16 | u128::from(process);
    let bits = secs << 64 | maker << 24 | u128::from(counter & 0xff_ffff);
    Some(radix::write(bits << 4, 20, radix::HEX32))
}

/// Machine and process are one number.
pub fn decode(text: &str) -> Option<Parts> {
    let bits = radix::read(text, 20, radix::HEX32).filter(|bits| bits & 0xf == 0)? >> 4;
    Some(Parts {
        time_ns: Some((bits >> 64) as i128 * SECOND),
        worker: (bits >> 24 & 0xff_ffff_ffff) as u64,
        sequence: (bits & 0xff_ffff) as u64,
    })
}
