//! Licences, bans and sources of the crates from outside; advisories when their database can be had.

use super::{Done, Round};
use crate::{cargo, house};
use anyhow::{Context, Result, bail};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Instant;

/// Pinned, so that a new check of theirs does not fail a change of ours.
const VERSION: &str = "0.20.2";

pub fn check(round: Round) -> Result<Done> {
    if round == Round::Fast {
        return Ok(Done::Skipped("not in the fast round".into()));
    }
    let tool = install()?;
    cargo::run(&mut deny(&tool, &["check", "licenses", "bans", "sources"]))?;
    // The database is a git repository: not everywhere can it be reached, and without it this check says nothing.
    let fetched = deny(&tool, &["fetch", "db"]).stderr(Stdio::null()).status();
    if !fetched.is_ok_and(|status| status.success()) {
        return Ok(Done::But("advisories NOT checked: their database could not be fetched".into()));
    }
    cargo::run(&mut deny(&tool, &["check", "--disable-fetch", "advisories"]))?;
    Ok(Done::But("advisories checked".into()))
}

/// A limit for the network's sake; the checks themselves take a second.
fn deny(tool: &PathBuf, args: &[&str]) -> Command {
    let mut command = Command::new("timeout");
    command.arg("120").arg(tool).arg("deny").args(["--log-level", "error"]).args(args);
    command.current_dir(house::root()).stdin(Stdio::null());
    command
}

/// Once a machine, 80 s: it runs for a second, so nothing of it needs to be optimised.
fn install() -> Result<PathBuf> {
    let home = house::cache().join(format!("tools/cargo-deny-{VERSION}"));
    let tool = home.join("bin/cargo-deny");
    if tool.is_file() {
        return Ok(tool);
    }
    eprintln!("cargo-deny {VERSION}: compiling it (about 80 s on two cores, once a machine)");
    let started = Instant::now();
    let building = house::cache().join(format!("tools/building-{}", std::process::id()));
    let mut command = cargo::asking(&["install", "cargo-deny", "--version", VERSION, "--locked", "--quiet"]);
    command.arg("--root").arg(&home).env("CARGO_TARGET_DIR", &building);
    for (name, value) in [("OPT_LEVEL", "0"), ("LTO", "off"), ("CODEGEN_UNITS", "256"), ("DEBUG", "false")] {
        command.env(format!("CARGO_PROFILE_RELEASE_{name}"), value);
    }
    let installed = cargo::run(&mut command);
    if building.exists() {
        std::fs::remove_dir_all(&building).with_context(|| format!("cannot remove {}", building.display()))?;
    }
    installed?;
    if !tool.is_file() {
        bail!("cargo install made no {}", tool.display());
    }
    eprintln!("cargo-deny {VERSION}: done in {} s", started.elapsed().as_secs());
    Ok(tool)
}
