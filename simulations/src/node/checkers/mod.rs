//! What must hold, one property a file. Each answer is shown to all of them the moment the node gives it, heard or not.

mod counters;
mod leftovers;
mod lines;
mod once;
mod own;
mod terms;
mod wallets;

pub use leftovers::leftovers;

use super::calls::{Call, Done, Kind, Reply};
use counters::Counters;
use lines::Lines;
use once::Once;
use own::Own;
use std::sync::Arc;
use terms::Terms;
use wallets::Wallets;

/// An entity of an account: what a checker keeps a history of.
pub type Whose = (Arc<str>, Arc<str>);

#[derive(Default)]
pub struct Checkers {
    pub once: Once,
    pub lines: Lines,
    pub counters: Counters,
    pub own: Own,
    pub wallets: Wallets,
    pub terms: Terms,
}

impl Checkers {
    /// What anybody was told of the entity by now: a later call must not see less.
    pub fn floor(&self, account: &Arc<str>, entity: &Arc<str>, kind: &Kind) -> u64 {
        let whose = (account.clone(), entity.clone());
        match kind {
            Kind::Count { .. } | Kind::CountBack { .. } | Kind::ReadCount => self.counters.floor(&whose),
            _ => self.lines.floor(&whose),
        }
    }

    /// A call ran, with this reply, for the first time.
    pub fn ran(
        &mut self,
        number: usize,
        calls: &[Call],
        reply: &Reply,
        read_at: Option<i64>,
        clock_high: i64,
    ) -> Result<(), String> {
        let call = &calls[number];
        let checked = match call.kind {
            Kind::Append | Kind::Refuse | Kind::Explode | Kind::Fill { .. } | Kind::Lend { .. } => {
                self.lines.position(call, reply)
            }
            Kind::Peek | Kind::Look => self.lines.seen(call, calls, reply),
            Kind::Count { .. } | Kind::CountBack { .. } | Kind::ReadCount => self.counters.ran(call, reply),
            Kind::Set { .. } | Kind::Delete | Kind::Get => self.own.ran(call, reply, read_at, clock_high),
            Kind::Create | Kind::Credit { .. } | Kind::Debit { .. } | Kind::Balance => self.wallets.ran(call, reply),
        };
        checked.map_err(|why| format!("{}: {why}", call.names()))
    }

    /// The client knows.
    pub fn ended(&mut self, call: &Call, done: &Done) {
        if *done == Done::NotRun {
            self.once.never(call);
        }
    }

    /// Everything is at rest and every call has ended.
    pub fn at_rest(&mut self, calls: &[Call]) -> Result<(), String> {
        self.lines.at_rest(calls)?;
        self.counters.at_rest(calls)?;
        self.wallets.at_rest(calls)
    }
}

/// For traces.
pub fn digest(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3))
}

/// Decodes an answer that was Ok.
fn decoded<T: serde::de::DeserializeOwned>(reply: &Reply) -> Result<T, String> {
    let bytes = reply.as_ref().map_err(|error| format!("was refused: {error}"))?;
    wire::endpoint::decode(bytes).map_err(|error| format!("a reply does not decode: {error}"))
}
