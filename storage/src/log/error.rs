//! What can keep a log from opening or from writing: each a sentence that says what to do.

use super::damage::Damage;
use super::ledger::Broken;
use std::io;
use wire::ids::{ClusterId, NodeId};

/// Why a log did not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("this folder holds the log of cluster {found}, not of {expected}; give the node its own data folder")]
    WrongCluster { found: ClusterId, expected: ClusterId },
    #[error("this folder holds the log of node {found}, not of {expected}; give each node its own data folder")]
    WrongNode { found: NodeId, expected: NodeId },
    #[error(
        "the log was written by a newer version (format {found}, this one knows {known}); start that version, or a newer one"
    )]
    NewerFormat { found: u16, known: u16 },
    #[error("another process has this log open; stop it first, or give this node its own data folder")]
    Locked,
    #[error(
        "there is no log in this folder, but this node has had one; put the folder back. If it is gone for good, remove \
         this node from the cluster and let a new one join"
    )]
    NoLog,
    #[error("{0}")]
    Damaged(Box<Damage>),
    #[error("{0}")]
    MissingFile(Box<Damage>),
    #[error("{0}")]
    ShortFile(Box<Damage>),
    #[error("the disk is full (could not {doing}); free some space and start again: nothing is lost")]
    Full { doing: &'static str },
    #[error("could not {doing}: {source}; check the disk, then start again")]
    Io { doing: &'static str, source: io::Error },
}

impl OpenError {
    /// What is damaged, whatever kind of damage it is: after it, the replicas of this log never vote again.
    pub fn damage(&self) -> Option<&Damage> {
        match self {
            OpenError::Damaged(damage) | OpenError::MissingFile(damage) | OpenError::ShortFile(damage) => Some(damage),
            _ => None,
        }
    }
}

pub(super) fn io_error(doing: &'static str) -> impl Fn(io::Error) -> OpenError {
    move |source| if is_full(&source) { OpenError::Full { doing } } else { OpenError::Io { doing, source } }
}

pub(super) fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

impl From<LogError> for OpenError {
    fn from(error: LogError) -> Self {
        match error {
            LogError::Full { doing } => OpenError::Full { doing },
            LogError::Io { doing, source } => OpenError::Io { doing, source },
            LogError::Damaged(damage) => OpenError::Damaged(damage),
            other => OpenError::Io { doing: "begin the log", source: io::Error::other(other.to_string()) },
        }
    }
}

/// Why an append did not happen.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// No room for the next segment. Nothing of the call was written and the log goes on once there is room, unless
    /// [`super::Log::is_dead`].
    #[error("the disk is full (could not {doing}); free some space and start again: nothing acknowledged is lost")]
    Full { doing: &'static str },
    /// The disk failed. Whether the batch is durable is unknown; the handle is dead, and the process must end.
    #[error("could not {doing}: {source}; the log is closed for good, check the disk before starting again")]
    Io { doing: &'static str, source: io::Error },
    #[error("the log is closed since it could not {doing}; start the node again")]
    Dead { doing: &'static str },
    /// Nothing was written.
    #[error("a batch of {bytes} bytes is more than the {max} a segment holds")]
    TooLarge { bytes: usize, max: usize },
    /// The caller asked for what a log never does: a bug above. Nothing was written.
    #[error("the log refuses an append that breaks its rules: {0}")]
    Broken(#[from] Broken),
    /// An old segment, read again to move its entries, is damaged. The handle is dead.
    #[error("{0}")]
    Damaged(Box<Damage>),
}
