//! Replies that wait for their proposal or read round.

use crate::router::Running;
use bytes::Bytes;
use cluster::group::Settled;
use tokio::sync::oneshot;
use wire::Error;
use wire::Outcome;
use wire::error::reasons;

/// Where one call's answer goes. A caller that gave up costs nothing.
pub struct ReplyTo {
    to: oneshot::Sender<Result<Bytes, Error>>,
    /// Until then the call counts as under way (P6).
    running: Option<Running>,
}

impl ReplyTo {
    pub fn new(to: oneshot::Sender<Result<Bytes, Error>>) -> ReplyTo {
        ReplyTo { to, running: None }
    }

    pub(crate) fn counted(to: oneshot::Sender<Result<Bytes, Error>>, running: Option<Running>) -> ReplyTo {
        ReplyTo { to, running }
    }

    pub fn send(self, reply: Result<Bytes, Error>) {
        drop(self.running);
        // The caller may have gone at its deadline.
        let _ = self.to.send(reply);
    }

    pub fn is_gone(&self) -> bool {
        self.to.is_closed()
    }
}

/// The answers of a run of commands, and the proposal they wait for.
pub struct Replies {
    pub epoch: u64,
    pub n: u64,
    waiting: Vec<Waiting>,
}

struct Waiting {
    to: ReplyTo,
    reply: Result<Bytes, Error>,
    /// The reply was kept under the call's request id: an earlier copy ran, or may have.
    kept: bool,
}

impl Replies {
    pub fn none(epoch: u64, n: u64) -> Replies {
        Replies { epoch, n, waiting: vec![] }
    }

    pub fn push(&mut self, to: ReplyTo, reply: Result<Bytes, Error>) {
        self.waiting.push(Waiting { to, reply, kept: false });
    }

    /// As [`Replies::push`], for a call that ran before or is on its way: whatever becomes of this proposal, nobody may
    /// hear that the call never will.
    pub fn push_kept(&mut self, to: ReplyTo, reply: Result<Bytes, Error>) {
        self.waiting.push(Waiting { to, reply, kept: true });
    }

    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Answers everybody, now that it is known how the proposal ended.
    pub fn finish(self, how: Settled) {
        for Waiting { to, reply, kept } in self.waiting {
            to.send(match how {
                Settled::Applied => reply,
                Settled::NotRun if !kept => Err(lost(Outcome::NotRun)),
                Settled::NotRun | Settled::Unknown => Err(lost(Outcome::Unknown)),
            });
        }
    }
}

fn lost(outcome: Outcome) -> Error {
    let detail = match outcome {
        Outcome::Unknown => "leadership was lost while the call was under way; ask again under the same request id",
        _ => "leadership was lost before the call took effect; ask again",
    };
    reasons::LEADER_LOST.refuse(detail).with_outcome(outcome).retry_after_ms(100)
}
