//! The cluster as this node last knew it, kept in its folder: whom to look for after a restart, before anybody answers.
//!
//! Sealed under the cluster's secret, since it holds the cluster's key; written whole or not at all.

use cluster::meta::Meta;
use cluster::trust::{Keyring, TrustError};
use serde::{Deserialize, Serialize};
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use wire::ids::ReplicaId;

/// Its name in the data folder.
pub const FILE: &str = "meta";
const VERSION: u8 = 1;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// Replicas below it were never this folder's, or are lost: they are never opened here (RAFT §4).
    pub floor: ReplicaId,
    /// What the folder held is damaged or gone, and the cluster has not been told yet.
    pub lost: bool,
    pub meta: Meta,
}

/// Why it cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeptError {
    #[error("{}: {error}", path.display())]
    File { path: PathBuf, error: io::Error },
    #[error(
        "wrong secret: {} belongs to a cluster with another one ({error}). Give this node that cluster's secret with --secret-file", path.display()
    )]
    Sealed { path: PathBuf, error: TrustError },
    #[error("{} does not decode ({why}): it is damaged, or of a newer version of this program. Put it back, or join with an empty folder as a new node", path.display())]
    Layout { path: PathBuf, why: String },
}

/// What was kept, if anything was.
pub fn load(dir: &Path, keyring: &Keyring) -> Result<Option<Kept>, KeptError> {
    let path = dir.join(FILE);
    let sealed = match fs::read(&path) {
        Ok(sealed) => sealed,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(KeptError::File { path, error }),
    };
    let layout = |why: String| KeptError::Layout { path: path.clone(), why };
    let plain = keyring.unwrap(&sealed).map_err(|error| match error {
        TrustError::OtherSecret(_) => KeptError::Sealed { path: path.clone(), error },
        other => layout(other.to_string()),
    })?;
    match plain.split_first() {
        Some((&VERSION, rest)) => wire::codec::decode(rest).map(Some).map_err(|why| layout(why.to_string())),
        Some((version, _)) => Err(layout(format!("version {version}"))),
        None => Err(layout("it is empty".into())),
    }
}

/// Keeps it. On disk when this returns.
pub fn save(dir: &Path, keyring: &Keyring, kept: &Kept) -> io::Result<()> {
    let mut plain = vec![VERSION];
    plain.extend(wire::codec::encode(kept).map_err(io::Error::other)?);
    let (path, draft) = (dir.join(FILE), dir.join("meta.new"));
    let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
    file.write_all(&keyring.wrap(&plain))?;
    file.sync_all()?;
    fs::rename(&draft, &path)?;
    fs::File::open(dir)?.sync_all()
}
