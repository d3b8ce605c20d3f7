//! Our cargo children: one profile, one target folder, the RocksDB archive instead of a half-hour compile.

use crate::{house, rocksdb};
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::process::Command;

/// What each cargo child gets, and what `cargo xtask env` exports.
pub fn environment() -> Result<Vec<(&'static str, String)>> {
    let mut vars = vec![("CARGO_TARGET_DIR", house::target().display().to_string())];
    if let Some(dir) = rocksdb::ready()? {
        vars.push(("ROCKSDB_LIB_DIR", dir.display().to_string()));
        vars.push(("ROCKSDB_STATIC", "1".into()));
    }
    Ok(vars)
}

/// A cargo command that may compile anything of the house, the node included.
pub fn building(args: &[&str]) -> Result<Command> {
    let mut command = asking(args);
    command.envs(environment()?);
    Ok(command)
}

/// A cargo command that compiles nothing with RocksDB.
pub fn asking(args: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(house::root()).args(args).env("CARGO_TARGET_DIR", house::target());
    command
}

/// Runs a command whose output people read; an exit other than 0 is an error which names the command.
pub fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot start {}", shown(command)))?;
    if !status.success() {
        bail!("{} ended with {status}", shown(command));
    }
    Ok(())
}

pub fn shown(command: &Command) -> String {
    let program = std::path::Path::new(command.get_program());
    let mut line = program.file_name().unwrap_or(program.as_os_str()).to_string_lossy().into_owned();
    for arg in command.get_args() {
        line.push(' ');
        line.push_str(&arg.to_string_lossy());
    }
    line
}

/// `cargo metadata` of the workspace's own packages; with `all`, of every crate in Cargo.lock, downloaded if need be.
pub fn metadata(all: bool) -> Result<Value> {
    let mut command = asking(&["metadata", "--quiet", "--format-version", "1"]);
    command.arg(if all { "--all-features" } else { "--no-deps" });
    let output = command.stderr(std::process::Stdio::inherit()).output().context("cannot start cargo")?;
    if !output.status.success() {
        bail!("cargo metadata ended with {}: its words are above", output.status);
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// Is there a target of this kind (`bin`, `example`) and name in the package? Rooms are built one after another.
pub fn has_target(package: &str, kind: &str, name: &str) -> Result<bool> {
    let package = package_of(package)?;
    let targets = package["targets"].as_array().into_iter().flatten();
    Ok(targets.into_iter().any(|target| target["name"] == name && target["kind"][0] == kind))
}

pub fn has_feature(package: &str, name: &str) -> Result<bool> {
    Ok(!package_of(package)?["features"][name].is_null())
}

/// What metadata says of one of our packages; null if there is none of the name.
fn package_of(name: &str) -> Result<Value> {
    let metadata = metadata(false)?;
    let packages = metadata["packages"].as_array().context("cargo metadata without packages")?;
    Ok(packages.iter().find(|found| found["name"] == name).cloned().unwrap_or_default())
}
