use super::*;
use crate::transport::{CallError, ask};
use crate::trust::{Keyring, SERVER_NAME, Secret, alpn};
use rustls::pki_types::{CertificateDer, pem::PemObject};
use rustls::{ClientConfig, RootCertStore};
use tokio_rustls::{TlsAcceptor, TlsConnector};

/// A node with its doors, over TLS.
async fn node(town: &Town, me: Me, keyring: &Keyring) -> (Network, mpsc::UnboundedReceiver<Event>, JoinSet<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    town.set(me.node.0, listener.local_addr().unwrap());
    let (tell, events) = mpsc::unbounded_channel();
    let told = Arc::new(Told { events: tell, gate: Semaphore::new(0) });
    let network = Network::start(me, keyring.clone(), town.book(), told).unwrap();
    let (mut door, serving, keyring) = (JoinSet::new(), network.clone(), keyring.clone());
    door.spawn(async move {
        let mut connections = JoinSet::new();
        while let Ok((tcp, peer)) = listener.accept().await {
            let (network, acceptor) = (serving.clone(), TlsAcceptor::from(keyring.node_server()));
            connections.spawn(async move {
                if let Ok(stream) = acceptor.accept(tcp).await {
                    let _ = network.serve(stream, peer).await;
                }
            });
        }
    });
    (network, events, door)
}

fn keyring() -> Keyring {
    Keyring::new(Secret::random()).unwrap()
}

#[tokio::test]
async fn nodes_of_one_secret_talk_on_all_lanes() {
    let (town, keys) = (Town::default(), keyring());
    let (one, _events, _door) = node(&town, me(1, 1), &keys).await;
    let (_two, mut events, _door) = node(&town, me(2, 1), &keys).await;
    assert_eq!(one.call(NodeId(2), ECHO, "call".into(), soon()).await.unwrap(), "call");
    assert_eq!(events.recv().await.unwrap(), Event::Called(NodeId(1), ECHO));
    one.raft(NodeId(2), "frame".into());
    assert_eq!(events.recv().await.unwrap(), Event::Raft(NodeId(1), "frame".into()));
    let (chunks, stream) = mpsc::channel(8);
    let long = Bytes::from(vec![1; 1 << 20]);
    for chunk in [long.clone(), long.clone(), "end".into()] {
        chunks.send(chunk).await.unwrap();
    }
    one.snapshot(NodeId(2), "head".into(), true, stream).await.unwrap();
    assert_eq!(events.recv().await.unwrap(), Event::Begun("head".into()));
    assert_eq!(events.recv().await.unwrap(), Event::Taken("head".into(), vec![long.clone(), long]));
    let nobody = Me { cluster: None, node: NodeId(0), incarnation: Incarnation(0) };
    assert_eq!(ask(&town.address(2), &keys, nobody, ECHO, "join".into(), soon()).await.unwrap(), "join");
}

#[tokio::test]
async fn another_secret_is_a_named_refusal() {
    let town = Town::default();
    let (one, _events, _door) = node(&town, me(1, 1), &keyring()).await;
    let (_two, _events, _door) = node(&town, me(2, 1), &keyring()).await;
    let answer = one.call(NodeId(2), ECHO, "call".into(), soon()).await;
    assert!(matches!(&answer, Err(CallError::NotSent(why)) if why.contains("secret")), "{answer:?}");
    assert_eq!(one.refusals()[0].refusal.word(), "trust");
    assert_eq!(one.refusals()[0].address, town.address(2));
    let nobody = Me { cluster: None, node: NodeId(0), incarnation: Incarnation(0) };
    let answer = ask(&town.address(2), &keyring(), nobody, ECHO, "join".into(), soon()).await;
    assert!(matches!(&answer, Err(CallError::NotSent(why)) if why.contains("secret")), "{answer:?}");
}

/// TLS 1.3 tells the client last: it has sent its hello by the time it hears that a certificate was wanted.
#[tokio::test]
async fn a_certificate_the_other_side_misses_is_a_named_refusal_too() {
    let (town, keys) = (Town::default(), keyring());
    let (_two, _events, _door) = node(&town, me(2, 1), &keys).await;
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(keys.ca_pem().as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let mut config = versions.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![alpn::NODE.to_vec()];
    let connector = TlsConnector::from(Arc::new(config));
    let outsider: Dial = Arc::new(move |address| {
        let connector = connector.clone();
        Box::pin(async move {
            let tcp = dial::connect(&address).await?;
            let stream = connector.connect(SERVER_NAME.try_into().unwrap(), tcp).await.unwrap();
            Ok(Box::new(stream) as Box<dyn Socket>)
        })
    });
    let (tell, _events) = mpsc::unbounded_channel();
    let told = Arc::new(Told { events: tell, gate: Semaphore::new(0) });
    let one = Network::start_with(me(1, 1), outsider, keys.watch(), town.book(), told, Limits::default()).unwrap();
    let answer = one.call(NodeId(2), ECHO, "call".into(), soon()).await;
    assert!(matches!(&answer, Err(CallError::NotSent(why)) if why.contains("secret")), "{answer:?}");
    assert_eq!(one.refusals()[0].refusal.word(), "trust");
}
