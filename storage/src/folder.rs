//! A node's data folder: whose it is, and that nobody else is in it.
//!
//! | in the folder | |
//! |---|---|
//! | `identity` | cluster, node, incarnation, format ([`identity`]): written whole or not at all |
//! | `lock` | held while a process uses the folder |
//! | `log/`, `state/` | the two engines' own |
//! | `pid`, `token`, `secret` | the node's; not read here |
//!
//! The folder's *format* stands for everything below it, both engines included: it is raised when an older binary would
//! misread any of that. A folder is *complete* once both engines have been made and are on disk: from then on a missing one
//! is a loss, never a beginning.
//!
//! Absent on purpose: repair. Nothing here deletes or makes up what it does not find.

mod atomic;
mod error;
mod identity;
#[cfg(test)]
mod tests;

pub use error::FolderError;
pub use identity::{FORMAT, Identity};

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use wire::ids::{ClusterId, Incarnation, NodeId};

const IDENTITY: &str = "identity";
const LOCK: &str = "lock";
const LOG: &str = "log";
const STATE: &str = "state";
/// What may lie in a folder that has no identity yet.
const BEFORE_IDENTITY: [&str; 14] = [
    LOCK,
    LOG,
    STATE,
    "identity.new",
    "pid",
    "token",
    "token.new",
    "secret",
    "secret.new",
    "meta",
    "meta.new",
    "starts",
    "starts.new",
    "lost+found",
];

/// A data folder that this process holds. Dropping it lets others in.
#[derive(Debug)]
pub struct Folder {
    dir: PathBuf,
    identity: Option<Identity>,
    #[allow(dead_code, reason = "held for its lock")]
    lock: File,
}

impl Folder {
    /// Takes `dir`, which is made if need be. If a node lives there its incarnation is raised, durably, before this returns.
    pub fn open(dir: &Path) -> Result<Folder, FolderError> {
        if !dir.is_dir() {
            atomic::make_dir(dir).map_err(|error| FolderError::unusable(dir, "making it", error))?;
        }
        let fresh = !exists(&dir.join(IDENTITY))?;
        if fresh {
            // Before anything is written into a folder that may be somebody else's.
            nothing_foreign(dir)?;
        }
        let lock = lock(dir)?;
        let mut folder = Folder { dir: dir.into(), identity: None, lock };
        // Looked for again: another process may just have made it and gone.
        if let Some(text) =
            atomic::read(&dir.join(IDENTITY)).map_err(|error| FolderError::unusable(dir, "reading identity", error))?
        {
            let mut identity = Identity::read(&text, &dir.join(IDENTITY))?;
            if identity.complete {
                folder.engines_are_there()?;
            }
            identity.incarnation.0 += 1;
            folder.write(identity)?;
        }
        Ok(folder)
    }

    /// Makes this folder the home of a node, in its first life. Only in a folder without identity.
    ///
    /// # Panics
    /// If the folder has one: an identity is never replaced.
    pub fn settle(&mut self, cluster: ClusterId, node: NodeId) -> Result<&Identity, FolderError> {
        assert!(self.identity.is_none(), "{} is the home of a node already", self.dir.display());
        for engine in [LOG, STATE] {
            atomic::make_dir(&self.dir.join(engine))
                .map_err(|error| FolderError::unusable(&self.dir, "making its folders", error))?;
        }
        self.write(Identity { cluster, node, incarnation: Incarnation(1), complete: false })
    }

    /// Notes that both engines are made and on disk: from now on the folder is refused without them.
    ///
    /// # Panics
    /// If nobody has settled here.
    pub fn complete(&mut self) -> Result<(), FolderError> {
        let identity = self.identity.clone().expect("a node has settled");
        if !identity.complete {
            self.write(Identity { complete: true, ..identity })?;
        }
        Ok(())
    }

    /// Puts both engines aside and begins anew, as the same node: what was in them is lost to it. Where they are now.
    ///
    /// A crash on the way leaves a folder that is set aside again, and never one whose engines are of two beginnings.
    ///
    /// # Panics
    /// If nobody has settled here.
    pub fn set_aside(&mut self) -> Result<Vec<PathBuf>, FolderError> {
        let identity = self.identity.clone().expect("a node has settled");
        let life = identity.incarnation;
        // First: from now on a missing engine is a beginning.
        self.write(Identity { complete: false, ..identity })?;
        let mut aside = Vec::new();
        for engine in [LOG, STATE] {
            let (from, to) = (self.dir.join(engine), self.dir.join(format!("{engine}.damaged-{}", life.0)));
            let moving = |error| FolderError::unusable(&self.dir, "setting a damaged engine aside", error);
            if !is_empty(&from)? {
                fs::rename(&from, &to).map_err(moving)?;
                aside.push(to);
            }
            atomic::make_dir(&from).map_err(moving)?;
        }
        atomic::sync_dir(&self.dir).map_err(|error| FolderError::unusable(&self.dir, "syncing it", error))?;
        Ok(aside)
    }

    /// Who lives here; `None` in a folder that is still nobody's.
    pub fn identity(&self) -> Option<&Identity> {
        self.identity.as_ref()
    }

    /// Refuses if another cluster's node lives here.
    pub fn expect_cluster(&self, wanted: ClusterId) -> Result<(), FolderError> {
        match &self.identity {
            Some(identity) if identity.cluster != wanted => {
                Err(FolderError::WrongCluster { dir: self.dir.clone(), here: identity.cluster, wanted })
            }
            _ => Ok(()),
        }
    }

    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Where the write-ahead log lives.
    pub fn log(&self) -> PathBuf {
        self.dir.join(LOG)
    }

    /// Where the state engine lives.
    pub fn state(&self) -> PathBuf {
        self.dir.join(STATE)
    }

    fn write(&mut self, identity: Identity) -> Result<&Identity, FolderError> {
        let path = self.dir.join(IDENTITY);
        atomic::write(&path, identity.text().as_bytes())
            .map_err(|error| FolderError::unusable(&self.dir, "writing identity", error))?;
        Ok(self.identity.insert(identity))
    }

    fn engines_are_there(&self) -> Result<(), FolderError> {
        for engine in [LOG, STATE] {
            if is_empty(&self.dir.join(engine))? {
                return Err(FolderError::EngineLost { dir: self.dir.clone(), engine });
            }
        }
        Ok(())
    }
}

fn exists(path: &Path) -> Result<bool, FolderError> {
    path.try_exists().map_err(|error| FolderError::unusable(path, "looking at it", error))
}

/// Also if it is not there.
fn is_empty(dir: &Path) -> Result<bool, FolderError> {
    match fs::read_dir(dir) {
        Ok(mut entries) => Ok(entries.next().is_none()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(true),
        Err(error) => Err(FolderError::unusable(dir, "listing it", error)),
    }
}

fn nothing_foreign(dir: &Path) -> Result<(), FolderError> {
    let listing = |error| FolderError::unusable(dir, "listing it", error);
    let mut names = Vec::new();
    for entry in fs::read_dir(dir).map_err(listing)? {
        names.push(entry.map_err(listing)?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    if let Some(name) = names.into_iter().find(|name| !BEFORE_IDENTITY.contains(&name.as_str())) {
        return Err(FolderError::Foreign { dir: dir.into(), name });
    }
    for engine in [LOG, STATE] {
        if !is_empty(&dir.join(engine))? {
            return Err(FolderError::IdentityLost { dir: dir.into(), engine });
        }
    }
    Ok(())
}

/// Keeps every other process out; the file says who is in.
fn lock(dir: &Path) -> Result<File, FolderError> {
    let unusable = |error| FolderError::unusable(dir, "locking it", error);
    let path = dir.join(LOCK);
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .map_err(unusable)?;
    match file.try_lock() {
        Ok(()) => {
            file.set_len(0).map_err(unusable)?;
            file.write_all(format!("{}\n", std::process::id()).as_bytes()).map_err(unusable)?;
            Ok(file)
        }
        Err(TryLockError::WouldBlock) => {
            let mut owner = String::new();
            // Only for the message: without it the refusal is the same.
            let _ = file.read_to_string(&mut owner);
            Err(FolderError::Locked { dir: dir.into(), pid: owner.trim().parse().ok() })
        }
        Err(TryLockError::Error(error)) => Err(unusable(error)),
    }
}
