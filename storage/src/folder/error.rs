//! Why a folder is refused: each a sentence that says what to do.

use super::FORMAT;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use wire::ids::ClusterId;

/// Nothing in the folder was changed, but for the lock file.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    #[error("{} is in use by another Commons process{}: stop that one, or give this node a folder of its own with --data", dir.display(), of(*pid))]
    Locked { dir: PathBuf, pid: Option<u32> },
    #[error("{} is not writable for this user ({error}, {doing}): change its owner, or name another folder with --data", dir.display())]
    NotWritable { dir: PathBuf, doing: &'static str, error: io::Error },
    #[error("the disk of {} is full ({doing}): make room, then start again", dir.display())]
    Full { dir: PathBuf, doing: &'static str },
    #[error("{} cannot be used as a data folder ({error}, {doing}): check the disk, or name another folder with --data", dir.display())]
    Disk { dir: PathBuf, doing: &'static str, error: io::Error },
    #[error("{} holds `{name}` and is no Commons folder: name an empty or new folder with --data", dir.display())]
    Foreign { dir: PathBuf, name: String },
    #[error(
        "{}/identity is gone, but {engine}/ has content: put the file back. If it is lost, remove the node from its cluster and start it on an empty folder",
        dir.display()
    )]
    IdentityLost { dir: PathBuf, engine: &'static str },
    #[error(
        "{} has lost its {engine}/ folder: put it back. If it is lost, remove the node from its cluster and start it on an empty folder",
        dir.display()
    )]
    EngineLost { dir: PathBuf, engine: &'static str },
    #[error(
        "{} is damaged ({why}): put back a copy of it. If there is none, remove the node from its cluster and start it on an empty folder",
        file.display()
    )]
    Damaged { file: PathBuf, why: &'static str },
    #[error("{} has format {format}, this binary knows {FORMAT} and older: start the newer binary again", file.display())]
    Newer { file: PathBuf, format: u32 },
    #[error(
        "{} belongs to a node of cluster {here}, not of {wanted}: start it without --join or join its own cluster, or name an empty folder with --data",
        dir.display()
    )]
    WrongCluster { dir: PathBuf, here: ClusterId, wanted: ClusterId },
}

impl FolderError {
    pub(super) fn unusable(dir: &Path, doing: &'static str, error: io::Error) -> FolderError {
        let dir = dir.into();
        match error.kind() {
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
                FolderError::NotWritable { dir, doing, error }
            }
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => FolderError::Full { dir, doing },
            _ => FolderError::Disk { dir, doing, error },
        }
    }
}

fn of(pid: Option<u32>) -> String {
    pid.map_or_else(String::new, |pid| format!(" (pid {pid})"))
}
