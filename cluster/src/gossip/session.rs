//! Seals what leaves and proves what comes: who sent it, that it is whole, and that it was said to *this* life of ours.
//!
//! Each life of a node draws a random *token*, which stands in the head of each of its datagrams, and derives its own sealing key
//! from the cluster's gossip key, its node id, its incarnation and its token. So no two lives ever seal under the same key with
//! the same number, copied data folders included.
//!
//! A datagram is taken only if it names the receiver's token: its sender has then heard from this life of the receiver, and
//! sealed it after that. One that does not, from a sender whose seal is good, is answered with a *hello* (smaller than itself), upon
//! which the sender says the same again. Within a life of both, a window of numbers keeps each datagram from being taken twice.
//!
//! - **Covered, without any clock**: a datagram played back to the same life, to a later life, or to another node.
//! - **Not covered**: one that never arrived and is held back. Whoever can stop a sender's datagrams can deliver them later, each once, while
//!   receiver and sender's record live. It makes a dead node look alive for as long as there are numbers left over. Gossip is hints.
//! - A played back datagram to a later life costs one hello, which tells no more than its head: that we run.

use super::counters::Refusal;
use super::frame::{HEAD, Head, Kind, ROOM};
use super::window::Window;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, Salt};
use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;
use wire::ids::{ClusterId, Incarnation, NodeId};

/// The keys that are accepted, by their id; the one to seal under first. Asked for each datagram.
pub type Keys = Arc<dyn Fn() -> Vec<(u32, [u8; 32])> + Send + Sync>;

/// Senders in one life of a node that are listened to. More than one is a copied folder, which meta ends.
const TWINS: usize = 4;
/// Messages kept for being said again after a hello.
const REMEMBERED: usize = 32;
/// Addresses whose tokens are known. Beyond, they are asked anew.
const ADDRESSES: usize = 4096;

/// What became of a datagram that was not refused.
#[derive(Debug, PartialEq, Eq)]
pub enum Incoming {
    /// Proven: a message of chitchat's.
    Gossip(Vec<u8>),
    /// Proven: that life of a node has ended.
    Bye(NodeId, Incarnation),
    /// Well sealed, but not said to this life of ours: a hello, to be sent now.
    Introduce(SocketAddr, Vec<u8>),
    /// What a hello asked to hear again, to be sent now.
    Again(SocketAddr, Vec<u8>),
    /// Well sealed, but nothing follows: said to a former life of ours, or a hello to what is forgotten.
    Stale,
    /// Our own, come back.
    Own,
}

/// Who seals here.
pub struct Identity {
    pub cluster: ClusterId,
    pub node: NodeId,
    pub incarnation: Incarnation,
    /// Random for each life, never 0.
    pub token: u64,
}

pub struct Session {
    me: Identity,
    keys: Keys,
    number: u64,
    sealing: Option<(u32, LessSafeKey)>,
    speakers: BTreeMap<NodeId, Speaker>,
    tokens: BTreeMap<SocketAddr, u64>,
    said: VecDeque<Said>,
}

/// The latest life of a node that was heard.
#[derive(Default)]
struct Speaker {
    incarnation: Incarnation,
    lives: Vec<Life>,
}

struct Life {
    token: u64,
    window: Window,
    opening: (u32, LessSafeKey),
}

struct Said {
    number: u64,
    to: SocketAddr,
    message: Vec<u8>,
}

impl Session {
    pub fn new(me: Identity, keys: Keys) -> Session {
        Session {
            me,
            keys,
            number: 0,
            sealing: None,
            speakers: BTreeMap::new(),
            tokens: BTreeMap::new(),
            said: VecDeque::new(),
        }
    }

    /// Seals a message of chitchat's, and keeps it for a hello.
    pub fn gossip(&mut self, to: SocketAddr, message: Vec<u8>) -> Result<Vec<u8>, Refusal> {
        let sealed = self.seal(Kind::Gossip, self.token_of(to), &message)?;
        if self.said.len() == REMEMBERED {
            self.said.pop_front();
        }
        self.said.push_back(Said { number: self.number, to, message });
        Ok(sealed)
    }

    /// A farewell to everybody who would believe it.
    pub fn byes(&mut self) -> Vec<(SocketAddr, Vec<u8>)> {
        let peers: Vec<_> = self.tokens.iter().map(|(to, token)| (*to, *token)).collect();
        peers.into_iter().filter_map(|(to, token)| Some((to, self.seal(Kind::Bye, token, &[]).ok()?))).collect()
    }

    /// Opens what came from there.
    pub fn open(&mut self, from: SocketAddr, datagram: &mut [u8]) -> Result<Incoming, Refusal> {
        let head = Head::read(datagram)?;
        if head.cluster != self.me.cluster {
            return Err(Refusal::WrongCluster);
        }
        if head.node == self.me.node && head.token == self.me.token {
            return Ok(Incoming::Own);
        }
        let keys = (self.keys)();
        let (_, key) = keys.iter().find(|(id, _)| *id == head.key).ok_or(Refusal::WrongKey)?;
        let message = match self.life(&head) {
            Some(life) if life.opening.0 == head.key => unseal(&life.opening.1, &head, datagram)?,
            _ => unseal(&derive(key, head.node, head.incarnation, head.token), &head, datagram)?,
        };
        // From here on a member of the cluster speaks, though perhaps long ago and to somebody else.
        if self.speakers.get(&head.node).is_some_and(|speaker| head.incarnation < speaker.incarnation) {
            return Err(Refusal::Superseded);
        }
        if head.to != self.me.token {
            return Ok(self.introduce(&head, from));
        }
        self.take(&head, key)?;
        self.learn(from, head.token);
        Ok(match head.kind {
            Kind::Gossip => Incoming::Gossip(message.to_vec()),
            Kind::Bye => Incoming::Bye(head.node, head.incarnation),
            Kind::Hello => self.again(message, head.token),
        })
    }

    fn life(&self, head: &Head) -> Option<&Life> {
        let speaker = self.speakers.get(&head.node).filter(|speaker| speaker.incarnation == head.incarnation)?;
        speaker.lives.iter().find(|life| life.token == head.token)
    }

    /// Only for what names our token: anything else could be a record of former days.
    fn take(&mut self, head: &Head, key: &[u8; 32]) -> Result<(), Refusal> {
        let speaker = self.speakers.entry(head.node).or_default();
        if head.incarnation > speaker.incarnation {
            *speaker = Speaker { incarnation: head.incarnation, lives: Vec::new() };
        }
        let at = match speaker.lives.iter().position(|life| life.token == head.token) {
            Some(at) => at,
            // None of the others may be forgotten for it: what they said could be played back.
            None if speaker.lives.len() == TWINS => return Err(Refusal::Twins),
            None => {
                let opening = (head.key, derive(key, head.node, head.incarnation, head.token));
                speaker.lives.push(Life { token: head.token, window: Window::default(), opening });
                speaker.lives.len() - 1
            }
        };
        let life = &mut speaker.lives[at];
        if life.opening.0 != head.key {
            life.opening = (head.key, derive(key, head.node, head.incarnation, head.token));
        }
        if life.window.take(head.number) { Ok(()) } else { Err(Refusal::Replayed) }
    }

    /// Nothing is learnt from what may be a record; its sender, if it lives, says it again.
    fn introduce(&mut self, head: &Head, from: SocketAddr) -> Incoming {
        if head.kind != Kind::Gossip {
            return Incoming::Stale;
        }
        match self.seal(Kind::Hello, head.token, &head.number.to_be_bytes()) {
            Ok(hello) => Incoming::Introduce(from, hello),
            Err(_) => Incoming::Stale,
        }
    }

    /// What the hello answers went to an address that may not be the one it came from.
    fn again(&mut self, hello: &[u8], token: u64) -> Incoming {
        let number = hello.try_into().map(u64::from_be_bytes).unwrap_or_default();
        let Some(at) = self.said.iter().position(|said| said.number == number) else { return Incoming::Stale };
        let Some(said) = self.said.remove(at) else { return Incoming::Stale };
        self.learn(said.to, token);
        match self.seal(Kind::Gossip, token, &said.message) {
            Ok(sealed) => Incoming::Again(said.to, sealed),
            Err(_) => Incoming::Stale,
        }
    }

    fn learn(&mut self, address: SocketAddr, token: u64) {
        if self.tokens.len() >= ADDRESSES && !self.tokens.contains_key(&address) {
            self.tokens.clear();
        }
        self.tokens.insert(address, token);
    }

    fn token_of(&self, address: SocketAddr) -> u64 {
        self.tokens.get(&address).copied().unwrap_or_default()
    }

    fn seal(&mut self, kind: Kind, to: u64, message: &[u8]) -> Result<Vec<u8>, Refusal> {
        if message.len() > ROOM {
            return Err(Refusal::TooLarge);
        }
        let (id, key) = (self.keys)().first().copied().ok_or(Refusal::WrongKey)?;
        if self.sealing.as_ref().is_none_or(|(current, _)| *current != id) {
            self.sealing = Some((id, derive(&key, self.me.node, self.me.incarnation, self.me.token)));
        }
        let Some((_, sealing)) = &self.sealing else { return Err(Refusal::WrongKey) };
        self.number += 1;
        let head = Head {
            kind,
            key: id,
            cluster: self.me.cluster,
            node: self.me.node,
            incarnation: self.me.incarnation,
            token: self.me.token,
            number: self.number,
            to,
        }
        .bytes();
        let mut sealed = message.to_vec();
        sealing
            .seal_in_place_append_tag(nonce(self.number), Aad::from(head), &mut sealed)
            .map_err(|_| Refusal::TooLarge)?;
        Ok([&head[..], &sealed].concat())
    }
}

fn unseal<'a>(key: &LessSafeKey, head: &Head, datagram: &'a mut [u8]) -> Result<&'a [u8], Refusal> {
    let (clear, sealed) = datagram.split_at_mut(HEAD);
    let opened = key.open_in_place(nonce(head.number), Aad::from(&*clear), sealed);
    opened.map(|message| &*message).map_err(|_| Refusal::BadSeal)
}

/// The number is used once in a life, and each life has a key of its own.
fn nonce(number: u64) -> Nonce {
    let mut bytes = [0; NONCE_LEN];
    bytes[NONCE_LEN - 8..].copy_from_slice(&number.to_be_bytes());
    Nonce::assume_unique_for_key(bytes)
}

fn derive(key: &[u8; 32], node: NodeId, incarnation: Incarnation, token: u64) -> LessSafeKey {
    let life: Vec<u8> = [node.0, incarnation.0, token].iter().flat_map(|number| number.to_be_bytes()).collect();
    let derived = Salt::new(HKDF_SHA256, b"commons gossip, a life's key").extract(key);
    let info = [&life[..]];
    let derived = derived.expand(&info, &CHACHA20_POLY1305).expect("32 bytes are few for HKDF");
    LessSafeKey::new(UnboundKey::from(derived))
}
