//! One call, tried until somebody can say how it ended or its time is over: under the same request id, after waits that
//! grow, within the router's budget.

use super::Inner;
use crate::peers::PeerError;
use sdk::Error;
use std::time::{Duration, Instant};
use wire::Outcome;
use wire::error::reasons;
use wire::ids::{GroupId, NodeId};

/// Why a node could not answer.
pub(super) struct Miss {
    pub(super) error: Error,
    /// Who leads, as it says.
    pub(super) hint: Option<NodeId>,
    /// Trying elsewhere may help.
    pub(super) passes: bool,
    /// It cost another node nothing.
    pub(super) free: bool,
}

pub(super) struct Tries<'a> {
    inner: &'a Inner,
    deadline: Instant,
    /// It may be sent again though it may have run: it is done once under its id, or only reads.
    repeatable: bool,
    reads: bool,
    /// An earlier try may have run.
    doubt: bool,
    last: Option<Error>,
    rounds: u32,
    /// The next send costs nothing.
    free: bool,
}

impl Miss {
    /// An answer of a router, this one's or another's.
    pub(super) fn said(error: Error, hint: Option<NodeId>, here: bool) -> Miss {
        let stops = error.is(&reasons::STOPPING) && !here;
        let passes = error.is(&reasons::NO_LEADER) || error.is(&reasons::LEADER_LOST) || stops;
        Miss { error, hint, passes, free: here }
    }

    /// No answer of `node` at all; `early` = the call had time left.
    pub(super) fn silent(error: PeerError, node: NodeId, early: bool) -> Miss {
        let unknown = |why: String| reasons::LEADER_LOST.refuse(why).with_outcome(Outcome::Unknown).retry_after_ms(200);
        let (error, passes, free) = match error {
            PeerError::NotSent(why) => {
                let error = reasons::NO_LEADER.refuse(format!("node {node} leads and cannot be reached: {why}"));
                (error.retry_after_ms(200), true, true)
            }
            PeerError::Lost(why) => {
                (unknown(format!("node {node} had the call, and the link to it broke: {why}")), true, false)
            }
            PeerError::TimedOut if early => {
                (unknown(format!("node {node} had the call and says nothing")), true, false)
            }
            PeerError::TimedOut => {
                let error = reasons::DEADLINE
                    .refuse("no answer in time; it may still happen: ask again under the same request id");
                (error.with_outcome(Outcome::Unknown), false, false)
            }
            PeerError::Refused(error) => {
                let passes = error.is(&reasons::STOPPING) || error.is(&reasons::NO_LEADER);
                (error, passes, false)
            }
        };
        Miss { error, hint: None, passes, free }
    }
}

impl<'a> Tries<'a> {
    pub(super) fn new(inner: &'a Inner, deadline: Instant, repeatable: bool, reads: bool) -> Tries<'a> {
        Tries { inner, deadline, repeatable, reads, doubt: false, last: None, rounds: 0, free: true }
    }

    /// May it be tried again? Else what its caller hears.
    pub(super) fn missed(&mut self, miss: Miss) -> Result<(), Error> {
        let ran = miss.error.outcome != Outcome::NotRun;
        // Only the time that this one try was given.
        let early = miss.error.is(&reasons::DEADLINE) && self.is_early();
        if !(miss.passes || early) || (ran && !self.repeatable) {
            return Err(self.final_word(miss.error));
        }
        self.doubt |= ran && !self.reads;
        self.free = miss.free;
        self.last = Some(miss.error);
        Ok(())
    }

    /// May it be sent to another node now?
    pub(super) fn affords(&mut self) -> bool {
        self.free || self.inner.budget.spend(Instant::now())
    }

    /// Waits before another round; an error when the call's time is over.
    pub(super) async fn pause(&mut self) -> Result<(), Error> {
        let wait = self.inner.budget.wait(self.rounds);
        self.rounds += 1;
        let now = Instant::now();
        if now + wait >= self.deadline {
            let late = || reasons::DEADLINE.refuse("nobody who leads was found in time");
            let error = self.last.take().unwrap_or_else(late);
            return Err(self.final_word(error));
        }
        // tidy: sleep because nobody tells when a group elsewhere has found a leader
        tokio::time::sleep(wait).await;
        Ok(())
    }

    /// This node is cut off and cannot know whether `group` is led: said at once (P22).
    pub(super) fn check_quorum(&self, group: GroupId) -> Result<(), Error> {
        if self.inner.leads(group) || !self.inner.peers.cut_off() {
            return Ok(());
        }
        let detail = "this node hears from fewer than half of its cluster: ask another node, or read with stale_ok";
        Err(self.final_word(reasons::NO_QUORUM.refuse(detail).retry_after_ms(1000)))
    }

    /// How long one try may take where another node could do as well.
    pub(super) fn until(&self, most: Duration) -> Instant {
        if self.repeatable { self.deadline.min(Instant::now() + most) } else { self.deadline }
    }

    pub(super) fn is_early(&self) -> bool {
        Instant::now() < self.deadline
    }

    /// Nobody may hear that a call did not run while an earlier try of it may have.
    fn final_word(&self, error: Error) -> Error {
        let settles = error.is(&reasons::ID_GIVEN_UP);
        match error.outcome {
            Outcome::NotRun if self.doubt && !settles => error.with_outcome(Outcome::Unknown),
            // A read changes nothing, whatever became of it.
            Outcome::Unknown if self.reads => error.with_outcome(Outcome::NotRun),
            _ => error,
        }
    }
}
