//! What a clean run amounted to: also the proof that it was not empty.

use super::world::{MS, World};
use std::ops::AddAssign;

/// What happened, counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub lives: u64,
    pub crashes: u64,
    pub failed_opens: u64,
    pub fatals: u64,
    pub terms: u64,
    pub purges: u64,
    pub proposals_lost: u64,
    pub shards_dropped: u64,
    pub calls: u64,
    pub ran: u64,
    pub refused: u64,
    pub not_run: u64,
    pub unknown: u64,
    pub retries: u64,
    /// Replies that came again under the same id.
    pub repeated: u64,
    pub late_copies: u64,
    pub forged: u64,
    pub panics: u64,
    pub queries: u64,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Counts) {
        let Counts {
            lives,
            crashes,
            failed_opens,
            fatals,
            terms,
            purges,
            proposals_lost,
            shards_dropped,
            calls,
            ran,
            refused,
            not_run,
            unknown,
            retries,
            repeated,
            late_copies,
            forged,
            panics,
            queries,
        } = other;
        self.lives += lives;
        self.crashes += crashes;
        self.failed_opens += failed_opens;
        self.fatals += fatals;
        self.terms += terms;
        self.purges += purges;
        self.proposals_lost += proposals_lost;
        self.shards_dropped += shards_dropped;
        self.calls += calls;
        self.ran += ran;
        self.refused += refused;
        self.not_run += not_run;
        self.unknown += unknown;
        self.retries += retries;
        self.repeated += repeated;
        self.late_copies += late_copies;
        self.forged += forged;
        self.panics += panics;
        self.queries += queries;
    }
}

#[derive(Clone, Debug)]
pub struct Report {
    pub trace_hash: u64,
    pub trace: Option<String>,
    pub counts: Counts,
    pub virtual_ms: u64,
}

impl World {
    pub fn report(&self) -> Report {
        Report {
            trace_hash: self.trace.hash(),
            trace: self.trace.text().map(str::to_owned),
            counts: self.counts.clone(),
            virtual_ms: self.now / MS,
        }
    }
}
