//! Where things are: the clone, and what we keep outside it.

use std::env;
use std::path::{Path, PathBuf};

/// The clone's root. Known at compile time: xtask is always built from the clone that it serves.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask is a room of the house")
}

/// What outlives a clone: the RocksDB archive, compiled crates, tools.
pub fn cache() -> PathBuf {
    let home = env::var_os("HOME").filter(|home| !home.is_empty()).unwrap_or_else(|| "/root".into());
    Path::new(&home).join(".cache/commons")
}

/// One target folder for all clones and all commands: crates are compiled once.
pub fn target() -> PathBuf {
    match env::var_os("CARGO_TARGET_DIR").filter(|dir| !dir.is_empty()) {
        Some(dir) => root().join(dir),
        None => cache().join("target"),
    }
}

/// Waiting on CI, where nobody presses Ctrl-C: steps get time limits and Cargo.lock must not change.
pub fn on_ci() -> bool {
    env::var_os("CI").is_some_and(|ci| ci == "true" || ci == "1")
}
