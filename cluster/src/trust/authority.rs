//! The certificate authority that every node of a cluster derives alike, and the certificates it mints.

use super::secret::{Purpose, Secret};
use super::{SERVER_NAME, TrustError};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose, PKCS_ED25519, SerialNumber, date_time_ymd,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

/// An Ed25519 key of 32 bytes as PKCS #8 (RFC 8410) has it: this, then the key.
const PKCS8_ED25519: [u8; 16] =
    [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

/// Signs the certificates of a cluster's nodes. The same secret gives the same certificate, byte for byte.
pub(super) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// A node's own certificate and its key: made when the node starts, never on disk.
pub(super) struct NodeCertificate {
    pub certificate: CertificateDer<'static>,
    pub key: PrivateKeyDer<'static>,
}

impl Authority {
    pub fn of(secret: &Secret) -> Result<Authority, TrustError> {
        let pkcs8 = [PKCS8_ED25519.as_slice(), &secret.derive(Purpose::Authority)].concat();
        let key = KeyPair::from_pkcs8_der_and_sign_algo(&PrivatePkcs8KeyDer::from(pkcs8), &PKCS_ED25519)
            .map_err(TrustError::Certificate)?;
        let mut params = params(&format!("Commons cluster {}", secret.key_id()));
        params.serial_number = Some(SerialNumber::from_slice(&[1]));
        // It signs nodes, never another authority.
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let issuer = CertifiedIssuer::self_signed(params, key).map_err(TrustError::Certificate)?;
        Ok(Authority { issuer })
    }

    pub fn certificate(&self) -> CertificateDer<'static> {
        self.issuer.der().clone()
    }

    pub fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// A certificate with a new key.
    pub fn mint(&self) -> Result<NodeCertificate, TrustError> {
        let key = KeyPair::generate_for(&PKCS_ED25519).map_err(TrustError::Certificate)?;
        let mut params = params("Commons node");
        params.subject_alt_names =
            vec![rcgen::SanType::DnsName(SERVER_NAME.try_into().map_err(TrustError::Certificate)?)];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        params.use_authority_key_identifier_extension = true;
        let certificate = params.signed_by(&key, &self.issuer).map_err(TrustError::Certificate)?;
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        Ok(NodeCertificate { certificate: certificate.der().clone(), key })
    }
}

/// Valid whatever a node's clock says: trust ends with the secret, never with a date (P19).
fn params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.not_before = date_time_ymd(1970, 1, 1);
    params.not_after = date_time_ymd(2999, 12, 31);
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_secret_one_authority_and_every_node_its_own_certificate() {
        let secret = Secret::random();
        let known = Secret::parse(&format!("cms_{}a3d824cb", "07".repeat(32)));
        // Clients hold it in files: another version may not make another one of the same secret.
        assert_eq!(crc32fast::hash(&Authority::of(&known.unwrap()).unwrap().certificate()), 1_774_930_457);
        let (here, there) = (Authority::of(&secret).unwrap(), Authority::of(&secret).unwrap());
        assert_eq!(here.certificate(), there.certificate());
        assert_eq!(here.pem(), there.pem());
        assert_ne!(here.certificate(), Authority::of(&Secret::random()).unwrap().certificate());
        assert_ne!(here.mint().unwrap().certificate, there.mint().unwrap().certificate);
    }
}
