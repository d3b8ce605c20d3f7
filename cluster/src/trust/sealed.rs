//! Keys at rest (P19): what meta keeps is sealed under the secret, so that a copied disk alone opens nothing.
//!
//! `key id (4, big endian) · nonce (12) · sealed bytes · tag (16)`

use super::TrustError;
use super::secret::{KeyId, Purpose, Secret};
use rand::TryRngCore;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

const ID_BYTES: usize = 4;
const HEAD_BYTES: usize = ID_BYTES + NONCE_LEN;

/// Seals a few small keys a cluster's life: random nonces do not come twice.
pub(super) fn wrap(secret: &Secret, plain: &[u8]) -> Vec<u8> {
    let id = secret.key_id().0.to_be_bytes();
    let mut nonce = [0; NONCE_LEN];
    rand::rngs::OsRng.try_fill_bytes(&mut nonce).expect("the operating system has random bytes");
    let mut sealed = plain.to_vec();
    let key = key(secret);
    key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(id), &mut sealed)
        .expect("a key is shorter than what AES-GCM can seal");
    [id.as_slice(), &nonce, &sealed].concat()
}

/// Opens what any of `accepted` sealed.
pub(super) fn unwrap<'a>(mut accepted: impl Iterator<Item = &'a Secret>, sealed: &[u8]) -> Result<Vec<u8>, TrustError> {
    let Some((head, body)) = sealed.split_at_checked(HEAD_BYTES) else { return Err(TrustError::NotSealed) };
    let (id, nonce) = head.split_at(ID_BYTES);
    let id: [u8; ID_BYTES] = id.try_into().map_err(|_| TrustError::NotSealed)?;
    let named = KeyId(u32::from_be_bytes(id));
    let secret = accepted.find(|secret| secret.key_id() == named).ok_or(TrustError::OtherSecret(named))?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| TrustError::NotSealed)?;
    let mut body = body.to_vec();
    let plain = key(secret).open_in_place(nonce, Aad::from(id), &mut body).map_err(|_| TrustError::Altered(named))?;
    Ok(plain.to_vec())
}

fn key(secret: &Secret) -> LessSafeKey {
    let key = UnboundKey::new(&AES_256_GCM, &secret.derive(Purpose::Wrap)).expect("the key has AES-256's 32 bytes");
    LessSafeKey::new(key)
}
