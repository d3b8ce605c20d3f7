//! From an address to a connection whose two ends have agreed on each other.

use super::Me;
use super::hello::{self, Hello, Lane, NoLink};
use super::hold::{Hold, Side};
use super::link::Link;
use super::peer::Peer;
use super::refusal::Refusal;
use super::shared::Shared;
use super::socket::{Socket, tune};
use crate::trust::{Keyring, SERVER_NAME};
use futures::future::BoxFuture;
use rustls::pki_types::ServerName;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

/// Opens a stream to `host:port`.
pub type Dial = Arc<dyn Fn(String) -> BoxFuture<'static, Result<Box<dyn Socket>, NoLink>> + Send + Sync>;

/// TLS with what the keyring holds now: secrets rotate.
pub fn over_tls(keyring: Keyring) -> Dial {
    Arc::new(move |address| {
        let connector = TlsConnector::from(keyring.node_client());
        Box::pin(async move {
            let tcp = connect(&address).await?;
            let name = ServerName::try_from(SERVER_NAME).map_err(|why| NoLink::Failed(why.to_string()))?;
            match connector.connect(name, tcp).await {
                Ok(stream) => Ok(Box::new(stream) as Box<dyn Socket>),
                Err(error) => Err(hello::trust(&error).map_or_else(|| failed(error), NoLink::Refused)),
            }
        })
    })
}

/// Resolves the name anew, and goes through its addresses.
pub async fn connect(address: &str) -> Result<TcpStream, NoLink> {
    let found: Vec<SocketAddr> = lookup_host(address).await.map_err(failed)?.collect();
    let share = DIAL_WITHIN / 2 / found.len().max(1) as u32;
    let mut last = NoLink::Failed("the name has no address".into());
    for address in found {
        // So that one address that swallows packets leaves time for the next.
        match timeout(share.max(Duration::from_millis(200)), TcpStream::connect(address)).await {
            Ok(Ok(tcp)) => {
                tune(&tcp).map_err(failed)?;
                return Ok(tcp);
            }
            Ok(Err(error)) => last = failed(error),
            Err(_) => last = NoLink::Failed("no answer to the connection".into()),
        }
    }
    Err(last)
}

/// For all of it: name, TCP, TLS, hello.
pub const DIAL_WITHIN: Duration = Duration::from_secs(3);

fn failed(error: std::io::Error) -> NoLink {
    NoLink::Failed(error.to_string())
}

/// A connection to a peer on a lane, taken by both sides.
pub async fn to_peer(shared: &Shared, peer: &Peer, lane: Lane) -> Result<(Link, Hold), String> {
    let Some(address) = (shared.book)(peer.node) else {
        return Err(format!("nobody knows an address of {}", peer.node));
    };
    let (mut hold, secrets) = (None, shared.secrets());
    let opening = async {
        let mut link = Link::new((shared.dial)(address.clone()).await?);
        let judge = |theirs: &Hello| {
            shared.judge(theirs)?;
            if theirs.node != peer.node {
                return Err(Refusal::OtherNode { found: theirs.node, wanted: peer.node });
            }
            hold = Some(peer.lives.admit(theirs, lane, Side::Dialled, secrets)?);
            Ok(())
        };
        hello::dialled(&mut link, &shared.hello(lane), judge).await?;
        Ok(link)
    };
    let opened = timeout(DIAL_WITHIN, opening).await;
    let opened = opened.unwrap_or_else(|_| Err(NoLink::Failed(format!("no connection within {DIAL_WITHIN:?}"))));
    match (opened, hold) {
        (Ok(link), Some(hold)) => {
            shared.ledger.forget(&address);
            Ok((link, hold))
        }
        (Ok(_), None) => Err("nobody judged the hello".into()),
        (Err(why), _) => {
            shared.failed(&address, &why);
            Err(format!("{} at {address}: {why}", peer.node))
        }
    }
}

/// A connection to whoever is at an address, for one question.
pub async fn to_address(dial: &Dial, address: &str, me: &Me) -> Result<Link, NoLink> {
    let opening = async {
        let mut link = Link::new(dial(address.to_string()).await?);
        let ours =
            Hello { cluster: me.cluster, node: me.node, incarnation: me.incarnation, process: 0, lane: Lane::Ask };
        let judge = |theirs: &Hello| match (theirs.cluster, me.cluster) {
            (Some(theirs), Some(ours)) if theirs != ours => Err(Refusal::OtherCluster { theirs, ours }),
            (None, _) => Err(Refusal::Joining),
            _ => Ok(()),
        };
        hello::dialled(&mut link, &ours, judge).await?;
        Ok(link)
    };
    match timeout(DIAL_WITHIN, opening).await {
        Ok(opened) => opened,
        Err(_) => Err(NoLink::Failed(format!("no connection within {DIAL_WITHIN:?}"))),
    }
}
