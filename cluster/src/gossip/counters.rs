//! What came, went and was refused: counted always, told once for each kind and source.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

/// Sources that are told apart in the log. Addresses of datagrams can be made up; the log must not grow with them.
const SOURCES: usize = 256;

/// Why a datagram is not taken. Nobody is told but our own log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Refusal {
    #[error("no gossip of ours: something else sends to this port")]
    Malformed,
    #[error("another version of the gossip's frame: its binary is older or newer than this one")]
    WrongVersion,
    #[error("another cluster's id: take one of the two off the other's --join")]
    WrongCluster,
    #[error("sealed under a secret that this node does not accept: give both the same one (`commons secret show`)")]
    WrongKey,
    #[error("its seal does not fit: changed on the way, or made up")]
    BadSeal,
    #[error(
        "a life of a node that a later one has replaced: two processes with one data folder, or one restored from a copy"
    )]
    Superseded,
    #[error("too many senders in the same life of one node: copies of one data folder")]
    Twins,
    #[error("it was taken before, or is far older than what was")]
    Replayed,
    #[error("sealed by a member, but no message that chitchat can read")]
    BadMessage,
    #[error("a member's state that does not follow the rules")]
    BadState,
    #[error("larger than a datagram: the cluster has more nodes than gossip can carry")]
    TooLarge,
}

/// All of it since the start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Datagrams that were handed to the system.
    pub sent: u64,
    /// Bytes of the largest of them. A datagram holds 65,507.
    pub largest: u64,
    /// Datagrams that were taken.
    pub received: u64,
    /// Well sealed, but without our token: answered with a hello. One or two for each life of a peer; many mean replays.
    pub introduced: u64,
    /// Well sealed, but nothing follows from it: a hello or a good-bye to a former life of this node, or played back.
    pub stale: u64,
    pub malformed: u64,
    pub wrong_version: u64,
    pub wrong_cluster: u64,
    pub wrong_key: u64,
    pub bad_seal: u64,
    pub superseded: u64,
    pub twins: u64,
    pub replayed: u64,
    pub bad_message: u64,
    pub bad_state: u64,
    /// Messages that were not sent, since they fit in no datagram.
    pub too_large: u64,
    /// Our own datagrams, come back.
    pub own: u64,
    pub send_errors: u64,
    pub receive_errors: u64,
    /// Names of seeds that could not be resolved, counted at each try.
    pub unresolved: u64,
    /// Looks at the members that came so late that nobody was judged.
    pub late: u64,
    /// The latest of them: what the longest gap between two looks was.
    pub longest_gap: Duration,
    /// The longest that a living member was silent; at most what makes it dead.
    pub longest_silence: Duration,
    /// Lives that chitchat's table holds, dead ones included.
    pub entries: u64,
}

impl Counters {
    fn of(&mut self, refusal: Refusal) -> &mut u64 {
        match refusal {
            Refusal::Malformed => &mut self.malformed,
            Refusal::WrongVersion => &mut self.wrong_version,
            Refusal::WrongCluster => &mut self.wrong_cluster,
            Refusal::WrongKey => &mut self.wrong_key,
            Refusal::BadSeal => &mut self.bad_seal,
            Refusal::Superseded => &mut self.superseded,
            Refusal::Twins => &mut self.twins,
            Refusal::Replayed => &mut self.replayed,
            Refusal::BadMessage => &mut self.bad_message,
            Refusal::BadState => &mut self.bad_state,
            Refusal::TooLarge => &mut self.too_large,
        }
    }
}

/// Counts, and knows what was told already.
#[derive(Debug, Default)]
pub struct Tally {
    counters: Mutex<Counters>,
    told: Mutex<BTreeSet<(String, IpAddr)>>,
}

impl Tally {
    pub fn counters(&self) -> Counters {
        self.count().clone()
    }

    pub fn count(&self) -> MutexGuard<'_, Counters> {
        self.counters.lock().expect("nothing panics while it counts")
    }

    /// Counts a refusal; whether this is the first of its kind from there, which was logged.
    pub fn refuse(&self, refusal: Refusal, source: IpAddr) -> bool {
        *self.count().of(refusal) += 1;
        let first = self.first(refusal, source);
        if first && refusal == Refusal::TooLarge {
            tracing::error!(to = %source, "gossip not sent: {refusal} (counted from now on)");
        } else if first {
            tracing::warn!(from = %source, "gossip refused: {refusal} (counted from now on)");
        }
        first
    }

    /// Whether this was never asked before of the two.
    pub fn first(&self, kind: impl Display, source: IpAddr) -> bool {
        let mut told = self.told.lock().expect("nothing panics while it remembers");
        told.len() < SOURCES && told.insert((kind.to_string(), source))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_and_source_is_told_once_and_always_counted() {
        let (tally, here, there) = (Tally::default(), IpAddr::from([10, 0, 0, 1]), IpAddr::from([10, 0, 0, 2]));
        assert!(tally.refuse(Refusal::WrongKey, here));
        assert!(!tally.refuse(Refusal::WrongKey, here));
        assert!(tally.refuse(Refusal::WrongKey, there));
        assert!(tally.refuse(Refusal::Replayed, here));
        let counted = tally.counters();
        assert_eq!((counted.wrong_key, counted.replayed), (3, 1));
    }

    #[test]
    fn made_up_sources_do_not_fill_the_log() {
        let tally = Tally::default();
        let told = (0..10_000u32).filter(|n| tally.refuse(Refusal::BadSeal, IpAddr::from(n.to_be_bytes()))).count();
        assert_eq!(told, SOURCES);
        assert_eq!(tally.counters().bad_seal, 10_000);
    }
}
