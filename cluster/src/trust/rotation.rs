//! How a cluster changes its secret while it runs (P19).
//!
//! Two steps, because nobody is spoken to under a secret he does not know: first every node *accepts* the new one, then all
//! *use* it and still accept the old one for a while: for nodes that were down, and clients with the old certificate. What
//! is under way is a row of meta, so it goes on under the next leader; nodes say there how far they are. All of it is plain
//! functions over that row: the leader of meta runs [`begin`], [`confirm`] and [`advance`], every node [`Rotation::wants`].
//!
//! The new secret travels sealed under the old one. So it keeps out who finds the old secret after the change; against who
//! has it already a cluster needs new nodes, not a new secret.

use super::file::Secrets;
use super::{KeyId, Keyring, Secret, TrustError};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::time::Duration;
use wire::ids::NodeId;

/// A node that is down holds the first step up for so long.
const ACCEPT_WITHIN: Duration = Duration::from_secs(600);
/// How long the old secret is accepted when nobody says otherwise.
pub const WINDOW: Duration = Duration::from_secs(24 * 3600);

/// What is asked of whoever leads meta: by someone who holds the cluster's secret, and made the new one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Begin {
    pub from: KeyId,
    pub to: KeyId,
    pub sealed: Vec<u8>,
    pub window_s: u64,
}

/// A change of secrets, as meta keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rotation {
    /// Counts them.
    pub number: u64,
    pub phase: Phase,
    pub from: KeyId,
    pub to: KeyId,
    /// The new secret, sealed under the old one; empty once closed.
    pub sealed: Vec<u8>,
    pub window_s: u64,
    /// Since when it is in this phase, by the clock of whoever led meta then.
    pub since_s: u64,
    /// Nodes that hold what this phase asks for, on disk.
    pub done: BTreeSet<NodeId>,
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Phase {
    /// The new secret is accepted beside the old one.
    Accept,
    /// The new one is used, the old one accepted.
    Use,
    /// The old one is nothing any more.
    Closed,
}

/// This node cannot follow: it was down through all of it, or was given another secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "this node holds the secret {holds}, and its cluster uses {uses} by now: stop it, give it that one (`commons secret show` on a node that works, piped into `commons secret set --data DIR` here), and start it"
)]
pub struct Missed {
    pub holds: KeyId,
    pub uses: KeyId,
}

impl Begin {
    /// Towards `new`, from the keyring's current secret.
    pub fn new(keyring: &Keyring, new: &Secret, window: Duration) -> Begin {
        let from = keyring.current().key_id();
        Begin { from, to: new.key_id(), sealed: keyring.wrap(new.text().as_bytes()), window_s: window.as_secs() }
    }
}

/// Begins a change; `keyring` is the leader's. One at a time; the same one may be begun twice.
pub fn begin(row: &mut Option<Rotation>, begin: Begin, keyring: &Keyring, now_s: u64) -> Result<(), String> {
    match row {
        Some(under_way) if under_way.phase != Phase::Closed && under_way.to == begin.to => return Ok(()),
        Some(under_way) if under_way.phase != Phase::Closed => {
            let (from, to) = (under_way.from, under_way.to);
            return Err(format!("the cluster is still changing its secret from {from} to {to}: one change at a time"));
        }
        _ => {}
    }
    let current = keyring.current().key_id();
    if begin.from != current {
        return Err(format!("the cluster's secret is {current}, and this is a change from {}", begin.from));
    }
    let secret = opened(keyring.unwrap(&begin.sealed)).map_err(|why| why.to_string())?;
    if secret.key_id() != begin.to || begin.to == begin.from {
        return Err("what is sealed is not the new secret it is said to be".into());
    }
    let number = row.as_ref().map_or(0, |before| before.number) + 1;
    let Begin { from, to, sealed, window_s } = begin;
    let (phase, done) = (Phase::Accept, BTreeSet::new());
    *row = Some(Rotation { number, phase, from, to, sealed, window_s, since_s: now_s, done });
    Ok(())
}

/// A node holds what a phase asks for. Late words are no error.
pub fn confirm(row: &mut Option<Rotation>, node: NodeId, number: u64, phase: Phase) {
    if let Some(rotation) = row.as_mut().filter(|rotation| rotation.number == number && rotation.phase == phase) {
        rotation.done.insert(node);
    }
}

/// The next phase, if it is time; `nodes`: all that meta knows.
pub fn advance(row: &mut Option<Rotation>, nodes: &BTreeSet<NodeId>, now_s: u64) {
    let Some(rotation) = row else { return };
    let lasted = Duration::from_secs(now_s.saturating_sub(rotation.since_s));
    let next = match rotation.phase {
        Phase::Accept if rotation.waits_for(nodes).is_empty() || lasted >= ACCEPT_WITHIN => Phase::Use,
        Phase::Use if lasted >= Duration::from_secs(rotation.window_s) => Phase::Closed,
        _ => return,
    };
    if next == Phase::Closed {
        rotation.sealed.clear();
    }
    (rotation.phase, rotation.since_s) = (next, now_s);
    rotation.done.clear();
}

impl Rotation {
    /// Who does not hold yet what this phase asks for.
    pub fn waits_for(&self, nodes: &BTreeSet<NodeId>) -> Vec<NodeId> {
        nodes.difference(&self.done).copied().collect()
    }

    /// What a node that holds these should hold; `None`: it does.
    pub fn wants(&self, held: &Secrets) -> Result<Option<Secrets>, FollowError> {
        let all = || std::iter::once(&held.current).chain(&held.accepted);
        let known = |id: KeyId| all().find(|secret| secret.key_id() == id).cloned();
        let missed = || Missed { holds: held.current.key_id(), uses: self.to };
        let (old, new) = (known(self.from), known(self.to));
        let new = match (new, &old) {
            (Some(new), _) => new,
            (None, Some(old)) if self.phase != Phase::Closed => {
                opened(super::sealed::unwrap(std::iter::once(old), &self.sealed))?
            }
            _ => return Err(missed().into()),
        };
        let (current, accepted) = match (self.phase, old) {
            // Its file was changed by hand, ahead of time: it stays ahead.
            (Phase::Accept, Some(old)) if held.current != new => (old, vec![new]),
            (Phase::Accept | Phase::Use, old) => (new, old.into_iter().collect()),
            // It was not there for the step before: that first, so that nothing is left sealed under the old one.
            (Phase::Closed, Some(old)) if held.current != new => (new, vec![old]),
            (Phase::Closed, _) => (new, Vec::new()),
        };
        let same = held.current == current && held.accepted == accepted;
        Ok((!same).then(|| held.with(current, accepted)))
    }
}

/// Why a node does not follow a change of secrets.
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    #[error("{0}")]
    Missed(#[from] Missed),
    #[error("the new secret does not open: {0}")]
    Sealed(#[from] TrustError),
    #[error("what is sealed as the new secret is none")]
    NoSecret,
    #[error("{0}")]
    File(#[from] super::file::FileError),
}

fn opened(plain: Result<Vec<u8>, TrustError>) -> Result<Secret, FollowError> {
    let plain = plain?;
    let text = std::str::from_utf8(&plain).map_err(|_| FollowError::NoSecret)?;
    Secret::parse(text).map_err(|_| FollowError::NoSecret)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: u64 = 3600;

    fn nodes(ids: &[u64]) -> BTreeSet<NodeId> {
        ids.iter().copied().map(NodeId).collect()
    }

    fn only(secret: &Secret) -> Secrets {
        Secrets::new(secret.clone(), Vec::new())
    }

    fn both(current: &Secret, accepted: &Secret) -> Secrets {
        Secrets::new(current.clone(), vec![accepted.clone()])
    }

    /// A change from one secret to another, an hour's window, in this phase.
    fn rotation(old: &Secret, new: &Secret, phase: Phase) -> Rotation {
        let keyring = Keyring::new(old.clone()).unwrap();
        let mut row = None;
        begin(&mut row, Begin::new(&keyring, new, Duration::from_secs(HOUR)), &keyring, 0).unwrap();
        while row.as_ref().unwrap().phase != phase {
            let later = row.as_ref().unwrap().since_s + HOUR;
            advance(&mut row, &nodes(&[]), later);
        }
        row.unwrap()
    }

    #[test]
    fn it_goes_on_when_all_follow_and_closes_with_its_window() {
        let (old, new) = (Secret::random(), Secret::random());
        let (mut row, all) = (Some(rotation(&old, &new, Phase::Accept)), nodes(&[1, 2, 3]));
        let phase = |row: &Option<Rotation>| row.as_ref().unwrap().phase;
        for node in [1, 2] {
            confirm(&mut row, NodeId(node), 1, Phase::Accept);
        }
        // Neither a word about another phase nor one about another change counts.
        confirm(&mut row, NodeId(3), 1, Phase::Use);
        confirm(&mut row, NodeId(3), 2, Phase::Accept);
        advance(&mut row, &all, 1);
        assert_eq!((phase(&row), row.as_ref().unwrap().waits_for(&all)), (Phase::Accept, vec![NodeId(3)]));
        confirm(&mut row, NodeId(3), 1, Phase::Accept);
        advance(&mut row, &all, 2);
        assert_eq!((phase(&row), row.as_ref().unwrap().waits_for(&all).len()), (Phase::Use, 3));
        for node in [1, 2, 3] {
            confirm(&mut row, NodeId(node), 1, Phase::Use);
        }
        // Clients with the old certificate are still let in: that all nodes are through is not enough.
        advance(&mut row, &all, 1 + HOUR);
        assert_eq!(phase(&row), Phase::Use);
        advance(&mut row, &all, 2 + HOUR);
        assert_eq!((phase(&row), row.as_ref().unwrap().sealed.len()), (Phase::Closed, 0));
        let closed = row.clone();
        advance(&mut row, &all, 9 * HOUR);
        assert_eq!(row, closed);
    }

    #[test]
    fn a_node_that_is_down_holds_it_up_for_a_while_only() {
        let (mut row, all) = (Some(rotation(&Secret::random(), &Secret::random(), Phase::Accept)), nodes(&[1, 2]));
        confirm(&mut row, NodeId(1), 1, Phase::Accept);
        advance(&mut row, &all, 599);
        assert_eq!(row.as_ref().unwrap().phase, Phase::Accept);
        advance(&mut row, &all, 600);
        assert_eq!(row.as_ref().unwrap().phase, Phase::Use);
    }

    #[test]
    fn one_change_at_a_time_from_the_secret_in_use() {
        let (old, new, other) = (Secret::random(), Secret::random(), Secret::random());
        let keyring = Keyring::new(old.clone()).unwrap();
        let asked = Begin::new(&keyring, &new, WINDOW);
        let mut row = None;
        begin(&mut row, asked.clone(), &keyring, 5).unwrap();
        let begun = row.clone();
        begin(&mut row, asked.clone(), &keyring, 9).unwrap();
        assert!(
            begin(&mut row, Begin::new(&keyring, &other, WINDOW), &keyring, 9).unwrap_err().contains("still changing")
        );
        assert_eq!(row, begun);
        let mut after = Some(rotation(&old, &new, Phase::Closed));
        let moved = Keyring::new(new.clone()).unwrap();
        let refused = begin(&mut after, asked.clone(), &moved, 9).unwrap_err();
        assert!(refused.contains(&format!("the cluster's secret is {}", new.key_id())), "{refused}");
        begin(&mut after, Begin::new(&moved, &other, WINDOW), &moved, 9).unwrap();
        assert_eq!((after.as_ref().unwrap().number, after.unwrap().phase), (2, Phase::Accept));
        for wrong in [
            Begin { to: other.key_id(), ..asked.clone() },
            Begin { sealed: keyring.wrap(b"cms_"), ..asked.clone() },
            Begin { sealed: asked.sealed[1..].to_vec(), ..asked.clone() },
            Begin::new(&keyring, &old, WINDOW),
        ] {
            let mut row = None;
            begin(&mut row, wrong, &keyring, 9).unwrap_err();
            assert_eq!(row, None);
        }
    }

    #[test]
    fn a_node_follows_from_wherever_it_is() {
        let (old, new, other) = (Secret::random(), Secret::random(), Secret::random());
        let (before, told, moved, after) = (only(&old), both(&old, &new), both(&new, &old), only(&new));
        for (phase, held, wanted) in [
            (Phase::Accept, &before, Some(&told)),
            (Phase::Accept, &told, None),
            // It was stopped and given the new one by hand.
            (Phase::Accept, &after, None),
            (Phase::Use, &before, Some(&moved)),
            (Phase::Use, &told, Some(&moved)),
            (Phase::Use, &moved, None),
            (Phase::Use, &after, None),
            // It was down while all others changed over, and had been told before.
            (Phase::Closed, &told, Some(&moved)),
            (Phase::Closed, &moved, Some(&after)),
            (Phase::Closed, &after, None),
        ] {
            let rotation = rotation(&old, &new, phase);
            assert_eq!(rotation.wants(held).unwrap().as_ref(), wanted, "{phase:?} {held:?}");
        }
        for (phase, held) in [(Phase::Closed, &before), (Phase::Accept, &only(&other)), (Phase::Use, &only(&other))] {
            let refused = rotation(&old, &new, phase).wants(held).unwrap_err();
            assert!(matches!(&refused, FollowError::Missed(missed) if missed.uses == new.key_id()), "{refused:?}");
            assert!(refused.to_string().contains("commons secret set"), "{refused}");
        }
    }

    #[test]
    fn a_step_is_on_disk_before_it_is_taken() {
        let folder = std::env::temp_dir().join(format!("commons-rotation-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join(super::super::file::FILE);
        let load = || super::super::file::load(&path).unwrap();
        let keyring = super::super::file::load_or_create(&path).unwrap().keyring().unwrap();
        let (old, new) = (keyring.current(), Secret::random());
        for (phase, holds) in
            [(Phase::Accept, both(&old, &new)), (Phase::Use, both(&new, &old)), (Phase::Closed, only(&new))]
        {
            let rotation = rotation(&old, &new, phase);
            assert!(keyring.follow(&rotation).unwrap());
            assert_eq!((keyring.secrets(), load()), (holds.clone(), holds), "{phase:?}");
            assert!(!keyring.follow(&rotation).unwrap(), "{phase:?}");
        }
        // The folder cannot be written: the node stays where its file is.
        let next = rotation(&new, &old, Phase::Accept);
        std::fs::remove_dir_all(&folder).unwrap();
        assert!(matches!(keyring.follow(&next), Err(FollowError::File(_))));
        assert_eq!(keyring.secrets(), only(&new));
    }
}
