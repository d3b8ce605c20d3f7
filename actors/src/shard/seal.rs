//! Kept replies of sensitive endpoints: on disk and in the log only as ciphertext.

use aes_gcm_siv::aead::{Aead, KeyInit, Payload};
use aes_gcm_siv::{Aes256GcmSiv, Key, Nonce};
use hmac::{Hmac, Mac};
use sdk::Error;
use sha2::Sha256;
use wire::error::reasons;

const NONCE_BYTES: usize = 12;

/// Seals under a key made of the cluster's own: whoever gets rows or log without that key learns nothing.
pub(super) struct Seal {
    cipher: Aes256GcmSiv,
    hash_key: [u8; 32],
}

impl Seal {
    pub(super) fn new(cluster_key: &[u8; 32]) -> Seal {
        let key = derive(cluster_key, b"kept reply");
        Seal {
            cipher: Aes256GcmSiv::new(Key::<Aes256GcmSiv>::from_slice(&key)),
            hash_key: derive(cluster_key, b"payload"),
        }
    }

    /// `place`: the key of the row; elsewhere it does not open. The cipher survives a nonce that comes twice.
    pub(super) fn seal(&self, place: &[u8], plain: &[u8], nonce: [u8; NONCE_BYTES]) -> Vec<u8> {
        let sealed = self.cipher.encrypt(Nonce::from_slice(&nonce), Payload { msg: plain, aad: place });
        [&nonce[..], &sealed.expect("replies are far below the cipher's 64 GiB")].concat()
    }

    pub(super) fn open(&self, place: &[u8], sealed: &[u8]) -> Result<Vec<u8>, Error> {
        let opened = sealed.split_first_chunk::<NONCE_BYTES>().and_then(|(nonce, sealed)| {
            self.cipher.decrypt(Nonce::from_slice(nonce), Payload { msg: sealed, aad: place }).ok()
        });
        opened.ok_or_else(|| reasons::STORAGE.refuse("a kept reply was sealed under another key"))
    }

    /// For what is too short to be hashed plainly: without the key nobody can try all values.
    pub(super) fn keyed_hash(&self) -> Hmac<Sha256> {
        Mac::new_from_slice(&self.hash_key).expect("HMAC takes keys of any length")
    }
}

fn derive(cluster_key: &[u8; 32], purpose: &[u8]) -> [u8; 32] {
    let mut mac: Hmac<Sha256> = Mac::new_from_slice(cluster_key).expect("HMAC takes keys of any length");
    mac.update(purpose);
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_opens_in_its_place_under_its_key_and_whole() {
        let (seal, other) = (Seal::new(&[1; 32]), Seal::new(&[2; 32]));
        let sealed = seal.seal(b"here", b"483 920", [9; 12]);
        assert_eq!(seal.open(b"here", &sealed).unwrap(), b"483 920");
        assert!(!sealed.windows(3).any(|part| part == b"483"));
        for broken in [
            seal.open(b"there", &sealed),
            other.open(b"here", &sealed),
            seal.open(b"here", &sealed[1..]),
            seal.open(b"here", b""),
        ] {
            assert!(broken.unwrap_err().is(&reasons::STORAGE));
        }
    }
}
