//! `cargo xtask schemathesis`: a foreign tool reads what the node says of itself and tries to catch it lying.

use crate::{cargo, house, passing};
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Pinned with all it stands on.
const REQUIREMENTS: &str = "tests/clients/schemathesis/requirements.txt";

pub fn run(args: &[String]) -> Result<()> {
    let installed = install()?;
    let mut command = passing::black_box("schemathesis", &passing::build()?)?;
    cargo::run(command.env("SCHEMATHESIS_IN", installed).args(args))
}

/// Once a machine, 10 s and 90 MB; no virtual environment, which Debian has in a package of its own.
pub fn install() -> Result<PathBuf> {
    let wanted = fs::read_to_string(house::root().join(REQUIREMENTS)).context(REQUIREMENTS)?;
    let dir = house::cache().join("tools/schemathesis");
    let note = dir.join("requirements.txt");
    if fs::read_to_string(&note).is_ok_and(|got| got == wanted) {
        return Ok(dir);
    }
    if dir.exists() {
        fs::remove_dir_all(&dir).with_context(|| format!("cannot remove {}", dir.display()))?;
    }
    eprintln!("schemathesis: getting it from PyPI");
    let mut pip = Command::new("timeout");
    pip.args(["300", "python3", "-m", "pip", "install", "--quiet", "--no-deps", "--only-binary=:all:", "--target"]);
    pip.arg(&dir).arg("-r").arg(house::root().join(REQUIREMENTS)).stdin(Stdio::null());
    let ended = pip.status().context("cannot start timeout (package coreutils)")?;
    if !ended.success() {
        bail!("schemathesis could not be had from PyPI (pip ended with {ended})");
    }
    // Last of all: a folder without it is half done.
    fs::write(&note, wanted).with_context(|| format!("cannot write {}", note.display()))?;
    Ok(dir)
}
