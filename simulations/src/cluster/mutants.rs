//! Rules left out, which the checkers must notice. All but one are wrappers of this world: production knows nothing of them.

/// One rule left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutant {
    /// A replica is destroyed when it is to leave, not once it has left and a quorum has that on disk (RAFT §4).
    DestroyAtOnce,
    /// A node that lost its disk opens the replicas it had, under their old ids (RAFT §4).
    OldIds,
    /// A snapshot's log reset does not wait for the flip (P16): batches are reported before they are written.
    AckBeforeSync,
    /// The log shrinks up to what is applied, not what is flushed (P18). Needs the feature `mutants`.
    PurgeToApplied,
}

impl Mutant {
    pub(super) fn of_core(mutant: Option<Mutant>) -> cluster::consensus::Mutants {
        let none = cluster::consensus::Mutants::default();
        match mutant {
            Some(Mutant::PurgeToApplied) => none.with(cluster::consensus::Mutant::PurgeToApplied),
            _ => none,
        }
    }
}
