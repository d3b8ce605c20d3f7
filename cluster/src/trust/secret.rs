//! The one secret of a cluster, and the keys that come of it.

use rand::TryRngCore;
use ring::hkdf;
use serde::{Deserialize, Serialize};
use std::fmt;

const PREFIX: &str = "cms_";
const KEY_HEX: usize = 64;
const CHECK_HEX: usize = 8;

/// What whoever holds may be a node of the cluster: 32 random bytes.
///
/// Written as `cms_`, 64 hexadecimal digits and 8 more that tell typos. It is never shown by `Debug`, nor by any error.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret([u8; 32]);

/// Names a secret without telling it: goes in the clear before what is sealed, so that a receiver knows which key fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct KeyId(pub u32);

/// What is wrong with a secret's text. None of them repeats the text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    #[error("a cluster secret begins with cms_: what was given does not (a token, cmn_…, is none)")]
    Prefix,
    #[error(
        "a cluster secret has 72 digits after cms_, and this one has {0}: part of it is missing, or there is too much"
    )]
    Length(usize),
    #[error("character {0} of the secret is no hexadecimal digit (0-9, a-f)")]
    Digit(usize),
    #[error("the secret's last 8 digits do not fit the others: one of them is mistyped")]
    Check,
}

/// What a derived key is for. Two purposes never share a key.
#[derive(Clone, Copy, Debug)]
pub(super) enum Purpose {
    KeyId,
    Gossip,
    Authority,
    Wrap,
}

impl Purpose {
    /// Part of the format: another label is another cluster.
    fn label(self) -> &'static [u8] {
        match self {
            Purpose::KeyId => b"key id",
            Purpose::Gossip => b"gossip",
            Purpose::Authority => b"certificate authority",
            Purpose::Wrap => b"wrap",
        }
    }
}

impl Secret {
    /// A new one, from the operating system's randomness.
    pub fn random() -> Secret {
        let mut bytes = [0; 32];
        rand::rngs::OsRng.try_fill_bytes(&mut bytes).expect("the operating system has random bytes");
        Secret(bytes)
    }

    /// Reads its text; blanks around it are no part of it.
    pub fn parse(text: &str) -> Result<Secret, SecretError> {
        let digits = text.trim().strip_prefix(PREFIX).ok_or(SecretError::Prefix)?;
        if let Some(at) = digits.chars().position(|digit| !digit.is_ascii_hexdigit()) {
            return Err(SecretError::Digit(PREFIX.len() + at + 1));
        }
        if digits.len() != KEY_HEX + CHECK_HEX {
            return Err(SecretError::Length(digits.len()));
        }
        let mut bytes = [0; (KEY_HEX + CHECK_HEX) / 2];
        for (byte, pair) in bytes.iter_mut().zip(digits.as_bytes().chunks(2)) {
            *byte = pair.iter().fold(0, |byte, &digit| byte << 4 | nibble(digit));
        }
        let (key, check) = bytes.split_at(KEY_HEX / 2);
        if crc32fast::hash(key).to_be_bytes() != check {
            return Err(SecretError::Check);
        }
        let mut secret = [0; 32];
        secret.copy_from_slice(key);
        Ok(Secret(secret))
    }

    /// Its text: for the file, and for whoever asks to see it. Never for a log.
    pub fn text(&self) -> String {
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        format!("{PREFIX}{}{}", hex(&self.0), hex(&crc32fast::hash(&self.0).to_be_bytes()))
    }

    /// Its name.
    pub fn key_id(&self) -> KeyId {
        let [a, b, c, d, ..] = self.derive(Purpose::KeyId);
        KeyId(u32::from_be_bytes([a, b, c, d]))
    }

    pub(super) fn derive(&self, purpose: Purpose) -> [u8; 32] {
        let salt = hkdf::Salt::new(hkdf::HKDF_SHA256, b"commons cluster secret, version 1");
        let mut key = [0; 32];
        // 32 bytes are what HKDF-SHA256 gives in one block: there is no length for it to refuse.
        let label = [purpose.label()];
        let derived = salt.extract(&self.0);
        derived
            .expand(&label, hkdf::HKDF_SHA256)
            .and_then(|bytes| bytes.fill(&mut key))
            .expect("32 bytes of HKDF-SHA256");
        key
    }
}

/// Of a digit that was checked to be one.
fn nibble(digit: u8) -> u8 {
    (digit as char).to_digit(16).unwrap_or_default() as u8
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({})", self.key_id())
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_read_back_and_typos_are_told() {
        let secret = Secret([0xa5; 32]);
        let text = secret.text();
        assert_eq!((text.len(), Secret::parse(&format!(" {text}\n")).unwrap()), (76, secret));
        assert_eq!(Secret::parse(&text.to_uppercase().replace("CMS_", "cms_")).unwrap().text(), text);
        let (digit, last) = (text.replacen('a', "b", 1), text[..75].to_string() + "g");
        for (typed, told) in [
            ("", SecretError::Prefix),
            ("cmn_0123456789abcdef", SecretError::Prefix),
            (&text[1..], SecretError::Prefix),
            (&text[..75], SecretError::Length(71)),
            (&(text.clone() + "0"), SecretError::Length(73)),
            (&last, SecretError::Digit(76)),
            (&text.replacen('5', "ü", 1), SecretError::Digit(6)),
            (&digit, SecretError::Check),
        ] {
            assert_eq!(Secret::parse(typed), Err(told), "{typed}");
        }
    }

    #[test]
    fn purposes_and_secrets_share_no_key() {
        let purposes = [Purpose::KeyId, Purpose::Gossip, Purpose::Authority, Purpose::Wrap];
        let secrets = [Secret([1; 32]), Secret([2; 32])];
        let keys: std::collections::BTreeSet<_> =
            secrets.iter().flat_map(|secret| purposes.map(|purpose| secret.derive(purpose))).collect();
        assert_eq!(keys.len(), 8);
        assert_ne!(Secret::random(), Secret::random());
    }

    #[test]
    fn what_was_derived_once_is_derived_for_ever() {
        // A release that changes this cannot talk to the one before it, nor open what that one sealed.
        let secret = Secret([7; 32]);
        assert_eq!(secret.key_id().to_string(), "3dc6db06");
        let [gossip, authority, wrap] = [Purpose::Gossip, Purpose::Authority, Purpose::Wrap];
        let checks = [gossip, authority, wrap].map(|purpose| crc32fast::hash(&secret.derive(purpose)));
        assert_eq!(checks, [3_259_855_726, 2_360_177_853, 2_848_967_357]);
    }

    #[test]
    fn debug_shows_its_name_and_nothing_of_it() {
        let secret = Secret::random();
        assert_eq!(format!("{secret:?}"), format!("Secret({})", secret.key_id()));
        assert!(!secret.text().contains(&secret.key_id().to_string()));
    }
}
