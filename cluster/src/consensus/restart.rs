//! Opening a replica: what its two disks say is checked against each other, and one crash is repaired (RAFT §2).

use super::convert::{entry_from_log, hard_state_from_log, hard_state_to_log};
use super::memory::Memory;
use super::seed::{Damage, ReplicaSeed};
use raft::eraftpb as pb;
use storage::log::{ReplicaAppend, Start};
use wire::ids::{Index, ReplicaId, Term};

/// A replica's log, ready to run on.
pub(super) struct Recovered {
    pub(super) memory: Memory,
    /// What the repair still has to write, before anything else.
    pub(super) repair: Option<ReplicaAppend>,
    /// The term known to be durable.
    pub(super) durable_term: u64,
}

/// Checks the seed and repairs a crash between a snapshot's flip and the reset of its log.
pub(super) fn recover(seed: &ReplicaSeed) -> Result<Recovered, Damage> {
    let damaged = |what: String| Damage { group: seed.group, replica: seed.replica, what };
    let log = &seed.log;
    let mut before = log.start;
    for entry in &log.entries {
        if entry.index.0 != before.index.0 + 1 {
            return Err(damaged(format!("entry {} follows {}", entry.index, before.index)));
        }
        // §1.4f: a tail left behind a cut shows as a term that falls.
        if entry.term < before.term {
            return Err(damaged(format!("at {} the term falls from {} to {}", entry.index, before.term, entry.term)));
        }
        before = Start { index: entry.index, term: entry.term };
    }
    if !log.entries.is_empty() && before.term > log.hard_state.term {
        return Err(damaged(format!("an entry of {} under a hard state of {}", before.term, log.hard_state.term)));
    }
    // §2: the library would panic; a log that lost what was known to be committed is a replaced replica.
    if log.hard_state.commit > before.index {
        return Err(damaged(format!("commit {} lies behind the last entry {}", log.hard_state.commit, before.index)));
    }
    let applied = Start { index: seed.state.applied, term: seed.state.applied_term };
    if applied.index < log.start.index {
        return Err(damaged(format!("the log starts behind {}, the state ends at {}", log.start.index, applied.index)));
    }
    let mut hard_state = hard_state_from_log(&log.hard_state);
    let here = term_at(seed, applied.index);
    if here == Some(applied.term) {
        // §2: `applied` may be ahead of the kept commit; never clamp downwards.
        hard_state.commit = hard_state.commit.max(applied.index.0);
        let entries = log.entries.iter().cloned().map(entry_from_log).collect();
        let memory = Memory::new(log.start, entries, hard_state, &seed.state.conf);
        return Ok(Recovered { memory, repair: None, durable_term: log.hard_state.term.0 });
    }
    if applied.index <= log.hard_state.commit {
        return Err(damaged(format!(
            "the state has {} at {}, the committed log {here:?}",
            applied.term, applied.index
        )));
    }
    Ok(reset_behind(seed, applied, hard_state))
}

/// The flip is on disk and the log's reset is not (§2): the log begins again at the state; term and vote stay.
fn reset_behind(seed: &ReplicaSeed, applied: Start, mut hard_state: pb::HardState) -> Recovered {
    // The snapshot's message may have brought a newer term, held back with the reset: no vote was given in it.
    if hard_state.term < applied.term.0 {
        hard_state.term = applied.term.0;
        hard_state.vote = 0;
    }
    hard_state.commit = applied.index.0;
    let repair = ReplicaAppend {
        replica: seed.replica,
        reset: Some(applied),
        entries: Vec::new(),
        hard_state: Some(hard_state_to_log(&hard_state)),
        purge: None,
        destroy: false,
    };
    let memory = Memory::new(applied, Vec::new(), hard_state, &seed.state.conf);
    Recovered { memory, repair: Some(repair), durable_term: seed.log.hard_state.term.0 }
}

fn term_at(seed: &ReplicaSeed, index: Index) -> Option<Term> {
    let start = seed.log.start;
    if index == start.index {
        return Some(start.term);
    }
    let place = index.0.checked_sub(start.index.0 + 1)?;
    seed.log.entries.get(place as usize).map(|entry| entry.term)
}

/// A write of nothing, to be filled.
pub(super) fn nothing_for(replica: ReplicaId) -> ReplicaAppend {
    ReplicaAppend { replica, reset: None, entries: Vec::new(), hard_state: None, purge: None, destroy: false }
}
