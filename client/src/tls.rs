//! TLS to a cluster whose CA certificate the caller has.

use crate::Error;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, DistinguishedName, RootCertStore, SignatureScheme};
use std::io;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// What is spoken inside, told in the handshake.
const PROTOCOL: &[u8] = b"commons-rpc/1";
/// The name in every node's certificate: the cluster is what is proved, never the host.
const SERVER: &str = "commons";

/// Tells nodes of one cluster from strangers.
#[derive(Clone)]
pub struct Tls(TlsConnector);

impl Tls {
    /// `pem`: what `commons secret ca` prints; several certificates while a cluster changes its secret.
    pub fn new(pem: &str) -> Result<Tls, Error> {
        let bad = |why: String| Error::Unsendable(format!("the cluster's CA certificate cannot be used: {why}"));
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
            let certificate = certificate.map_err(|why| bad(why.to_string()))?;
            roots.add(certificate).map_err(|why| bad(why.to_string()))?;
        }
        if roots.is_empty() {
            return Err(bad("it begins with -----BEGIN CERTIFICATE-----, as `commons secret ca` prints it".into()));
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let trusted = roots.subjects();
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone()).build();
        let verifier = verifier.map_err(|why| bad(why.to_string()))?;
        let config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(|why| bad(why.to_string()))?;
        let checking = config.dangerous().with_custom_certificate_verifier(Arc::new(Hinting { verifier, trusted }));
        let mut config = checking.with_no_client_auth();
        config.alpn_protocols = vec![PROTOCOL.to_vec()];
        Ok(Tls(TlsConnector::from(Arc::new(config))))
    }

    /// Makes sure that a node of the cluster is at the other end.
    pub async fn secure(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        let name = ServerName::try_from(SERVER).map_err(io::Error::other)?;
        self.0.connect(name, stream).await
    }
}

/// Is it the certificate that was wrong?
pub fn is_distrust(error: &io::Error) -> bool {
    let cause = error.get_ref().and_then(|cause| cause.downcast_ref::<rustls::Error>());
    matches!(cause, Some(rustls::Error::InvalidCertificate(_)))
}

/// The usual verifier; it also tells the node which authorities are trusted here, which the usual one does not: while a
/// cluster changes its secret a node has certificates of two.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_certificate_is_named_before_anything_is_sent() {
        for (pem, told) in [
            ("", "begins with"),
            ("cms_0123", "begins with"),
            ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "cannot be used"),
            ("-----BEGIN CERTIFICATE-----\nAAAA", "cannot be used"),
        ] {
            match Tls::new(pem) {
                Err(Error::Unsendable(why)) => assert!(why.contains(told), "{why}"),
                _ => panic!("{pem}"),
            }
        }
    }
}
