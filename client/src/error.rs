//! Why a call has no reply, and whether it happened.

use std::time::Duration;
use wire::{Outcome, Reason};

/// A failed call. [`Error::outcome`] decides what may be done next.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A node, or the service behind it, answered so.
    #[error("{0}")]
    Answered(wire::Error),
    /// No node could be reached in time.
    #[error("cannot reach {node}: {why}")]
    Unreachable { node: String, why: String, outcome: Outcome },
    /// Somebody answers there, and is no node of the cluster whose CA certificate the client has.
    #[error(
        "{node} is no node of the cluster whose CA certificate was given: check the address, or get the certificate anew with `commons secret ca`"
    )]
    Untrusted { node: String },
    /// The connection broke, and there was no retry left.
    #[error("the connection to {node} was lost while the call was under way")]
    Lost { node: String, outcome: Outcome },
    /// No answer within the deadline.
    #[error("no answer within {after:?}")]
    TimedOut { after: Duration, outcome: Outcome },
    /// The call ran, but its answer cannot be read.
    #[error("the reply cannot be read: {0}")]
    Unreadable(String),
    /// The call was never sent: what is wrong with it.
    #[error("{0}")]
    Unsendable(String),
}

impl Error {
    /// Did the call happen? `NotRun`: it did not and will not. `Ran`: it did. `Unknown`: try again only under the same
    /// request id ([`crate::Client::with_request_id`]).
    pub fn outcome(&self) -> Outcome {
        match self {
            Error::Answered(error) => error.outcome,
            Error::Unreachable { outcome, .. } | Error::Lost { outcome, .. } | Error::TimedOut { outcome, .. } => {
                *outcome
            }
            Error::Unreadable(_) => Outcome::Ran,
            Error::Unsendable(_) | Error::Untrusted { .. } => Outcome::NotRun,
        }
    }

    /// Is it this reason? Match the constant beside the service's types, never the text.
    pub fn is(&self, reason: &Reason) -> bool {
        self.answer().is_some_and(|error| error.is(reason))
    }

    /// What a node or service answered, if one did.
    pub fn answer(&self) -> Option<&wire::Error> {
        match self {
            Error::Answered(error) => Some(error),
            _ => None,
        }
    }

    /// An earlier try may have run: this failure does not make it undone.
    pub(crate) fn after_unknown(mut self, maybe_ran: bool) -> Error {
        let outcome = match &mut self {
            Error::Answered(error) => &mut error.outcome,
            Error::Unreachable { outcome, .. } | Error::Lost { outcome, .. } | Error::TimedOut { outcome, .. } => {
                outcome
            }
            // The first try was answered, by who is not to be asked again.
            Error::Untrusted { node } if maybe_ran => {
                return Error::Lost { node: std::mem::take(node), outcome: Outcome::Unknown };
            }
            Error::Untrusted { .. } | Error::Unreadable(_) | Error::Unsendable(_) => return self,
        };
        if maybe_ran && *outcome == Outcome::NotRun {
            *outcome = Outcome::Unknown;
        }
        self
    }
}
