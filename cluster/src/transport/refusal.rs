//! Why a node and another do not talk: named, told to the other side, logged once, counted.

use super::frame::{Frame, Kind, VERSION};
use super::locked;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::time::{Duration, Instant};
use wire::ids::{ClusterId, Incarnation, NodeId};

/// Addresses and logged reasons remembered: strangers can invent as many as they like.
const REMEMBERED: usize = 256;
/// Of what the other side says.
const TEXT_BYTES_MAX: usize = 512;

/// How a [`Refusal::Trust`] begins: waiting does not end it.
pub const OTHER_SECRET: &str = "it does not hold this cluster's secret";

/// A connection that will not be, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("it speaks wire version {theirs}, this program {VERSION}: upgrade the older one")]
    Version { theirs: u8 },
    #[error("{OTHER_SECRET}: {0}")]
    Trust(String),
    #[error("it belongs to cluster {theirs}, this node to {ours}")]
    OtherCluster { theirs: ClusterId, ours: ClusterId },
    #[error("it belongs to no cluster yet, and may only ask to join")]
    NotJoined,
    #[error("it answers for no cluster yet: it is joining one itself")]
    Joining,
    #[error("it goes by {0}, as this node does: this address leads back here, or the data folder was copied")]
    OwnNode(NodeId),
    #[error("it is {found}, not {wanted}")]
    OtherNode { found: NodeId, wanted: NodeId },
    #[error("{node} was started again since: it says {theirs}, {seen} was seen: a copied data folder?")]
    OlderLife { node: NodeId, theirs: Incarnation, seen: Incarnation },
    #[error("two processes go by {node} {life}: a copied data folder?")]
    Twin { node: NodeId, life: Incarnation },
    #[error("too many are asking at once")]
    Busy,
    #[error("it is no node: {0}")]
    Stranger(String),
    /// The other side refuses this one.
    #[error("refused there: {text}")]
    Told { word: &'static str, text: String },
}

/// By which a refusal is counted, and told; never used for another meaning.
const WORDS: [&str; 11] = [
    "version",
    "trust",
    "other_cluster",
    "not_joined",
    "joining",
    "own_node",
    "other_node",
    "older_life",
    "twin",
    "busy",
    "stranger",
];
/// What a newer program may say that this one has no word for.
const UNKNOWN: &str = "unknown";

impl Refusal {
    /// A stable word for counters and scripts.
    pub fn word(&self) -> &'static str {
        match self {
            Refusal::Version { .. } => "version",
            Refusal::Trust(_) => "trust",
            Refusal::OtherCluster { .. } => "other_cluster",
            Refusal::NotJoined => "not_joined",
            Refusal::Joining => "joining",
            Refusal::OwnNode(_) => "own_node",
            Refusal::OtherNode { .. } => "other_node",
            Refusal::OlderLife { .. } => "older_life",
            Refusal::Twin { .. } => "twin",
            Refusal::Busy => "busy",
            Refusal::Stranger(_) => "stranger",
            Refusal::Told { word, .. } => word,
        }
    }

    pub(super) fn frame(&self) -> Frame {
        let what = WORDS.iter().position(|word| *word == self.word()).map_or(0, |at| at as u8 + 1);
        Frame { what, ..Frame::new(Kind::Refused, 0, self.to_string()) }
    }

    pub(super) fn told(frame: &Frame) -> Refusal {
        let word = WORDS.get(usize::from(frame.what).wrapping_sub(1)).unwrap_or(&UNKNOWN);
        let text = &frame.body[..frame.body.len().min(TEXT_BYTES_MAX)];
        // Into a log and onto a terminal: nothing that moves a cursor.
        let text = String::from_utf8_lossy(text).chars().filter(|c| !c.is_control()).collect();
        Refusal::Told { word, text }
    }
}

/// The last refusal between this node and an address.
#[derive(Clone, Debug)]
pub struct Refused {
    /// As dialled; of a caller, its host alone.
    pub address: String,
    pub refusal: Refusal,
    pub ago: Duration,
    /// How often in a row.
    pub times: u64,
}

/// All refusals, by address and by reason.
#[derive(Default)]
pub(super) struct Ledger(Mutex<Pages>);

#[derive(Default)]
struct Pages {
    last: BTreeMap<String, (Refusal, Instant, u64)>,
    counted: BTreeMap<&'static str, u64>,
    logged: BTreeSet<(String, &'static str)>,
}

impl Ledger {
    pub(super) fn add(&self, address: String, refusal: &Refusal) {
        let mut pages = locked(&self.0);
        *pages.counted.entry(refusal.word()).or_default() += 1;
        if pages.logged.len() >= REMEMBERED {
            pages.logged.clear();
        }
        if pages.logged.insert((address.clone(), refusal.word())) {
            tracing::warn!(%address, reason = refusal.word(), "no connection with {address}: {refusal}");
        }
        if pages.last.len() >= REMEMBERED && !pages.last.contains_key(&address) {
            let oldest = pages.last.iter().min_by_key(|(_, (_, at, _))| *at).map(|(address, _)| address.clone());
            oldest.and_then(|oldest| pages.last.remove(&oldest));
        }
        let times = pages.last.get(&address).map_or(0, |(.., times)| *times) + 1;
        pages.last.insert(address, (refusal.clone(), Instant::now(), times));
    }

    /// The address is fine now.
    pub(super) fn forget(&self, address: &str) {
        locked(&self.0).last.remove(address);
    }

    pub(super) fn last(&self) -> Vec<Refused> {
        let pages = locked(&self.0);
        let shown = |(address, (refusal, at, times)): (&String, &(Refusal, Instant, u64))| Refused {
            address: address.clone(),
            refusal: refusal.clone(),
            ago: at.elapsed(),
            times: *times,
        };
        pages.last.iter().map(shown).collect()
    }

    pub(super) fn counted(&self) -> BTreeMap<&'static str, u64> {
        locked(&self.0).counted.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Vec<Refusal> {
        let node = NodeId(3);
        vec![
            Refusal::Version { theirs: 9 },
            Refusal::Trust("bad certificate".into()),
            Refusal::OtherCluster { theirs: ClusterId([1; 16]), ours: ClusterId([2; 16]) },
            Refusal::NotJoined,
            Refusal::Joining,
            Refusal::OwnNode(node),
            Refusal::OtherNode { found: node, wanted: NodeId(4) },
            Refusal::OlderLife { node, theirs: Incarnation(1), seen: Incarnation(2) },
            Refusal::Twin { node, life: Incarnation(1) },
            Refusal::Busy,
            Refusal::Stranger("noise".into()),
        ]
    }

    #[test]
    fn every_refusal_is_told_by_its_word_and_its_text() {
        assert_eq!(all().iter().map(Refusal::word).collect::<Vec<_>>(), WORDS);
        for refusal in all() {
            let told = Refusal::told(&refusal.frame());
            assert_eq!(told, Refusal::Told { word: refusal.word(), text: refusal.to_string() });
        }
    }

    #[test]
    fn what_the_other_side_says_is_kept_short_and_plain() {
        let text = format!("\u{1b}[2J{}", "x".repeat(4000));
        let Refusal::Told { word, text } = Refusal::told(&Frame { what: 200, ..Frame::new(Kind::Refused, 0, text) })
        else {
            unreachable!()
        };
        assert_eq!(word, UNKNOWN);
        assert!(text.starts_with("[2Jxx") && text.len() < 600, "{text:?}");
    }

    #[test]
    fn the_last_refusal_of_an_address_stands_until_it_is_fine() {
        let ledger = Ledger::default();
        ledger.add("a:1".into(), &Refusal::NotJoined);
        ledger.add("a:1".into(), &Refusal::Busy);
        ledger.add("b:1".into(), &Refusal::Busy);
        let last = ledger.last();
        assert_eq!((last.len(), &last[0].refusal, last[0].times), (2, &Refusal::Busy, 2));
        ledger.forget("a:1");
        assert_eq!(ledger.last().len(), 1);
        assert_eq!(ledger.counted(), BTreeMap::from([("busy", 2), ("not_joined", 1)]));
    }

    #[test]
    fn strangers_without_end_are_not_remembered_without_end() {
        let ledger = Ledger::default();
        (0..REMEMBERED * 3).for_each(|n| ledger.add(format!("s{n}"), &Refusal::Busy));
        assert_eq!(ledger.last().len(), REMEMBERED);
        assert!(ledger.last().iter().any(|last| last.address == format!("s{}", REMEMBERED * 3 - 1)));
    }
}
