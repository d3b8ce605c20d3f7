//! Who is of this cluster: one secret, and all that follows from it (P19, DESIGN §4.15).
//!
//! Every node derives the same certificate authority from the secret and mints itself a certificate at each start. So
//! whoever holds the secret can be a node, whoever holds the authority's certificate can tell a node from a stranger, and
//! nothing has to be handed out, renewed or revoked. Names of hosts prove nothing here: every node is [`SERVER_NAME`].
//!
//! Absent on purpose: a revocation list, and end dates that matter. Trust ends when the secret is replaced.

mod authority;
pub mod file;
mod keyring;
pub mod rotation;
mod sealed;
mod secret;
mod tls;

pub use keyring::{Keyring, Spoken};
pub use secret::{KeyId, Secret, SecretError};

/// The name in every node's certificate.
pub const SERVER_NAME: &str = "commons";

/// What a TLS connection is for, told in its first message.
pub mod alpn {
    /// Another node: both sides show a certificate.
    pub const NODE: &[u8] = b"commons-node/1";
    /// A client: it checks ours, and shows a token inside.
    pub const RPC: &[u8] = b"commons-rpc/1";
}

/// Why keys or certificates could not be made or used.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    #[error("making a certificate: {0}")]
    Certificate(rcgen::Error),
    #[error("setting up TLS: {0}")]
    Tls(#[from] rustls::Error),
    #[error("setting up TLS: {0}")]
    Verifier(#[from] rustls::server::VerifierBuilderError),
    #[error("what should be sealed under the cluster's secret is too short to be")]
    NotSealed,
    #[error(
        "it is sealed under the secret {0}, which this node does not hold: give it the cluster's secret (`commons secret show` on a node that works)"
    )]
    OtherSecret(KeyId),
    #[error("it is sealed under the secret {0}, and does not open: it was altered, or damaged")]
    Altered(KeyId),
}

#[cfg(test)]
mod tests;
