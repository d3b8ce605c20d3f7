//! TLS at the door: clients that know the cluster, nodes that belong to it, and everybody else.

use super::*;
use crate::rpc::{Nodes, Trust, serve_with};
use cluster::trust::{Keyring, SERVER_NAME, Secret};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::pki_types::ServerName;

fn keyring() -> Keyring {
    Keyring::new(Secret::random()).unwrap()
}

/// Says to a node whatever it says.
fn echo() -> Nodes {
    Arc::new(|stream, _| {
        Box::pin(async move {
            let (mut reader, mut writer) = tokio::io::split(stream);
            let _ = tokio::io::copy(&mut reader, &mut writer).await;
        })
    })
}

async fn run_trusting(fake: Arc<Fake>, keyring: &Keyring, edit_limits: impl FnOnce(&mut Limits)) -> Running {
    run_for(fake, Trust { keyring: keyring.clone(), nodes: Some(echo()) }, edit_limits).await
}

async fn run_for(fake: Arc<Fake>, trust: Trust, edit_limits: impl FnOnce(&mut Limits)) -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    let (stopper, stop) = stop::channel();
    let mut limits = Limits::default();
    edit_limits(&mut limits);
    let task = tokio::spawn(serve_with(listener, doors(fake, |_| {}), limits, Some(trust), stop));
    Running { at, stopper, task }
}

async fn trusting(at: SocketAddr, ca_pem: &str) -> Result<Client, client::Error> {
    Client::builder().node(at.to_string()).token(TOKEN).ca(ca_pem).connect().await
}

/// A node's first words over TLS, and what comes back; an error when there is no connection.
async fn say(at: SocketAddr, config: Arc<ClientConfig>) -> std::io::Result<u8> {
    let stream = TcpStream::connect(at).await?;
    let name = ServerName::try_from(SERVER_NAME).unwrap();
    let mut stream = TlsConnector::from(config).connect(name, stream).await?;
    stream.write_all(b"?").await?;
    stream.flush().await?;
    stream.read_u8().await
}

#[tokio::test]
async fn a_client_with_the_certificate_calls_as_ever() {
    let ours = keyring();
    let items = (0..500).map(|n| serde_json::json!({ "n": n })).collect::<Vec<_>>();
    let fake = Fake::new(move |seen| match seen.body["amount"].as_i64() {
        Some(amount) => Reaction::Reply(credited(amount)),
        None => Reaction::Items(items.clone(), Some(Ok(()))),
    });
    let node = run_trusting(fake, &ours, |_| {}).await;
    let client = trusting(node.at, &ours.ca_pem()).await.unwrap();
    // More at once than TLS takes in one piece: what it holds back has to leave as well.
    let many = (0..5_000).map(|n| {
        let client = client.clone();
        async move { client.call(credit(n)).await.unwrap().balance }
    });
    assert_eq!(futures::future::join_all(many).await, (0..5_000).collect::<Vec<i64>>());
    let mut stream = client.stream(WatchRequest { messages: 3 }).await.unwrap();
    for n in 0..500 {
        assert_eq!(stream.next().await.unwrap().unwrap().n, n);
    }
    assert!(stream.next().await.is_none());
    // On this machine a client may do without.
    assert_eq!(super::client(node.at).await.call(credit(1)).await.unwrap().balance, 1);
}

#[tokio::test]
async fn a_reply_larger_than_buffers_comes_whole() {
    let ours = keyring();
    let note = "x".repeat(300 << 10);
    let sent = note.clone();
    let fake = Fake::new(move |_| Reaction::Reply(serde_json::json!({"balance": 1, "note": sent, "part": null})));
    let node = run_trusting(fake, &ours, |_| {}).await;
    let client = trusting(node.at, &ours.ca_pem()).await.unwrap();
    let replies = futures::future::join_all((0..20).map(|n| client.call(credit(n)))).await;
    assert!(replies.into_iter().all(|reply| reply.unwrap().note == note));
}

#[tokio::test]
async fn what_tls_holds_back_leaves_as_well() {
    use crate::rpc::connection::Connection;
    use tokio_rustls::TlsAcceptor;
    use wire::codec;
    use wire::frame::{Frame, Kind};
    let ours = keyring();
    // TLS takes a reply of 20 KiB in one piece, and gets it through this pipe in twenty.
    let (near, far) = tokio::io::duplex(1 << 10);
    let note = "x".repeat(20 << 10);
    let fake = Fake::new(move |_| Reaction::Reply(serde_json::json!({"balance": 1, "note": note, "part": null})));
    let (doors, (_stopper, stop)) = (doors(fake, |_| {}), stop::channel());
    let serving = async {
        let stream = TlsAcceptor::from(ours.node_server()).accept(far).await.unwrap();
        let deadline = tokio::time::Instant::now() + Duration::from_secs(60);
        Connection::serve(stream, Default::default(), at(), doors, Limits::default(), deadline, stop).await
    };
    let calling = async {
        let name = ServerName::try_from(SERVER_NAME).unwrap();
        let mut stream = TlsConnector::from(ours.node_client()).connect(name, near).await.unwrap();
        let hello = wire::rpc::Hello { token: TOKEN.into(), cluster: None, agent: "test".into() };
        let (service, endpoint) = ("demo".into(), "Credit".into());
        let body = wire::rpc::Body::Json(wire::Bytes(b"{}".to_vec()));
        let call = wire::rpc::Call { service, endpoint, request_id: RequestId::None, stale_ok: false, body };
        let mut out = bytes::BytesMut::new();
        Frame::new(Kind::Hello, 0, codec::encode(&hello).unwrap()).encode(&mut out);
        Frame::new(Kind::Call, 1, codec::encode(&call).unwrap()).encode(&mut out);
        stream.write_all(&out).await.unwrap();
        stream.flush().await.unwrap();
        let (mut input, mut got) = (bytes::BytesMut::new(), Vec::new());
        while got.len() < 2 {
            match Frame::decode(&mut input).unwrap() {
                Some(frame) => got.push(frame.kind),
                None => drop(stream.read_buf(&mut input).await.unwrap()),
            }
        }
        got
    };
    let both = async { tokio::join!(serving, calling) };
    let (served, got) = tokio::time::timeout(Duration::from_secs(10), both).await.expect("a part of it never left");
    assert_eq!((served, got), (Ok(()), vec![Kind::Welcome, Kind::Reply]));
}

fn at() -> SocketAddr {
    ([127, 0, 0, 1], 1).into()
}

#[tokio::test]
async fn a_client_of_another_cluster_is_told_what_to_do() {
    let (ours, theirs) = (keyring(), keyring());
    let fake = Fake::echo();
    let node = run_trusting(fake.clone(), &ours, |_| {}).await;
    let error = trusting(node.at, &theirs.ca_pem()).await.err().unwrap();
    assert_eq!(error, client::Error::Untrusted { node: node.at.to_string() });
    assert!(error.outcome() == Outcome::NotRun && error.to_string().contains("commons secret ca"), "{error}");
    let error = trusting(node.at, "no certificate").await.err().unwrap();
    assert!(matches!(error, client::Error::Unsendable(_)), "{error:?}");
    // The certificate lets nobody in by itself.
    let keyless = Client::builder().node(node.at.to_string()).token("cmn_wrong").ca(ours.ca_pem()).connect().await;
    assert!(keyless.err().unwrap().is(&reasons::UNAUTHORIZED));
    assert!(fake.seen().is_empty());
}

#[tokio::test]
async fn a_client_lives_through_a_change_of_the_secret() {
    let (old, new) = (Secret::random(), Secret::random());
    let ours = Keyring::new(old.clone()).unwrap();
    let node = run_trusting(Fake::echo(), &ours, |_| {}).await;
    let of_old = ours.ca_pem();
    ours.replace(new.clone(), vec![old]).unwrap();
    let (of_both, of_new) = (ours.ca_pem(), Keyring::new(new.clone()).unwrap().ca_pem());
    // In the window each certificate will do; after it only the new one, and both.
    for pem in [&of_old, &of_both, &of_new] {
        trusting(node.at, pem).await.unwrap().call(credit(1)).await.unwrap();
    }
    ours.replace(new, Vec::new()).unwrap();
    assert!(matches!(trusting(node.at, &of_old).await.err().unwrap(), client::Error::Untrusted { .. }));
    for pem in [&of_both, &of_new] {
        trusting(node.at, pem).await.unwrap().call(credit(1)).await.unwrap();
    }
}

#[tokio::test]
async fn nodes_are_handed_on_and_strangers_are_not() {
    let secret = Secret::random();
    let (ours, same, theirs) = (Keyring::new(secret.clone()).unwrap(), Keyring::new(secret).unwrap(), keyring());
    let node = run_trusting(Fake::echo(), &ours, |_| {}).await;
    assert_eq!(say(node.at, same.node_client()).await.unwrap(), b'?');
    say(node.at, theirs.node_client()).await.unwrap_err();
    // It trusts our certificate, and shows its own.
    let mut stranger = ClientConfig::clone(&same.node_client());
    stranger.client_auth_cert_resolver = theirs.node_client().client_auth_cert_resolver.clone();
    say(node.at, Arc::new(stranger)).await.unwrap_err();
    for protocols in [vec![b"h2".to_vec()], Vec::new()] {
        let mut config = ClientConfig::clone(&same.node_client());
        config.alpn_protocols = protocols;
        let refused = say(node.at, Arc::new(config)).await.unwrap_err().to_string();
        assert!(refused.contains("NoApplicationProtocol"), "{refused}");
    }
    let deaf = run_for(Fake::echo(), Trust { keyring: ours, nodes: None }, |_| {}).await;
    let refused = say(deaf.at, same.node_client()).await.unwrap_err().to_string();
    assert!(refused.contains("NoApplicationProtocol"), "{refused}");
}

#[tokio::test]
async fn clients_do_not_keep_nodes_out() {
    let ours = keyring();
    let node = run_trusting(Fake::echo(), &ours, |limits| limits.connections = 0).await;
    for client in [trusting(node.at, &ours.ca_pem()).await, Client::connect(node.at.to_string()).await] {
        assert!(client.err().unwrap().is(&reasons::OVERLOADED));
    }
    assert_eq!(say(node.at, ours.node_client()).await.unwrap(), b'?');
    let full = run_trusting(Fake::echo(), &ours, |limits| (limits.connections, limits.spare) = (0, 0)).await;
    say(full.at, ours.node_client()).await.unwrap_err();
}

#[tokio::test]
async fn a_node_link_outlives_the_door() {
    let ours = keyring();
    let node = run_trusting(Fake::echo(), &ours, |_| {}).await;
    let stream = TcpStream::connect(node.at).await.unwrap();
    let name = ServerName::try_from(SERVER_NAME).unwrap();
    let mut link = TlsConnector::from(ours.node_client()).connect(name, stream).await.unwrap();
    link.write_all(b"1").await.unwrap();
    assert_eq!(link.read_u8().await.unwrap(), b'1');
    node.stopper.stop();
    node.task.await.unwrap().unwrap();
    link.write_all(b"2").await.unwrap();
    assert_eq!(link.read_u8().await.unwrap(), b'2');
}

#[tokio::test]
async fn plain_frames_of_other_machines_are_told_to_come_with_tls() {
    use crate::rpc::{Door, Place};
    let (_stopper, stop) = stop::channel();
    let trust = Some(Trust { keyring: keyring(), nodes: None });
    let door = Door { doors: doors(Fake::echo(), |_| {}), limits: Limits::default(), trust, told: Default::default() };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    let elsewhere: SocketAddr = "192.0.2.7:4000".parse().unwrap();
    let taking = async {
        let place = Arc::new(tokio::sync::Semaphore::new(1)).try_acquire_owned().unwrap();
        door.take(listener.accept().await.unwrap().0, elsewhere, Place::Client(place), stop).await
    };
    let (taken, connected) = tokio::join!(taking, Client::builder().node(at.to_string()).token(TOKEN).connect());
    let error = connected.err().unwrap();
    assert_eq!((error.answer().unwrap().code, error.outcome()), (403, Outcome::NotRun), "{error:?}");
    assert!(error.to_string().contains("commons secret ca") && taken.is_err(), "{error} {taken:?}");
}

#[tokio::test]
async fn half_a_handshake_is_not_waited_for() {
    let node = run_trusting(Fake::echo(), &keyring(), |limits| limits.hello_within = Duration::from_millis(100)).await;
    for begun in [&[22][..], &[22, 3, 1, 2, 0, 1], &[22, 3, 1, 0, 5, 1, 0, 0, 1, 9, 9], &[200, 0]] {
        let mut stream = TcpStream::connect(node.at).await.unwrap();
        stream.write_all(begun).await.unwrap();
        let mut rest = Vec::new();
        let closed = tokio::time::timeout(Duration::from_secs(5), stream.read_to_end(&mut rest)).await;
        closed.expect("it is held open").ok();
    }
}
