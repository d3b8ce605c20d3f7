//! The secret's file: the current one in the first line, accepted ones in the lines below.

use super::{Keyring, Secret, SecretError, TrustError};
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Its name in the data folder.
pub const FILE: &str = "secret";

/// A cluster rotates one secret at a time; more lines than these are a mistake.
const LINES_MAX: usize = 8;
/// What so many lines can hold, with room for remarks.
const BYTES_MAX: u64 = 4 << 10;

/// What a secret's file holds.
#[derive(Clone, Debug)]
pub struct Secrets {
    pub current: Secret,
    pub accepted: Vec<Secret>,
    /// Where they are kept, if they are: a change of secrets is written there.
    pub(super) file: Option<PathBuf>,
}

/// Wherever they are kept.
impl PartialEq for Secrets {
    fn eq(&self, other: &Secrets) -> bool {
        (&self.current, &self.accepted) == (&other.current, &other.accepted)
    }
}

/// What is wrong with a secret's file, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    #[error("there is no secret in {}: copy the file from a node of the cluster, or name it with --secret-file", .0.display())]
    Missing(PathBuf),
    #[error("cannot read {}: {error}", path.display())]
    Read { path: PathBuf, error: io::Error },
    #[error("cannot write {}: {error}", path.display())]
    Write { path: PathBuf, error: io::Error },
    #[error("{}, line {line}: {error}", path.display())]
    Line { path: PathBuf, line: usize, error: SecretError },
    #[error("{} holds no secret: put it back (`commons secret show` on another node prints it)", .0.display())]
    Empty(PathBuf),
    #[error("{} holds more than {LINES_MAX} secrets, or more than {BYTES_MAX} bytes: is it the right file?", .0.display())]
    TooMuch(PathBuf),
}

impl Secrets {
    /// Kept nowhere yet.
    pub fn new(current: Secret, accepted: Vec<Secret>) -> Secrets {
        Secrets { current, accepted, file: None }
    }

    /// Others, kept where these are.
    pub(super) fn with(&self, current: Secret, accepted: Vec<Secret>) -> Secrets {
        Secrets { current, accepted, file: self.file.clone() }
    }

    /// The keyring of a node that holds these.
    pub fn keyring(self) -> Result<Keyring, TrustError> {
        Keyring::holding(self)
    }
}

/// The secrets in the file. One that others on this machine may read is told in the log.
pub fn load(path: &Path) -> Result<Secrets, FileError> {
    let read = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => FileError::Missing(path.into()),
        _ => FileError::Read { path: path.into(), error },
    };
    let file = fs::File::open(path).map_err(read)?;
    let about = file.metadata().map_err(read)?;
    if about.len() > BYTES_MAX {
        return Err(FileError::TooMuch(path.into()));
    }
    let mode = about.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        let path = path.display();
        tracing::warn!(%path, mode = %format!("{mode:o}"), "others on this machine can get at the cluster's secret: chmod 600 it");
    }
    parse(path, &io::read_to_string(io::Read::take(file, BYTES_MAX)).map_err(read)?)
}

fn parse(path: &Path, text: &str) -> Result<Secrets, FileError> {
    let mut secrets = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let told = |error| FileError::Line { path: path.into(), line: at + 1, error };
        secrets.push(Secret::parse(line).map_err(told)?);
    }
    if secrets.len() > LINES_MAX {
        return Err(FileError::TooMuch(path.into()));
    }
    let mut secrets = secrets.into_iter();
    let current = secrets.next().ok_or_else(|| FileError::Empty(path.into()))?;
    Ok(Secrets { current, accepted: secrets.collect(), file: Some(path.into()) })
}

/// The secrets in the file; where there is none yet, a new one. For who may found a cluster, and nobody else.
pub fn load_or_create(path: &Path) -> Result<Secrets, FileError> {
    match load(path) {
        Err(FileError::Missing(_)) => {
            let secrets = Secrets { current: Secret::random(), accepted: Vec::new(), file: Some(path.into()) };
            save(path, &secrets)?;
            Ok(secrets)
        }
        found => found,
    }
}

/// The secrets of a data folder, at a node's start: its own file, which rotations rewrite. A folder without one takes
/// over what `given` holds (`--secret-file`); without that either, one that may found a cluster (`fresh`) gets a new secret.
pub fn settle(folder: &Path, given: Option<&Path>, fresh: Fresh) -> Result<Secrets, FileError> {
    let path = folder.join(FILE);
    match (load(&path), given) {
        (Err(FileError::Missing(_)), Some(given)) => {
            let secrets = Secrets { file: Some(path.clone()), ..load(given)? };
            save(&path, &secrets)?;
            Ok(secrets)
        }
        (Err(FileError::Missing(_)), None) if fresh == Fresh::MayCreate => load_or_create(&path),
        (Ok(held), Some(given)) => {
            // After a rotation the given file is old. The folder's is not: it was part of it.
            let other = load(given).map(|given| given.current).ok().filter(|given| *given != held.current);
            if let Some(other) = other {
                let (kept, other, given) = (held.current.key_id(), other.key_id(), given.display());
                tracing::warn!(%kept, %other, %given, "the data folder has a secret, which stays; `commons secret set` changes it");
            }
            Ok(held)
        }
        (found, _) => found,
    }
}

/// May a folder without a secret get a new one?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fresh {
    /// It founds a cluster.
    MayCreate,
    /// It is a node of a cluster, or joins one: a secret of its own would keep it out.
    MustExist,
}

/// Writes the file so that a crash leaves the old one or the new one, whole.
pub fn save(path: &Path, secrets: &Secrets) -> Result<(), FileError> {
    let lines = std::iter::once(&secrets.current).chain(&secrets.accepted);
    let text: String = lines.map(|secret| secret.text() + "\n").collect();
    replace(path, &text).map_err(|error| FileError::Write { path: path.into(), error })
}

fn replace(path: &Path, text: &str) -> io::Result<()> {
    let draft = path.with_extension("new");
    let _ = fs::remove_file(&draft);
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&draft, path)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("commons-secret-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    #[test]
    fn made_once_kept_and_only_its_owners() {
        let folder = folder("made");
        let path = folder.join(FILE);
        assert!(matches!(load(&path), Err(FileError::Missing(_))));
        let made = load_or_create(&path).unwrap();
        assert_eq!((load_or_create(&path).unwrap(), made.accepted.len()), (made, 0));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let (old, new) = (Secret::random(), Secret::random());
        let both = Secrets::new(new, vec![old]);
        save(&path, &both).unwrap();
        assert_eq!(load(&path).unwrap(), both);
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1, "a draft was left behind");
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_folder_keeps_the_secret_it_has() {
        let folder = folder("settled");
        let given = folder.join("given");
        assert!(matches!(settle(&folder, None, Fresh::MustExist), Err(FileError::Missing(_))));
        assert!(
            matches!(settle(&folder, Some(&given), Fresh::MayCreate), Err(FileError::Missing(path)) if path == given)
        );
        let first = load_or_create(&given).unwrap();
        assert_eq!(settle(&folder, Some(&given), Fresh::MustExist).unwrap(), first);
        // The cluster rotated since; whoever starts the node still names the old file.
        let rotated = Secrets::new(Secret::random(), Vec::new());
        save(&folder.join(FILE), &rotated).unwrap();
        assert_eq!(settle(&folder, Some(&given), Fresh::MustExist).unwrap(), rotated);
        assert_eq!(settle(&folder, None, Fresh::MayCreate).unwrap(), rotated);
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_spoiled_file_is_named_and_never_replaced() {
        let folder = folder("spoiled");
        let path = folder.join(FILE);
        let good = Secret::random().text();
        for (text, told) in [
            (String::new(), "holds no secret"),
            ("# a remark\n\n".into(), "holds no secret"),
            (format!("{good}\n\ncms_12\n"), "line 3: a cluster secret has 72 digits"),
            (format!("{good}\n").repeat(9), "holds more than 8 secrets"),
            ("x".repeat(5_000), "holds more than 8 secrets"),
        ] {
            fs::write(&path, &text).unwrap();
            let error = load_or_create(&path).unwrap_err().to_string();
            assert!(error.contains(told) && error.contains("/secret"), "{error}");
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
        fs::write(&path, format!("# new\n {good} \n")).unwrap();
        assert_eq!(load(&path).unwrap().current.text(), good);
        fs::remove_dir_all(&folder).unwrap();
    }
}
