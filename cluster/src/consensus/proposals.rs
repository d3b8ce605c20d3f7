//! Who waits for which log entry (§5). No bytes travel in the entry: (index, term) is the name.

use super::effect::{Effect, Outcome};
use super::input::Ticket;
use std::collections::{BTreeMap, VecDeque};
use wire::ids::Index;

/// A replica's tickets, from proposal to answer.
#[derive(Default)]
pub(super) struct Proposals {
    /// In the log, not decided: (index, term).
    open: BTreeMap<(u64, u64), Ticket>,
    /// Committed and handed to the driver; answered when applied, in order of index.
    applying: VecDeque<(u64, Ticket)>,
    /// The newest committed term: only a new one can refute proposals beyond its own index.
    seen_term: u64,
}

fn answer(ticket: Ticket, outcome: Outcome) -> Effect {
    Effect::Answer { ticket, outcome }
}

impl Proposals {
    pub(super) fn remember(&mut self, index: u64, term: u64, ticket: Ticket) {
        self.open.insert((index, term), ticket);
    }

    /// Entry (`index`, `term`) is committed. Ours if we proposed exactly it; any other proposal at this index, and any
    /// of an older term behind it, can never be (log matching), so it is told `NotRun`.
    pub(super) fn committed(&mut self, index: u64, term: u64, out: &mut Vec<Effect>) -> Option<Ticket> {
        let mine = self.open.remove(&(index, term));
        if let Some(ticket) = mine {
            self.applying.push_back((index, ticket));
        }
        if term > self.seen_term {
            self.seen_term = term;
            self.open.retain(|(_, other), ticket| {
                let lives = *other >= term;
                if !lives {
                    out.push(answer(*ticket, Outcome::NotRun));
                }
                lives
            });
        }
        mine
    }

    /// The state shows everything up to `index`.
    pub(super) fn applied(&mut self, index: u64, out: &mut Vec<Effect>) {
        while self.applying.front().is_some_and(|(at, _)| *at <= index) {
            if let Some((at, ticket)) = self.applying.pop_front() {
                out.push(answer(ticket, Outcome::Committed(Index(at))));
            }
        }
    }

    /// A snapshot covers everything up to `index`: what was undecided there stays unknown (§5).
    pub(super) fn skipped(&mut self, index: u64, out: &mut Vec<Effect>) {
        self.open.retain(|(at, _), ticket| {
            let lives = *at > index;
            if !lives {
                out.push(answer(*ticket, Outcome::Unknown));
            }
            lives
        });
    }

    /// The replica is gone.
    pub(super) fn abandon(&mut self, out: &mut Vec<Effect>) {
        for ticket in std::mem::take(&mut self.open).into_values() {
            out.push(answer(ticket, Outcome::Unknown));
        }
        for (_, ticket) in std::mem::take(&mut self.applying) {
            out.push(answer(ticket, Outcome::Unknown));
        }
    }
}
