//! The secrets a node works under just now.

use super::authority::Authority;
use super::file::{self, Secrets};
use super::rotation::{FollowError, Rotation};
use super::secret::Purpose;
use super::tls::Configs;
use super::{KeyId, Secret, TrustError, alpn, sealed};
use rustls::{ClientConfig, ServerConfig};
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use tokio::sync::watch;

/// The current secret, under which a node speaks, and those it still or already accepts from others; with whom knows no
/// other it speaks under those.
///
/// Clones share one: [`Keyring::replace`] changes it for all, and connections made from then on go by it.
#[derive(Clone)]
pub struct Keyring {
    held: Arc<RwLock<Arc<Held>>>,
    drops: Arc<watch::Sender<u64>>,
}

struct Held {
    secrets: Secrets,
    ca_pem: String,
    configs: Configs,
}

impl Held {
    fn new(mut secrets: Secrets) -> Result<Held, TrustError> {
        let Secrets { current, accepted, .. } = &mut secrets;
        accepted.retain(|secret| secret != current);
        let (mut certificates, mut ca_pem) = (Vec::new(), String::new());
        for secret in std::iter::once(&*current).chain(&*accepted) {
            let authority = Authority::of(secret)?;
            ca_pem += &authority.pem();
            certificates.push((authority.certificate(), authority.mint()?));
        }
        let configs = Configs::new(&certificates)?;
        Ok(Held { ca_pem, configs, secrets })
    }

    fn all(&self) -> impl Iterator<Item = &Secret> {
        std::iter::once(&self.secrets.current).chain(&self.secrets.accepted)
    }
}

impl Keyring {
    /// Under one secret.
    pub fn new(current: Secret) -> Result<Keyring, TrustError> {
        Keyring::holding(Secrets::new(current, Vec::new()))
    }

    /// Under what a file holds; a change of secrets goes there too.
    pub fn holding(secrets: Secrets) -> Result<Keyring, TrustError> {
        let held = Arc::new(Held::new(secrets)?);
        Ok(Keyring { held: Arc::new(RwLock::new(held)), drops: Arc::new(watch::Sender::new(0)) })
    }

    /// The same, which accepts these as well. Clones made before see it too.
    pub fn with_accepted(self, also: Vec<Secret>) -> Result<Keyring, TrustError> {
        let secrets = self.secrets();
        self.replace(secrets.current, secrets.accepted.into_iter().chain(also).collect())?;
        Ok(self)
    }

    /// From now on these; no file is written. When it fails, nothing has changed.
    pub fn replace(&self, current: Secret, accepted: Vec<Secret>) -> Result<(), TrustError> {
        self.hold(Held::new(self.secrets().with(current, accepted))?);
        Ok(())
    }

    /// Is there a step to follow?
    pub fn is_behind(&self, rotation: &Rotation) -> Result<bool, FollowError> {
        Ok(rotation.wants(&self.secrets())?.is_some())
    }

    /// Goes a step with its cluster: on disk first, then here. True: what it holds has changed, and what is kept sealed
    /// under the current secret is to be sealed anew.
    pub fn follow(&self, rotation: &Rotation) -> Result<bool, FollowError> {
        let Some(wanted) = rotation.wants(&self.secrets())? else { return Ok(false) };
        let held = Held::new(wanted)?;
        if let Some(path) = &held.secrets.file {
            file::save(path, &held.secrets)?;
        }
        self.hold(held);
        Ok(true)
    }

    fn hold(&self, held: Held) {
        let held = Arc::new(held);
        let before = std::mem::replace(&mut *self.held.write().unwrap_or_else(PoisonError::into_inner), held.clone());
        if before.all().any(|old| held.all().all(|kept| kept != old)) {
            self.drops.send_modify(|drops| *drops += 1);
        }
    }

    /// Tells when a secret is held no more: links that were trusted under it are to be made anew.
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.drops.subscribe()
    }

    /// The secret in use.
    pub fn current(&self) -> Secret {
        self.held().secrets.current.clone()
    }

    /// All that is held.
    pub fn secrets(&self) -> Secrets {
        self.held().secrets.clone()
    }

    /// Keys for datagrams: the current secret's first, then those accepted.
    pub fn gossip_keys(&self) -> Vec<(KeyId, [u8; 32])> {
        self.held().all().map(|secret| (secret.key_id(), secret.derive(Purpose::Gossip))).collect()
    }

    /// For dialling a node: checks that it is one, and shows that we are.
    pub fn node_client(&self) -> Arc<ClientConfig> {
        self.held().configs.node_client.clone()
    }

    /// For a node that dials: it must show a certificate of an accepted secret.
    pub fn node_server(&self) -> Arc<ServerConfig> {
        self.held().configs.node_server.clone()
    }

    /// For clients, who check our certificate against [`Keyring::ca_pem`].
    pub fn rpc_server(&self) -> Arc<ServerConfig> {
        self.held().configs.rpc_server.clone()
    }

    /// The configuration for what a caller asks to speak, by the protocols (ALPN) it names; `None`: nothing of ours.
    ///
    /// Asked before the handshake: rustls itself lets a caller in who names no protocol at all.
    pub fn server_for<'a>(&self, mut offered: impl Iterator<Item = &'a [u8]>) -> Option<(Spoken, Arc<ServerConfig>)> {
        offered.find_map(|protocol| match protocol {
            alpn::NODE => Some((Spoken::Node, self.node_server())),
            alpn::RPC => Some((Spoken::Rpc, self.rpc_server())),
            _ => None,
        })
    }

    /// The certificate clients trust: of the current secret, then of those accepted, so that a client that has them all
    /// lives through a rotation. They are no secret.
    pub fn ca_pem(&self) -> String {
        self.held().ca_pem.clone()
    }

    /// Seals a key for keeping, under the current secret.
    pub fn wrap(&self, plain: &[u8]) -> Vec<u8> {
        sealed::wrap(&self.held().secrets.current, plain)
    }

    /// Opens what was sealed under the current secret or an accepted one.
    pub fn unwrap(&self, sealed: &[u8]) -> Result<Vec<u8>, TrustError> {
        sealed::unwrap(self.held().all(), sealed)
    }

    fn held(&self) -> Arc<Held> {
        self.held.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// What a TLS connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spoken {
    Node,
    Rpc,
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let secrets = self.secrets();
        f.debug_struct("Keyring").field("current", &secrets.current).field("accepted", &secrets.accepted).finish()
    }
}
