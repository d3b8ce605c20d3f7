//! Wrong turns of a shard that the simulation must find. Without the feature `mutants` (never on in the shipped binary,
//! nor by default) a [`Mutants`] is empty and every question costs nothing.

/// One rule left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Mutant {
    /// What was staged in a lost view lies under the next one (P1).
    KeepStaged,
    /// The reply kept under a request id goes with the entry after the command's (P5).
    DeferRequestRow,
    /// What a command wrote before it panicked happens (P2).
    PanicKeepsOverlay,
    /// A refusal does not wait for what it was computed from (P3).
    RefuseAtOnce,
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
