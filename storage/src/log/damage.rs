//! Damage: what it is, where, and what may be lost with it.

use super::manifest::Place;
use std::collections::BTreeMap;
use std::fmt;
use wire::ids::{Index, ReplicaId};

/// The operator's command for a cluster of one; [`super::Log::repair`] is what it runs.
pub const REPAIR_COMMAND: &str = "commons repair --data DIR";

/// What was found that no crash explains.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// A page that is neither new nor old.
    Page(&'static str),
    /// A page that does not belong to the unit due there, or comes after a hole in acknowledged units.
    Order(&'static str),
    /// A unit that is not whole, with pages of later units behind it: it was acknowledged.
    Hole,
    /// A segment that is not the last one has no seal.
    NoSeal,
    Missing,
    Short {
        bytes: u64,
        expected: u64,
    },
    /// The manifest is unreadable, or older than the segments.
    Manifest(String),
    /// The checksums hold, but what is written breaks the log's rules.
    Contradiction(String),
}

/// One finding, and its consequences.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    pub place: Place,
    pub found: Found,
    /// Up to where each replica's log is whole in front of the damage.
    pub whole: BTreeMap<ReplicaId, Index>,
    /// Up to where each replica has entries behind it, as far as they can still be read. Cut with the damage.
    pub behind: BTreeMap<ReplicaId, Index>,
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Found::Page(what) | Found::Order(what) => write!(f, "a page is bad: {what}"),
            Found::Hole => write!(f, "an acknowledged batch is not whole"),
            Found::NoSeal => write!(f, "the segment has no seal"),
            Found::Missing => write!(f, "the segment's file is missing"),
            Found::Short { bytes, expected } => write!(f, "the segment's file has {bytes} of {expected} bytes"),
            Found::Manifest(what) => write!(f, "the manifest cannot be used: {what}"),
            Found::Contradiction(what) => write!(f, "what is written contradicts itself: {what}"),
        }
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the log is damaged at {}: {}. ", self.place, self.found)?;
        if self.whole.is_empty() {
            write!(f, "No replica's log can be trusted")?;
        } else {
            write!(f, "Whole in front of it: ")?;
            list(f, &self.whole)?;
            write!(f, "; any of these may have had more, and may have voted")?;
        }
        if !self.behind.is_empty() {
            write!(f, "; seen behind it: ")?;
            list(f, &self.behind)?;
        }
        write!(
            f,
            ". These replicas must not vote again. With other nodes alive they are replaced: remove this node and let a new \
             one join. Alone, first copy the folder, then run `{REPAIR_COMMAND}`: it cuts the log here and lists what is lost"
        )
    }
}

fn list(f: &mut fmt::Formatter<'_>, ends: &BTreeMap<ReplicaId, Index>) -> fmt::Result {
    // A node may have a thousand replicas; the struct has them all.
    const SHOWN: usize = 12;
    for (at, (replica, index)) in ends.iter().take(SHOWN).enumerate() {
        write!(f, "{}{replica} up to {index}", if at == 0 { "" } else { ", " })?;
    }
    if ends.len() > SHOWN {
        write!(f, " and {} more", ends.len() - SHOWN)?;
    }
    Ok(())
}
