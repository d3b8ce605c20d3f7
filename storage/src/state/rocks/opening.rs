//! What is looked at before RocksDB may touch a folder: it would rather make a new database than miss one.

use crate::state::Error;
use std::fs;
use std::path::{Path, PathBuf};

/// The version in this binary; a test compares it with what RocksDB writes.
pub(super) const VERSION: Version = Version(11, 8, 1);

/// Whether the folder may still be without an engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// The node has never been complete: make what is not there.
    MayCreate,
    /// There was one: not finding it is a loss, not a beginning.
    MustExist,
}

/// Why the engine was not opened. The folder is as it was.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error(
        "{folder} was last written by RocksDB {theirs}, this binary has {ours} and may misread it: start the newer binary again"
    )]
    Newer { folder: PathBuf, theirs: Version, ours: Version },
    #[error(
        "{folder} has lost its state: {missing}. Restore the folder's disk, or remove the node from the cluster and let it join again empty; nothing was changed"
    )]
    Lost { folder: PathBuf, missing: String },
    #[error("{folder} belongs to another program: {sign}. Point --data at a folder of its own; nothing was changed")]
    Foreign { folder: PathBuf, sign: String },
    #[error(transparent)]
    Engine(#[from] Error),
}

/// A version of RocksDB.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub u32, pub u32, pub u32);

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

pub fn check(folder: &Path, presence: Presence) -> Result<(), OpenError> {
    let names = names(folder)?;
    let lost = |missing: String| Err(OpenError::Lost { folder: folder.into(), missing });
    if !names.iter().any(|name| name == "CURRENT") {
        // Files of a database without the one that names its manifest: opened as it is, it would come up empty.
        let remains = names.iter().find(|name| name.ends_with(".sst") || name.starts_with("MANIFEST-"));
        return match (remains, presence) {
            (Some(remains), _) => lost(format!("there is {remains}, but no CURRENT")),
            (None, Presence::MustExist) => lost("there is no database in it".into()),
            (None, Presence::MayCreate) => Ok(()),
        };
    }
    // Names are numbered; a crash during the very first opening leaves none.
    let Some(newest) = names.iter().filter_map(|name| Some((number(name)?, name))).max() else { return Ok(()) };
    let written = fs::read_to_string(folder.join(newest.1)).map_err(|error| reading(folder, &error))?;
    let Some(theirs) = written.lines().find_map(version) else { return lost(format!("{} names no version", newest.1)) };
    // A patch release never changes what is on disk.
    if (theirs.0, theirs.1) > (VERSION.0, VERSION.1) {
        return Err(OpenError::Newer { folder: folder.into(), theirs, ours: VERSION });
    }
    let foreign = written.lines().map(str::trim).find(|line| {
        (line.starts_with("[CFOptions ") && *line != "[CFOptions \"default\"]")
            || (line.starts_with("comparator=") && *line != "comparator=leveldb.BytewiseComparator")
            || (line.starts_with("merge_operator=") && *line != "merge_operator=nullptr")
    });
    match foreign {
        Some(sign) => Err(OpenError::Foreign { folder: folder.into(), sign: format!("{} says {sign}", newest.1) }),
        None => Ok(()),
    }
}

/// None if the folder is not there.
fn names(folder: &Path) -> Result<Vec<String>, OpenError> {
    match fs::read_dir(folder) {
        Ok(entries) => entries
            .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
            .collect::<Result<_, _>>()
            .map_err(|error: std::io::Error| reading(folder, &error)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(reading(folder, &error)),
    }
}

fn reading(folder: &Path, error: &std::io::Error) -> OpenError {
    OpenError::Engine(Error::Io(format!("reading {}: {error}", folder.display())))
}

fn number(name: &str) -> Option<u64> {
    name.strip_prefix("OPTIONS-")?.parse().ok()
}

fn version(line: &str) -> Option<Version> {
    let mut parts = line.trim().strip_prefix("rocksdb_version=")?.split('.').map(|part| part.parse().ok());
    Some(Version(parts.next()??, parts.next()??, parts.next()??))
}
