//! The node's token: made on first start, in a file only its owner reads (P23).

use rand::TryRngCore;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// The file's name in the data folder.
pub const FILE: &str = "token";

/// The token of this folder; a new folder gets one.
pub fn load_or_create(dir: &Path) -> io::Result<String> {
    let path = dir.join(FILE);
    match fs::read_to_string(&path) {
        Ok(text) => checked(text.trim(), &path),
        Err(missing) if missing.kind() == io::ErrorKind::NotFound => create(dir),
        Err(error) => Err(io::Error::new(error.kind(), format!("cannot read {}: {error}", path.display()))),
    }
}

/// Makes the cluster's token this folder's.
pub fn adopt(dir: &Path, token: &str) -> io::Result<()> {
    let token = checked(token, &dir.join(FILE))?;
    match fs::read_to_string(dir.join(FILE)) {
        Ok(text) if text.trim() == token => Ok(()),
        _ => write(dir, &token),
    }
}

fn create(dir: &Path) -> io::Result<String> {
    let mut random = [0; 24];
    rand::rngs::OsRng.try_fill_bytes(&mut random).map_err(io::Error::other)?;
    let hex: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    let token = format!("cmn_{hex}");
    write(dir, &token)?;
    Ok(token)
}

fn write(dir: &Path, token: &str) -> io::Result<()> {
    // Written whole under another name, then renamed: a crash leaves the token or none, never half of one.
    let (path, draft) = (dir.join(FILE), dir.join("token.new"));
    let _ = fs::remove_file(&draft);
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    file.write_all(format!("{token}\n").as_bytes())?;
    file.sync_all()?;
    fs::rename(&draft, &path)?;
    fs::File::open(dir)?.sync_all()
}

fn checked(token: &str, path: &Path) -> io::Result<String> {
    let plain = token.len() >= 16 && token.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if token.starts_with("cmn_") && plain {
        return Ok(token.to_string());
    }
    let what = "holds no token (cmn_ and at least 12 letters or digits): put it back, or delete the file and start for a new one";
    Err(io::Error::new(io::ErrorKind::InvalidData, format!("{} {what}", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn made_once_kept_and_only_its_owners() {
        let dir = std::env::temp_dir().join(format!("commons-token-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        let token = load_or_create(&dir).unwrap();
        assert!(token.starts_with("cmn_") && token.len() == 52);
        assert_eq!(load_or_create(&dir).unwrap(), token);
        assert_eq!(fs::metadata(dir.join(FILE)).unwrap().permissions().mode() & 0o777, 0o600);
        fs::write(dir.join(FILE), "").unwrap();
        assert!(load_or_create(&dir).unwrap_err().to_string().contains("holds no token"));
        fs::remove_dir_all(&dir).unwrap();
    }
}
