//! Where things are: the clone, and what we keep outside it.

use std::env;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// The clone's root: the one cargo runs us in; when we are started by hand, the one we were built from.
pub fn root() -> &'static Path {
    static ROOT: OnceLock<PathBuf> = OnceLock::new();
    ROOT.get_or_init(|| {
        let room = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        Path::new(&room).parent().expect("xtask is a room of the house").to_path_buf()
    })
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
