//! A gossip datagram: a head in the clear, which the seal vouches for, and what is sealed.
//!
//! | bytes | |
//! |---|---|
//! | 0–1 | `CG` |
//! | 2 | version of this layout |
//! | 3 | kind: gossip, hello or bye |
//! | 4–7 | key id |
//! | 8–23 | cluster id |
//! | 24–31 | sender's node id |
//! | 32–39 | sender's incarnation |
//! | 40–47 | sender's token: drawn at random for each life |
//! | 48–55 | number of the datagram in the sender's life |
//! | 56–63 | receiver's token, as the sender heard it last; 0 if never |
//! | 64– | sealed, ending in a tag of 16 bytes |
//!
//! Numbers are big-endian. The head is in the clear so that a stranger's datagram is told apart (another version, cluster or
//! secret) before anything is computed for it.

use super::counters::Refusal;
use wire::ids::{ClusterId, Incarnation, NodeId};

const MAGIC: [u8; 2] = *b"CG";

/// Of the layout in this file. Another one is refused by name.
pub const VERSION: u8 = 1;

/// Bytes in front of what is sealed.
pub const HEAD: usize = 64;

/// Bytes of ChaCha20-Poly1305's tag.
pub const TAG: usize = 16;

/// The largest datagram of IPv4: 65,535 less the heads of IP and UDP.
pub const DATAGRAM: usize = 65_507;

/// The most that fits in a datagram once it is sealed.
pub const ROOM: usize = DATAGRAM - HEAD - TAG;

/// What a datagram is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A message of chitchat's.
    Gossip = 0,
    /// "Say it again with my token": carries the number of what it answers.
    Hello = 1,
    /// The sender stops now.
    Bye = 2,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    pub kind: Kind,
    pub key: u32,
    pub cluster: ClusterId,
    pub node: NodeId,
    pub incarnation: Incarnation,
    pub token: u64,
    pub number: u64,
    pub to: u64,
}

impl Head {
    pub fn bytes(&self) -> [u8; HEAD] {
        let mut bytes = [0; HEAD];
        bytes[..2].copy_from_slice(&MAGIC);
        bytes[2] = VERSION;
        bytes[3] = self.kind as u8;
        bytes[4..8].copy_from_slice(&self.key.to_be_bytes());
        bytes[8..24].copy_from_slice(&self.cluster.0);
        let numbers = [self.node.0, self.incarnation.0, self.token, self.number, self.to];
        for (place, number) in bytes[24..].chunks_exact_mut(8).zip(numbers) {
            place.copy_from_slice(&number.to_be_bytes());
        }
        bytes
    }

    /// Reads what came in front of the sealed part. Nothing of it is proven yet.
    pub fn read(datagram: &[u8]) -> Result<Head, Refusal> {
        let (head, sealed) = datagram.split_first_chunk::<HEAD>().ok_or(Refusal::Malformed)?;
        if head[..2] != MAGIC || sealed.len() < TAG {
            return Err(Refusal::Malformed);
        }
        if head[2] != VERSION {
            return Err(Refusal::WrongVersion);
        }
        let kind = [Kind::Gossip, Kind::Hello, Kind::Bye].into_iter().find(|kind| *kind as u8 == head[3]);
        let number = |at: usize| u64::from_be_bytes(std::array::from_fn(|i| head[at + i]));
        Ok(Head {
            kind: kind.ok_or(Refusal::Malformed)?,
            key: u32::from_be_bytes(std::array::from_fn(|i| head[4 + i])),
            cluster: ClusterId(std::array::from_fn(|i| head[8 + i])),
            node: NodeId(number(24)),
            incarnation: Incarnation(number(32)),
            token: number(40),
            number: number(48),
            to: number(56),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head() -> Head {
        Head {
            kind: Kind::Hello,
            key: 0xA1B2_C3D4,
            cluster: ClusterId([7; 16]),
            node: NodeId(3),
            incarnation: Incarnation(9),
            token: u64::MAX,
            number: 1,
            to: 0,
        }
    }

    fn datagram(head: &Head) -> Vec<u8> {
        [&head.bytes()[..], &[0; TAG]].concat()
    }

    #[test]
    fn a_head_reads_back() {
        assert_eq!(Head::read(&datagram(&head())), Ok(head()));
    }

    #[test]
    fn each_wrong_head_is_told_apart() {
        let sound = datagram(&head());
        let with = |at: usize, byte: u8| {
            let mut changed = sound.clone();
            changed[at] = byte;
            Head::read(&changed)
        };
        assert_eq!(with(0, b'X'), Err(Refusal::Malformed));
        assert_eq!(with(2, VERSION + 1), Err(Refusal::WrongVersion));
        assert_eq!(with(3, 9), Err(Refusal::Malformed));
        for length in 0..sound.len() {
            assert_eq!(Head::read(&sound[..length]), Err(Refusal::Malformed), "{length} bytes");
        }
    }
}
