//! TLS as nodes and clients speak it: version 1.3 only, and nothing of one connection is of use to the next.

use super::authority::NodeCertificate;
use super::{TrustError, alpn};
use rustls::client::Resumption;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;
use rustls::server::WebPkiClientVerifier;
use rustls::version::TLS13;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use std::sync::Arc;

/// All configurations of a node under the secrets it accepts.
pub(super) struct Configs {
    pub node_client: Arc<ClientConfig>,
    pub node_server: Arc<ServerConfig>,
    pub rpc_server: Arc<ServerConfig>,
}

impl Configs {
    /// `authorities`: of the accepted secrets. `mine`: minted under the current one.
    pub fn new(authorities: &[CertificateDer<'static>], mine: &NodeCertificate) -> Result<Configs, TrustError> {
        // Named here: the process-wide default is nobody's to rely on.
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut roots = RootCertStore::empty();
        for authority in authorities {
            roots.add(authority.clone())?;
        }
        let roots = Arc::new(roots);
        Ok(Configs {
            node_client: Arc::new(node_client(&provider, roots.clone(), mine)?),
            node_server: Arc::new(node_server(&provider, roots, mine)?),
            rpc_server: Arc::new(rpc_server(&provider, mine)?),
        })
    }
}

fn node_client(
    provider: &Arc<CryptoProvider>,
    roots: Arc<RootCertStore>,
    mine: &NodeCertificate,
) -> Result<ClientConfig, TrustError> {
    let mut config = ClientConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&[&TLS13])?
        .with_root_certificates(roots)
        .with_client_auth_cert(vec![mine.certificate.clone()], mine.key.clone_key())?;
    config.alpn_protocols = vec![alpn::NODE.to_vec()];
    // A resumed session would outlive the secret it was trusted under.
    config.resumption = Resumption::disabled();
    Ok(config)
}

fn node_server(
    provider: &Arc<CryptoProvider>,
    roots: Arc<RootCertStore>,
    mine: &NodeCertificate,
) -> Result<ServerConfig, TrustError> {
    let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider.clone()).build()?;
    let config = ServerConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&[&TLS13])?
        .with_client_cert_verifier(verifier)
        .with_single_cert(vec![mine.certificate.clone()], mine.key.clone_key())?;
    Ok(serving(config, alpn::NODE))
}

fn rpc_server(provider: &Arc<CryptoProvider>, mine: &NodeCertificate) -> Result<ServerConfig, TrustError> {
    let config = ServerConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&[&TLS13])?
        .with_no_client_auth()
        .with_single_cert(vec![mine.certificate.clone()], mine.key.clone_key())?;
    Ok(serving(config, alpn::RPC))
}

fn serving(mut config: ServerConfig, protocol: &[u8]) -> ServerConfig {
    config.alpn_protocols = vec![protocol.to_vec()];
    config.send_tls13_tickets = 0;
    config.session_storage = Arc::new(rustls::server::NoServerSessionStorage {});
    config
}
