//! Wrong turns that the simulation must find (§10). Without the feature `mutants` (never on in the shipped binary, nor
//! by default) a [`Mutants`] is empty and every question costs nothing.

/// One rule left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Mutant {
    /// `on_persist_ready` and its messages before the fsync (§1.6).
    AckBeforeSync,
    /// Only the persisted messages before the fsync (§1.4g).
    MessagesBeforeSync,
    /// An empty ready is reported at once whatever is outstanding (§1.6).
    EmptyShortcut,
    /// Ticks, time-outs-now and second snapshots while one installs (§3).
    TickInstalling,
    /// A lost snapshot is never reported (§3).
    NoSnapshotDeadline,
    /// The log is purged up to the applied index (§3).
    PurgeToApplied,
    /// A leader that is no voter leads on (§4).
    NonVoterLeads,
    /// A sole voter sends before its vote is durable (§4).
    SoleVoterSends,
    /// A sole voter ticks with an unsynced tail (§4).
    SoleVoterTicks,
    /// Proposals from peers are taken (§1.2).
    PeersPropose,
    /// Read contexts repeat over restarts (§5).
    RepeatedContexts,
    /// Votes right after a start (§6).
    NoRefusal,
    /// A lease goes on after a transfer (§6).
    LeaseAfterTransfer,
    /// Missed ticks are made up in a burst (§6).
    TickDebt,
    /// Leases half again as long (§6).
    LeaseTooLong,
    /// The library's `batch_append`, which loses entries.
    BatchAppend,
    /// Elections draw from the thread's own randomness (§7).
    RandomTimeouts,
}

/// The set of mutants that are on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mutants {
    #[cfg(feature = "mutants")]
    bits: u32,
}

impl Mutants {
    /// Adds one; without the feature it changes nothing.
    #[cfg_attr(not(feature = "mutants"), allow(unused_mut))]
    pub fn with(mut self, mutant: Mutant) -> Mutants {
        #[cfg(feature = "mutants")]
        {
            self.bits |= 1 << mutant as u32;
        }
        let _ = mutant;
        self
    }

    /// Whether the rule is left out.
    #[inline]
    pub fn has(self, mutant: Mutant) -> bool {
        let _ = mutant;
        #[cfg(feature = "mutants")]
        return self.bits & (1 << mutant as u32) != 0;
        #[cfg(not(feature = "mutants"))]
        false
    }
}
