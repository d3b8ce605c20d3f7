//! TLS as nodes and clients speak it: version 1.3 only, and nothing of one connection is of use to the next.
//!
//! While a cluster changes its secret a node has a certificate under each it holds. Both sides of a handshake say which
//! authorities they trust, and are shown one of those, if there is one: so nodes and clients that know only the old secret,
//! or already only the new one, are spoken to as well.

use super::authority::NodeCertificate;
use super::{TrustError, alpn};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ResolvesClientCert, Resumption, WebPkiServerVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::{ClientHello, ResolvesServerCert, WebPkiClientVerifier};
use rustls::sign::CertifiedKey;
use rustls::version::TLS13;
use rustls::{ClientConfig, DigitallySignedStruct, DistinguishedName, RootCertStore, ServerConfig, SignatureScheme};
use std::sync::Arc;

/// All configurations of a node under the secrets it holds.
pub(super) struct Configs {
    pub node_client: Arc<ClientConfig>,
    pub node_server: Arc<ServerConfig>,
    pub rpc_server: Arc<ServerConfig>,
}

impl Configs {
    /// Of each secret the authority's certificate and one minted under it; the current secret's first.
    pub fn new(held: &[(CertificateDer<'static>, NodeCertificate)]) -> Result<Configs, TrustError> {
        // Named here: the process-wide default is nobody's to rely on.
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let (mut roots, mut own) = (RootCertStore::empty(), Vec::new());
        for (authority, minted) in held {
            roots.add(authority.clone())?;
            let key = minted.key.clone_key();
            own.push(Arc::new(CertifiedKey::from_der(vec![minted.certificate.clone()], key, &provider)?));
        }
        let shown = Shown(roots.subjects().into_iter().zip(own).collect());
        let (roots, shown) = (Arc::new(roots), Arc::new(shown));
        Ok(Configs {
            node_client: Arc::new(node_client(&provider, roots.clone(), shown.clone())?),
            node_server: Arc::new(node_server(&provider, roots, shown.clone())?),
            rpc_server: Arc::new(rpc_server(&provider, shown)?),
        })
    }
}

fn node_client(
    provider: &Arc<CryptoProvider>,
    roots: Arc<RootCertStore>,
    shown: Arc<Shown>,
) -> Result<ClientConfig, TrustError> {
    let trusted = roots.subjects();
    let verifier = WebPkiServerVerifier::builder_with_provider(roots, provider.clone()).build()?;
    let mut config = ClientConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&[&TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Hinting { verifier, trusted }))
        .with_client_cert_resolver(shown);
    config.alpn_protocols = vec![alpn::NODE.to_vec()];
    // A resumed session would outlive the secret it was trusted under.
    config.resumption = Resumption::disabled();
    Ok(config)
}

fn node_server(
    provider: &Arc<CryptoProvider>,
    roots: Arc<RootCertStore>,
    shown: Arc<Shown>,
) -> Result<ServerConfig, TrustError> {
    let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider.clone()).build()?;
    let config = ServerConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&[&TLS13])?
        .with_client_cert_verifier(verifier)
        .with_cert_resolver(shown);
    Ok(serving(config, alpn::NODE))
}

fn rpc_server(provider: &Arc<CryptoProvider>, shown: Arc<Shown>) -> Result<ServerConfig, TrustError> {
    let config = ServerConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&[&TLS13])?
        .with_no_client_auth()
        .with_cert_resolver(shown);
    Ok(serving(config, alpn::RPC))
}

fn serving(mut config: ServerConfig, protocol: &[u8]) -> ServerConfig {
    config.alpn_protocols = vec![protocol.to_vec()];
    config.send_tls13_tickets = 0;
    config.session_storage = Arc::new(rustls::server::NoServerSessionStorage {});
    config
}

/// Our certificates, each with the name of its authority.
#[derive(Debug)]
struct Shown(Vec<(DistinguishedName, Arc<CertifiedKey>)>);

impl Shown {
    /// The first one the other side trusts. Without any it gets the current one, and refuses it by name.
    fn choose(&self, trusts: impl Fn(&[u8]) -> bool) -> Option<Arc<CertifiedKey>> {
        let trusted = self.0.iter().find(|(authority, _)| trusts(authority.as_ref()));
        trusted.or(self.0.first()).map(|(_, own)| own.clone())
    }
}

impl ResolvesClientCert for Shown {
    fn resolve(&self, trusted: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.choose(|authority| trusted.contains(&authority))
    }

    fn has_certs(&self) -> bool {
        true
    }
}

impl ResolvesServerCert for Shown {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let trusted = hello.certificate_authorities().unwrap_or_default();
        self.choose(|authority| trusted.iter().any(|name| name.as_ref() == authority))
    }
}

/// The usual verifier; it also tells the server whom we trust, which the usual one does not.
#[derive(Debug)]
struct Hinting {
    verifier: Arc<WebPkiServerVerifier>,
    trusted: Vec<DistinguishedName>,
}

impl ServerCertVerifier for Hinting {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        self.verifier.verify_server_cert(certificate, intermediates, name, ocsp, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verifier.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verifier.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }

    fn root_hint_subjects(&self) -> Option<&[DistinguishedName]> {
        Some(&self.trusted)
    }
}
