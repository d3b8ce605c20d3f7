//! Which entity a call is about.

use super::Inner;
use crate::call::Call;
use hmac::{Hmac, Mac};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use sdk::{Error, Key};
use sha2::Sha256;
use std::sync::Arc;
use wire::error::reasons;
use wire::rpc::RequestId;

/// Longest key of an entity, in bytes.
const ENTITY_BYTES_MAX: usize = 1024;

impl Inner {
    /// The entity's name; a new one is the same at every retry of the call (P12).
    pub(super) fn entity(&self, call: &Call) -> Result<Arc<str>, Error> {
        match (call.endpoint.key_of)(&call.body)? {
            Key::Entity(key) if key.len() > ENTITY_BYTES_MAX => {
                Err(reasons::BAD_BODY.refuse(format!("{}: over {ENTITY_BYTES_MAX} bytes", call.endpoint.key)))
            }
            Key::Entity(key) => Ok(key.into()),
            Key::New => Ok(self.new_id(call).into()),
            Key::None => Ok("".into()),
        }
    }

    fn new_id(&self, call: &Call) -> String {
        let id = match &call.request_id {
            RequestId::None => return sdk::runtime::uuid(StdRng::from_os_rng().random()),
            RequestId::Caller(id) => format!("c{id}"),
            RequestId::Session { client, n, .. } => format!("s{client:032x}{n}"),
        };
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.founded.data_key).expect("HMAC takes keys of any length");
        for part in [call.account.as_ref(), call.endpoint.service, call.endpoint.name, &id] {
            mac.update(&(part.len() as u32).to_le_bytes());
            mac.update(part.as_bytes());
        }
        let bytes = mac.finalize().into_bytes();
        sdk::runtime::uuid(bytes[..16].try_into().expect("SHA-256 has 32 bytes"))
    }
}
