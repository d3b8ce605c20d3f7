//! A shard: one service in one group, on the group's leader. Pure: no I/O, no clock, no tasks.
//!
//! Commands run one at a time over the *staged view*: committed rows with everything staged before on top. What a run of
//! neighbours wants becomes one proposal; the next run does not wait for it. Every reply waits until what it was
//! computed from is on a quorum's disk and applied (P3). [`crate::host`] drives it, in production and in the simulation.

mod batch;
mod command;
mod kept;
mod mutants;
mod quarantine;
mod replies;
mod seal;
mod sessions;
#[cfg(test)]
mod tests;

pub(crate) use command::panic_text;
pub use command::{Command, EFFECTS_BYTES_MAX, RunCommand};
pub(crate) use kept::{CALLER_ID_KEPT_NS, Kept, keep, kept_rows, sessions_wait};
pub use mutants::{Mutant, Mutants};
pub use replies::{Replies, ReplyTo};

use batch::Batch;
use cluster::entry::{Entry, Fence};
use cluster::group::Settled;
use quarantine::Quarantine;
use sdk::runtime::{Delta, Op, Rows, expiry};
use sdk::{Error, Service, Time};
use seal::Seal;
use sessions::Sessions;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;
use wire::error::reasons;
use wire::ids::Term;

/// Most due rows one sweep takes (P15).
const SWEEP_ROWS_MAX: usize = 256;

/// What its driver must do next, in order.
pub enum Step {
    /// Propose, then tell [`Shard::settled`] how it ended and finish `replies` with it.
    Propose { term: Term, entry: Entry, replies: Replies },
    /// Run a ReadIndex round begun now, then finish `replies`, if this node has led in `term` all the while.
    Confirm { term: Term, replies: Replies },
}

/// The moment a run happens at.
#[derive(Clone, Copy)]
pub struct Now {
    /// The group's clock.
    pub time: Time,
    /// For deadlines.
    pub instant: Instant,
}

pub struct Shard {
    service: Arc<Service>,
    tables: Arc<[&'static str]>,
    /// The cluster's own.
    key: [u8; 32],
    seal: Seal,
    view: View,
    staged: Delta,
    sessions: Sessions,
    quarantine: Quarantine,
    /// Never goes back within this shard (P13).
    latest: Time,
    mutants: Mutants,
    /// For [`Mutant::DeferRequestRow`] alone.
    deferred: Vec<Op>,
}

/// The staged view: it belongs to one term and one epoch (P1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum View {
    Closed,
    /// Its opening entry is under way; nothing runs.
    Opening {
        term: Term,
        epoch: u64,
    },
    Open {
        term: Term,
        epoch: u64,
        proposed: u64,
        applied: u64,
    },
}

impl Shard {
    /// `key`: the cluster's own.
    pub fn new(service: Arc<Service>, key: [u8; 32]) -> Shard {
        let tables = service.tables().into();
        Shard {
            service,
            tables,
            key,
            seal: Seal::new(&key),
            view: View::Closed,
            staged: Delta::default(),
            sessions: Sessions::default(),
            quarantine: Quarantine::default(),
            latest: wire::Rfc3339(0),
            mutants: Mutants::default(),
            deferred: Vec::new(),
        }
    }

    pub(crate) fn set_mutants(&mut self, mutants: Mutants) {
        self.mutants = mutants;
    }

    pub fn is_open(&self) -> bool {
        matches!(self.view, View::Open { .. })
    }

    /// The term of the open view.
    pub fn opened_in(&self) -> Option<Term> {
        match self.view {
            View::Open { term, .. } => Some(term),
            _ => None,
        }
    }

    pub fn is_closed(&self) -> bool {
        self.view == View::Closed
    }

    /// The opening under way is this one.
    pub fn is_opening(&self, under: u64) -> bool {
        matches!(self.view, View::Opening { epoch, .. } if epoch == under)
    }

    /// Nothing under way and nothing remembered: it may go.
    pub fn is_idle(&self) -> bool {
        let settled = match self.view {
            View::Closed => true,
            View::Opening { .. } => false,
            View::Open { proposed, applied, .. } => proposed == applied,
        };
        settled && self.sessions.is_empty()
    }

    /// Begins a view in `term` under an `epoch` nobody used before.
    pub fn open(&mut self, term: Term, epoch: u64, now: Now) -> Step {
        self.close();
        // The mark it leaves is the group's clock for whoever comes next.
        let now = self.tick(now);
        self.view = View::Opening { term, epoch };
        Step::Propose { term, entry: self.entry(epoch, 0, vec![], now.time), replies: Replies::none(epoch, 0) }
    }

    /// How a proposal ended. For an opening (`n` = 0), `rows` are the committed rows as they are now.
    pub fn settled(&mut self, epoch: u64, n: u64, how: Settled, rows: Option<&dyn Rows>) -> Result<(), Error> {
        match &mut self.view {
            View::Opening { term, epoch: ours } if *ours == epoch && n == 0 => {
                let term = *term;
                let (Settled::Applied, Some(rows)) = (how, rows) else {
                    self.close();
                    return Ok(());
                };
                self.sessions = Sessions::load(rows, self.service.name(), self.latest)?;
                self.view = View::Open { term, epoch, proposed: 0, applied: 0 };
            }
            View::Open { epoch: ours, applied, .. } if *ours == epoch => match how {
                Settled::Applied => {
                    *applied = n;
                    self.staged.settle(n);
                }
                Settled::NotRun | Settled::Unknown => self.close(),
            },
            // Of a view that is closed already.
            _ => {}
        }
        Ok(())
    }

    /// The group's clock was seen at `time` by this writer before: it never goes back.
    pub fn not_before(&mut self, time: Time) {
        self.latest = self.latest.max(time);
    }

    /// Leadership is gone: what was staged and not proposed never was; what was proposed settles on its own.
    pub fn close(&mut self) {
        self.view = View::Closed;
        if !self.mutants.has(Mutant::KeepStaged) {
            self.staged = Delta::default();
        }
        self.sessions = Sessions::default();
        self.deferred.clear();
    }

    /// Runs `commands` in order over committed `rows`; the view must be open.
    pub fn run(
        &mut self,
        commands: VecDeque<Command>,
        rows: &dyn Rows,
        now: Now,
        seed: &mut dyn FnMut() -> [u8; 32],
    ) -> Vec<Step> {
        let View::Open { term, epoch, proposed, applied } = self.view else {
            commands
                .into_iter()
                .for_each(|c| c.reply.send(Err(reasons::NO_LEADER.refuse("the group has no leader here"))));
            return vec![];
        };
        let now = self.tick(now);
        let mut batch = Batch::new(epoch, proposed + 1);
        std::mem::take(&mut self.deferred).into_iter().for_each(|op| batch.push(op));
        let mut steps = Vec::new();
        for command in commands {
            self.run_one(command, rows, now, seed(), &mut batch);
            if batch.is_full() {
                let next = Batch::new(epoch, batch.n + 1);
                steps.push(self.propose(term, std::mem::replace(&mut batch, next), now));
            }
        }
        if batch.has_effects() || (batch.has_replies() && self.proposed() > applied) {
            // Without effects of its own but with proposals under way: an empty entry behind them confirms it all.
            steps.push(self.propose(term, batch, now));
        } else if batch.has_replies() {
            steps.push(Step::Confirm { term, replies: batch.replies });
        }
        steps
    }

    /// Takes away what is due; `None` if nothing is.
    pub fn sweep(&mut self, rows: &dyn Rows, now: Now) -> Result<Option<Step>, Error> {
        let View::Open { term, epoch, proposed, .. } = self.view else { return Ok(None) };
        let now = self.tick(now);
        let layered = sdk::runtime::Layered { base: rows, delta: &self.staged };
        let mut ops = expiry::sweep(&layered, self.service.name(), now.time.0, SWEEP_ROWS_MAX)?;
        let rest = SWEEP_ROWS_MAX.saturating_sub(ops.len());
        ops.extend(self.sessions.sweep(self.service.name(), now.time, rest));
        if ops.is_empty() {
            return Ok(None);
        }
        let mut batch = Batch::new(epoch, proposed + 1);
        self.stage(&mut batch, ops);
        Ok(Some(self.propose(term, batch, now)))
    }

    fn proposed(&self) -> u64 {
        match self.view {
            View::Open { proposed, .. } => proposed,
            _ => 0,
        }
    }

    fn tick(&mut self, now: Now) -> Now {
        self.latest = self.latest.max(now.time);
        Now { time: self.latest, ..now }
    }

    fn stage(&mut self, batch: &mut Batch, ops: Vec<Op>) {
        for op in ops {
            self.staged.stage(batch.n, op.clone());
            batch.push(op);
        }
    }

    fn propose(&mut self, term: Term, batch: Batch, now: Now) -> Step {
        if let View::Open { proposed, .. } = &mut self.view {
            debug_assert_eq!(batch.n, *proposed + 1);
            *proposed = batch.n;
        }
        Step::Propose { term, entry: self.entry(batch.epoch, batch.n, batch.ops, now.time), replies: batch.replies }
    }

    fn entry(&self, epoch: u64, n: u64, ops: Vec<storage::state::Op>, now: Time) -> Entry {
        Entry { fence: Fence { writer: self.service.name().to_string(), epoch, n }, now_ns: now.0, ops }
    }
}
