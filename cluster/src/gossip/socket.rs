//! chitchat's transport: its messages over UDP, sealed.
//!
//! No error of the network ends the loop: chitchat takes an error of `recv` as the end. What cannot be received or sent is counted.

use super::counters::{Refusal, Tally};
use super::session::{Incoming, Session};
use async_trait::async_trait;
use chitchat::transport::{Socket, Transport};
use chitchat::{ChitchatMessage, Deserializable, Serializable};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::net::UdpSocket;
use wire::ids::{Incarnation, NodeId};

/// More than any datagram of UDP.
const BUFFER: usize = 1 << 16;
/// After so many errors without a datagram in between, each is followed by a pause.
const PATIENCE: u32 = 8;
const PAUSE: Duration = Duration::from_millis(50);

/// The socket and all that is known of its peers; chitchat's loop and ours share it, both on the gossip thread.
pub struct Sealed {
    socket: UdpSocket,
    session: Mutex<Session>,
    tally: Arc<Tally>,
    farewells: Mutex<Vec<(NodeId, Incarnation)>>,
    here: SocketAddr,
}

impl Sealed {
    pub fn new(socket: UdpSocket, session: Session, tally: Arc<Tally>) -> io::Result<Arc<Sealed>> {
        let here = socket.local_addr()?;
        Ok(Arc::new(Sealed { socket, session: Mutex::new(session), tally, farewells: Mutex::default(), here }))
    }

    /// Says good-bye to everybody who ever answered. Not waited for.
    pub fn bye(&self) {
        let byes = self.session().byes();
        byes.into_iter().for_each(|(to, bye)| self.send_now(to, &bye));
    }

    /// Who said good-bye since this was asked last.
    pub fn farewells(&self) -> Vec<(NodeId, Incarnation)> {
        std::mem::take(&mut *self.farewells.lock().expect("nothing panics while it takes these"))
    }

    fn session(&self) -> MutexGuard<'_, Session> {
        self.session.lock().expect("sealing and opening do not panic")
    }

    /// What a socket of this family calls that address.
    fn reach(&self, to: SocketAddr) -> SocketAddr {
        match to.ip() {
            IpAddr::V4(ip) if self.here.is_ipv6() => (ip.to_ipv6_mapped(), to.port()).into(),
            _ => to,
        }
    }

    /// If the system has no room for it, it is lost, as datagrams are.
    fn send_now(&self, to: SocketAddr, datagram: &[u8]) {
        self.sent(to, self.socket.try_send_to(datagram, self.reach(to)));
    }

    fn sent(&self, to: SocketAddr, result: io::Result<usize>) {
        match result {
            Ok(length) => {
                let mut counters = self.tally.count();
                counters.sent += 1;
                counters.largest = counters.largest.max(length as u64);
            }
            Err(error) => {
                self.tally.count().send_errors += 1;
                if self.tally.first(format!("sending: {}", error.kind()), to.ip()) {
                    tracing::warn!(%to, "gossip cannot be sent: {error} (tried again, and counted from now on)");
                }
            }
        }
    }

    /// The message in a datagram, if it has one for chitchat.
    fn take(&self, from: SocketAddr, datagram: &mut [u8]) -> Option<ChitchatMessage> {
        let opened = self.session().open(from, datagram);
        let message = match opened {
            Err(refusal) => {
                self.tally.refuse(refusal, from.ip());
                return None;
            }
            Ok(Incoming::Own) => {
                self.tally.count().own += 1;
                return None;
            }
            Ok(Incoming::Introduce(to, hello)) => {
                self.tally.count().introduced += 1;
                self.send_now(to, &hello);
                return None;
            }
            Ok(Incoming::Again(to, said)) => {
                self.tally.count().received += 1;
                self.send_now(to, &said);
                return None;
            }
            Ok(Incoming::Bye(node, incarnation)) => {
                self.tally.count().received += 1;
                self.farewells.lock().expect("nothing panics while it adds one").push((node, incarnation));
                return None;
            }
            Ok(Incoming::Stale) => {
                self.tally.count().stale += 1;
                return None;
            }
            Ok(Incoming::Gossip(message)) => message,
        };
        match ChitchatMessage::deserialize(&mut &message[..]) {
            Ok(message) => {
                self.tally.count().received += 1;
                Some(message)
            }
            Err(_) => {
                self.tally.refuse(Refusal::BadMessage, from.ip());
                None
            }
        }
    }

    async fn receive(&self, buffer: &mut [u8], errors: &mut u32) -> Option<(SocketAddr, ChitchatMessage)> {
        match self.socket.recv_from(buffer).await {
            Ok((length, from)) => {
                *errors = 0;
                let from = SocketAddr::new(from.ip().to_canonical(), from.port());
                self.take(from, &mut buffer[..length]).map(|message| (from, message))
            }
            Err(error) => {
                self.tally.count().receive_errors += 1;
                if self.tally.first(format!("receiving: {}", error.kind()), self.here.ip()) {
                    tracing::warn!("gossip cannot be received: {error} (tried again, and counted from now on)");
                }
                *errors = errors.saturating_add(1);
                if *errors > PATIENCE {
                    // tidy: sleep because an error that stays must not take the whole processor; nothing is waited for
                    tokio::time::sleep(PAUSE).await;
                }
                None
            }
        }
    }
}

/// Hands the socket, which is bound before chitchat starts, to chitchat.
pub struct Bound(pub Arc<Sealed>);

#[async_trait]
impl Transport for Bound {
    async fn open(&self, _: SocketAddr) -> anyhow::Result<Box<dyn Socket>> {
        Ok(Box::new(Open { sealed: self.0.clone(), buffer: vec![0; BUFFER], errors: 0 }))
    }
}

struct Open {
    sealed: Arc<Sealed>,
    buffer: Vec<u8>,
    errors: u32,
}

#[async_trait]
impl Socket for Open {
    async fn send(&mut self, to: SocketAddr, message: ChitchatMessage) -> anyhow::Result<()> {
        let mut bytes = Vec::with_capacity(message.serialized_len());
        message.serialize(&mut bytes);
        let sealed = self.sealed.session().gossip(to, bytes);
        match sealed {
            Ok(datagram) => {
                let result = self.sealed.socket.send_to(&datagram, self.sealed.reach(to)).await;
                self.sealed.sent(to, result);
            }
            // Not an error to chitchat, which would log it at each round.
            Err(refusal) => {
                self.sealed.tally.refuse(refusal, to.ip());
            }
        }
        Ok(())
    }

    async fn recv(&mut self) -> anyhow::Result<(SocketAddr, ChitchatMessage)> {
        loop {
            if let Some(received) = self.sealed.receive(&mut self.buffer, &mut self.errors).await {
                return Ok(received);
            }
        }
    }
}
