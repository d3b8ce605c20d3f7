//! Who gets a connection and who does not.

use super::*;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::version::TLS13;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::{TlsAcceptor, TlsConnector};

fn keyring() -> Keyring {
    Keyring::new(Secret::random()).unwrap()
}

/// A client that is no node: it holds the authority's certificate and nothing else.
fn outsider(ca_pem: &str, protocol: &[u8]) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(ca_pem.as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_protocol_versions(&[&TLS13]).unwrap();
    let mut config = config.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![protocol.to_vec()];
    Arc::new(config)
}

/// A byte each way and the protocol agreed on; else what the server says of it, then what the client says.
async fn meet(client: Arc<ClientConfig>, server: Arc<ServerConfig>) -> Result<Vec<u8>, String> {
    let (near, far) = tokio::io::duplex(16 << 10);
    let serving = async {
        let mut stream = TlsAcceptor::from(server).accept(far).await?;
        stream.write_all(b"!").await?;
        let got = stream.read_u8().await?;
        Ok::<_, std::io::Error>((got, stream.get_ref().1.alpn_protocol().map(<[u8]>::to_vec)))
    };
    let dialling = async {
        let name = ServerName::try_from(SERVER_NAME).unwrap();
        let mut stream = TlsConnector::from(client).connect(name, near).await?;
        stream.write_all(b"?").await?;
        stream.read_u8().await
    };
    match tokio::join!(serving, dialling) {
        (Ok((b'?', Some(protocol))), Ok(b'!')) => Ok(protocol),
        (served, dialled) => Err(format!("{served:?}, {dialled:?}")),
    }
}

async fn nodes_meet(from: &Keyring, to: &Keyring) -> Result<Vec<u8>, String> {
    meet(from.node_client(), to.node_server()).await
}

#[tokio::test]
async fn nodes_of_one_secret_meet() {
    let secret = Secret::random();
    let (here, there) = (Keyring::new(secret.clone()).unwrap(), Keyring::new(secret).unwrap());
    assert_eq!(nodes_meet(&here, &there).await.unwrap(), alpn::NODE);
    assert_eq!(nodes_meet(&there, &here).await.unwrap(), alpn::NODE);
    assert_eq!(meet(outsider(&here.ca_pem(), alpn::RPC), there.rpc_server()).await.unwrap(), alpn::RPC);
}

#[tokio::test]
async fn a_stranger_gets_no_connection() {
    let (ours, theirs) = (keyring(), keyring());
    let refused = nodes_meet(&theirs, &ours).await.unwrap_err();
    // Either side would refuse alone: here it is the one that dials who finds out first.
    assert!(refused.contains("UnknownIssuer"), "{refused}");
    let refused = meet(outsider(&theirs.ca_pem(), alpn::RPC), ours.rpc_server()).await.unwrap_err();
    assert!(refused.contains("UnknownIssuer"), "{refused}");
    // Holding the authority's certificate makes a client, never a node.
    let refused = meet(outsider(&ours.ca_pem(), alpn::NODE), ours.node_server()).await.unwrap_err();
    assert!(refused.contains("NoCertificatesPresented"), "{refused}");
}

#[tokio::test]
async fn the_server_checks_by_itself() {
    // A stranger that trusts our authority, yet shows a certificate of its own.
    let (ours, theirs) = (keyring(), keyring());
    let mut config = ClientConfig::clone(&outsider(&ours.ca_pem(), alpn::NODE));
    config.client_auth_cert_resolver = theirs.node_client().client_auth_cert_resolver.clone();
    let refused = meet(Arc::new(config), ours.node_server()).await.unwrap_err();
    assert!(refused.starts_with("Err") && refused.contains("UnknownIssuer"), "{refused}");
}

#[tokio::test]
async fn who_speaks_another_protocol_is_not_heard() {
    let ours = keyring();
    for (client, server) in [
        (outsider(&ours.ca_pem(), b"h2"), ours.rpc_server()),
        (outsider(&ours.ca_pem(), alpn::NODE), ours.rpc_server()),
        (ours.node_client(), ours.rpc_server()),
        (outsider(&ours.ca_pem(), alpn::RPC), ours.node_server()),
    ] {
        let refused = meet(client, server).await.unwrap_err();
        assert!(refused.contains("NoApplicationProtocol"), "{refused}");
    }
    let spoken = |offered: &[&[u8]]| ours.server_for(offered.iter().copied()).map(|(spoken, _)| spoken);
    assert_eq!(spoken(&[b"h2", alpn::RPC]), Some(Spoken::Rpc));
    assert_eq!(spoken(&[alpn::NODE]), Some(Spoken::Node));
    assert_eq!((spoken(&[]), spoken(&[b"commons-node/2"])), (None, None));
}

#[tokio::test]
async fn an_older_tls_is_refused() {
    // A ClientHello of TLS 1.2, as OpenSSL would send it: no supported_versions among its extensions.
    let extensions: &[u8] = &[0, 10, 0, 4, 0, 2, 0, 29, 0, 13, 0, 4, 0, 2, 4, 3, 0, 23, 0, 0];
    let mut hello = vec![3, 3];
    hello.extend([7; 32]);
    hello.extend([0, 0, 2, 0xc0, 0x2b, 1, 0, 0, extensions.len() as u8]);
    hello.extend(extensions);
    let mut record = vec![0x16, 3, 1, 0, hello.len() as u8 + 4, 1, 0, 0, hello.len() as u8];
    record.extend(hello);
    let (mut near, far) = tokio::io::duplex(4 << 10);
    near.write_all(&record).await.unwrap();
    let refused = TlsAcceptor::from(keyring().rpc_server()).accept(far).await.unwrap_err().to_string();
    assert!(refused.contains("incompatible") && refused.contains("Version"), "{refused}");
}

#[tokio::test]
async fn old_and_new_meet_while_both_are_accepted() {
    let (old, new) = (Secret::random(), Secret::random());
    // Three nodes in the middle of a rotation: one that was not told yet, one told of the new, one that uses it.
    let untold = Keyring::new(old.clone()).unwrap();
    let told = Keyring::new(old.clone()).unwrap();
    let ahead = Keyring::new(old.clone()).unwrap();
    let (kept, drops) = (ahead.clone(), ahead.watch());
    told.replace(old.clone(), vec![new.clone()]).unwrap();
    ahead.replace(new.clone(), vec![old.clone()]).unwrap();
    assert!(!drops.has_changed().unwrap(), "no link is trusted any less");
    // After it: one that knows the new secret alone, and one that came late and still speaks under the old one.
    let after = Keyring::new(new.clone()).unwrap();
    let everybody = [&untold, &told, &ahead, &after];
    for (i, from) in everybody.into_iter().enumerate() {
        for (j, to) in everybody.into_iter().enumerate() {
            // Whoever knows a secret in common meets; only before and after have none.
            let common = i.abs_diff(j) < 3;
            let met = nodes_meet(from, to).await;
            assert_eq!(met.is_ok(), common, "{i} dials {j}: {met:?}");
        }
    }
    // A client that asked for the certificate while both were accepted goes on after it.
    let [of_old, of_new] = [&old, &new].map(|secret| Keyring::new(secret.clone()).unwrap().ca_pem());
    assert_eq!((told.ca_pem(), kept.ca_pem()), (of_old.clone() + &of_new, of_new + &of_old));
    // The window closes.
    ahead.replace(new, Vec::new()).unwrap();
    assert!(drops.has_changed().unwrap());
    nodes_meet(&untold, &ahead).await.unwrap_err();
    nodes_meet(&ahead, &untold).await.unwrap_err();
}

#[test]
fn datagrams_find_the_key_they_were_sealed_with() {
    let (old, new) = (Secret::random(), Secret::random());
    let before = Keyring::new(old.clone()).unwrap().gossip_keys();
    let during = Keyring::new(new.clone()).unwrap().with_accepted(vec![old.clone(), new.clone()]).unwrap();
    let keys = during.gossip_keys();
    assert_eq!(keys.iter().map(|(id, _)| *id).collect::<Vec<_>>(), [new.key_id(), old.key_id()]);
    assert_eq!(keys[1], before[0]);
}

#[test]
fn keys_at_rest_open_under_accepted_secrets_only() {
    let (old, new) = (Secret::random(), Secret::random());
    let sealed = Keyring::new(old.clone()).unwrap().wrap(b"data key");
    let during = Keyring::new(new.clone()).unwrap().with_accepted(vec![old.clone()]).unwrap();
    assert_eq!(during.unwrap(&sealed).unwrap(), b"data key");
    assert_eq!(during.unwrap(&during.wrap(b"")).unwrap(), b"");
    let after = Keyring::new(new).unwrap();
    assert!(matches!(after.unwrap(&sealed), Err(TrustError::OtherSecret(id)) if id == old.key_id()));
    for at in 0..sealed.len() {
        let mut spoiled = sealed.clone();
        spoiled[at] ^= 1;
        during.unwrap(&spoiled).unwrap_err();
        during.unwrap(&sealed[..at]).unwrap_err();
    }
    assert_ne!(sealed, Keyring::new(old).unwrap().wrap(b"data key"), "a nonce came twice");
}

#[test]
fn debug_shows_names_only() {
    let (secret, other) = (Secret::random(), Secret::random());
    let ring = Keyring::new(secret.clone()).unwrap().with_accepted(vec![other.clone()]).unwrap();
    let shown = format!("{ring:?}");
    assert!(shown.contains(&secret.key_id().to_string()) && shown.contains(&other.key_id().to_string()), "{shown}");
    for secret in [secret, other] {
        assert!(!shown.contains(&secret.text()[4..20]), "{shown}");
    }
}
