//! RFC 6238 over RFC 4226: six digits from a secret and the time, as authenticator apps make them.

use hmac::{Hmac, Mac};
use sha1::Sha1;

pub const PERIOD_SECS: u64 = 30;
pub const DIGITS: u32 = 6;
/// RFC 4226 recommends 160 bits.
pub const SECRET_BYTES: usize = 20;

/// The code of a step: Unix seconds divided by the period.
pub fn code(secret: &[u8], step: u64, digits: u32) -> String {
    let mut mac = Hmac::<Sha1>::new_from_slice(secret).expect("HMAC takes keys of any length");
    mac.update(&step.to_be_bytes());
    let hash = mac.finalize().into_bytes();
    let at = usize::from(hash[19] & 0xf);
    let bits = u32::from_be_bytes([hash[at] & 0x7f, hash[at + 1], hash[at + 2], hash[at + 3]]);
    format!("{:0width$}", u64::from(bits) % 10_u64.pow(digits), width = digits as usize)
}

/// RFC 4648 base 32 without padding, which apps do not want.
pub fn base32(bytes: &[u8]) -> String {
    const SIGNS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let part = |chunk: &[u8]| {
        let mut five = [0; 8];
        five[3..3 + chunk.len()].copy_from_slice(chunk);
        let bits = u64::from_be_bytes(five);
        let len = (chunk.len() * 8).div_ceil(5);
        (0..len).map(|n| char::from(SIGNS[(bits >> (35 - 5 * n) & 0x1f) as usize])).collect::<String>()
    };
    bytes.chunks(5).map(part).collect()
}

/// As apps read it from a QR code.
pub fn uri(issuer: &str, account: &str, secret: &str) -> String {
    let (issuer, account) = (escaped(issuer), escaped(account));
    let (label, named) = match issuer.as_str() {
        "" => (account, String::new()),
        issuer => (format!("{issuer}:{account}"), format!("&issuer={issuer}")),
    };
    format!("otpauth://totp/{label}?secret={secret}{named}&algorithm=SHA1&digits={DIGITS}&period={PERIOD_SECS}")
}

/// RFC 3986: all but the unreserved signs.
fn escaped(text: &str) -> String {
    let sign = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(sign).collect()
}
