//! P5: under one request id a call counts once and has one reply, for ever; refused stays refused.

use crate::node::answers::definite;
use crate::node::calls::{Call, Done, Kind, Reply};
use crate::node::report::Counts;
use std::collections::BTreeSet;
use wire::Outcome;
use wire::error::reasons;

#[derive(Default)]
pub struct Once {
    never: BTreeSet<u64>,
}

impl Once {
    /// Whether the reply says something new. `waits`: the client has not said that it needs the reply no more.
    pub fn reply(&mut self, call: &mut Call, reply: &Reply, waits: bool, counts: &mut Counts) -> Result<bool, String> {
        if let Err(error) = reply
            && error.is(&reasons::PANICKED)
        {
            counts.panics += 1;
            if call.kind != Kind::Explode {
                return Err(format!("{} panicked", call.names()));
            }
        }
        if let Err(error) = reply
            && error.is(&reasons::ID_REUSED)
        {
            counts.late_copies += 1;
            // Below the session's low, and only there.
            let late = error.outcome == Outcome::Unknown && !waits;
            return if late { Ok(false) } else { Err(format!("{}: {error}", call.names())) };
        }
        if definite(reply) != Some(Outcome::Ran) {
            return Ok(false);
        }
        if call.kind == Kind::Explode {
            return Err(format!("{} panics, and answered {reply:?}", call.names()));
        }
        if call.kind.is_query() {
            return Ok(true);
        }
        match &call.reply {
            None => {
                call.reply = Some(reply.clone());
                Ok(true)
            }
            Some(first) if first == reply => {
                counts.repeated += 1;
                Ok(false)
            }
            Some(first) => Err(format!("{}: first {first:?}, then {reply:?}", call.names())),
        }
    }

    /// An answer after the client was done with the call.
    pub fn after_the_end(&self, call: &Call, reply: &Reply) -> Result<(), String> {
        if call.done == Some(Done::NotRun) && definite(reply) == Some(Outcome::Ran) {
            return Err(format!("{} was not run for certain, and then {reply:?}", call.names()));
        }
        Ok(())
    }

    /// The same id with another payload, after the call ran.
    pub fn forged(&self, call: &Call, reply: &Reply) -> Result<(), String> {
        match reply {
            Err(error) if error.is(&reasons::ID_REUSED) || error.outcome != Outcome::Ran => Ok(()),
            other => Err(format!("another payload under the id of {}: {other:?}", call.names())),
        }
    }

    pub fn never(&mut self, call: &Call) {
        self.never.insert(call.token);
    }
}
