//! Where the program under test is.

use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};

/// `COMMONS_BIN`, as `cargo xtask test` and `chaos` give it; else the release binary in the target folder this test is in.
pub fn commons() -> Result<PathBuf> {
    let told = std::env::var_os("COMMONS_BIN").filter(|path| !path.is_empty()).map(PathBuf::from);
    let path = match told {
        Some(path) => path,
        None => beside_this("commons")?,
    };
    if !path.is_file() {
        bail!(
            "there is no node to test at {}: `cargo xtask build` builds it, COMMONS_BIN names another",
            path.display()
        );
    }
    Ok(path)
}

/// An example of the client, which `cargo test --workspace` builds along.
pub fn example(name: &str) -> Result<PathBuf> {
    let path = beside_this("examples")?.join(name);
    if !path.is_file() {
        bail!("there is no {}: `cargo build --release -p client --examples` builds it", path.display());
    }
    Ok(path)
}

/// Something in `target/release`: tests run in its `deps`, binaries in itself.
fn beside_this(name: &str) -> Result<PathBuf> {
    let own = std::env::current_exe()?;
    let folder = own.parent().context("a program lies in a folder")?;
    let folder = if folder.ends_with("deps") { folder.parent().unwrap_or(Path::new("/")) } else { folder };
    Ok(folder.join(name))
}

/// Is this program installed?
pub fn on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|dir| dir.join(program).is_file())
}

/// May this user mount, trace and bind as it likes?
pub fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}
