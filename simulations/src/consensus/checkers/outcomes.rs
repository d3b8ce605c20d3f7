//! Answers keep their word: `Committed(i)` is the entry at i for good, `NotRun` is never seen, each ticket ends once.

use super::Violation;
use cluster::consensus::{Outcome, Ticket};
use std::collections::{BTreeMap, BTreeSet};
use wire::ids::{GroupId, Index};

/// What the clients were told.
#[derive(Default)]
pub struct Outcomes {
    open: BTreeMap<Ticket, GroupId>,
    /// The value (= the ticket that proposed it) applied at each index.
    applied: BTreeMap<(GroupId, Index), u64>,
    places: BTreeMap<u64, Index>,
    refuted: BTreeSet<u64>,
    pub committed: u64,
    pub not_run: u64,
    pub unknown: u64,
}

impl Outcomes {
    pub fn proposed(&mut self, group: GroupId, ticket: Ticket) {
        self.open.insert(ticket, group);
    }

    /// A replica applied `value` at `index`; `ticket` is what its own core said of it.
    pub fn applied(
        &mut self,
        group: GroupId,
        index: Index,
        value: u64,
        ticket: Option<Ticket>,
    ) -> Result<(), Violation> {
        if self.refuted.contains(&value) {
            return Err(format!("outcome: {group} applies value {value} at {index}, its caller heard NotRun"));
        }
        if ticket.is_some_and(|ticket| ticket.0 != value) {
            return Err(format!("outcome: {group} at {index}: value {value} carries {ticket:?}"));
        }
        if *self.places.entry(value).or_insert(index) != index {
            return Err(format!("outcome: {group} applies value {value} twice"));
        }
        self.applied.insert((group, index), value);
        Ok(())
    }

    pub fn answered(&mut self, ticket: Ticket, outcome: &Outcome) -> Result<(), Violation> {
        let Some(group) = self.open.remove(&ticket) else {
            return Err(format!("outcome: {ticket:?} is answered {outcome:?} a second time, or was never asked"));
        };
        match outcome {
            Outcome::Committed(index) => {
                self.committed += 1;
                if self.applied.get(&(group, *index)) != Some(&ticket.0) {
                    return Err(format!(
                        "outcome: {ticket:?} committed at {index} of {group}, where it is not applied"
                    ));
                }
            }
            Outcome::NotRun | Outcome::NotLeader(_) => {
                self.not_run += 1;
                self.refuted.insert(ticket.0);
                if let Some(index) = self.places.get(&ticket.0) {
                    return Err(format!(
                        "outcome: {ticket:?} heard {outcome:?}, and lies applied at {index} of {group}"
                    ));
                }
            }
            Outcome::Unknown => self.unknown += 1,
            other => return Err(format!("outcome: a proposal was answered {other:?}")),
        }
        Ok(())
    }

    /// The node died: whoever waited there never hears.
    pub fn lost(&mut self, ticket: Ticket) {
        self.open.remove(&ticket);
    }

    /// Where the value of a ticket was applied.
    pub fn place_of(&self, ticket: Ticket) -> Option<Index> {
        self.places.get(&ticket.0).copied()
    }
}
