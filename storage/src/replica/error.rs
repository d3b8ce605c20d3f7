//! Why a replica's state cannot be used, or a snapshot not be taken.

use super::Generation;
use crate::state;
use wire::ids::{Index, ReplicaId};

/// What can go wrong above the engine.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Engine(#[from] state::Error),
    /// A newer Commons wrote this; nothing was changed.
    #[error("{what} has layout version {version}, this binary knows {known} and older: start the newer binary again")]
    Newer { what: String, version: u8, known: u8 },
    /// The checksum is right and the content is not: a bug, or a forged row. To be treated like damage.
    #[error("{what} cannot be read: {why}")]
    Malformed { what: String, why: &'static str },
    /// A replica's id is used once, ever (RAFT §4).
    #[error("replica {0} was on this node before: its id must not be used again")]
    Used(ReplicaId),
    /// The replica was destroyed while somebody still held it.
    #[error("replica {0} is not on this node")]
    Gone(ReplicaId),
    /// A chunk is damaged, out of order or of another snapshot: the whole transfer starts again.
    #[error("snapshot chunk {chunk}: {why}")]
    Chunk { chunk: u32, why: &'static str },
    /// The snapshot ends before where the replica already is; what was staged may be abandoned.
    #[error("a snapshot at {snapshot} is not ahead of the replica at {applied}")]
    Behind { snapshot: Index, applied: Index },
    /// Another snapshot was flipped to while this one was staged.
    #[error("{staged} was staged, but the replica is in {current} by now")]
    Superseded { staged: Generation, current: Generation },
}

impl Error {
    /// What is on this disk is not what was written (P17). A newer layout is none: the newer binary reads it.
    pub fn is_damage(&self) -> bool {
        match self {
            Error::Engine(error) => error.is_damage(),
            Error::Malformed { .. } => true,
            _ => false,
        }
    }

    /// The node must end (see [`state::Error::is_fatal`]). A bad snapshot or a wrong id is the sender's fault, not this disk's.
    pub fn is_fatal(&self) -> bool {
        match self {
            Error::Engine(error) => error.is_fatal(),
            Error::Newer { .. } | Error::Malformed { .. } => true,
            Error::Used(_) | Error::Gone(_) | Error::Chunk { .. } | Error::Behind { .. } | Error::Superseded { .. } => {
                false
            }
        }
    }
}
