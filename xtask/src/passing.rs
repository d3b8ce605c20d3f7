//! Commands that hand their arguments to a binary of the house: `simulate`, `chaos`.

use crate::cargo;
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Simulations build without RocksDB, in seconds; their stdout is theirs (the last line may be a trace hash).
pub fn simulate(args: &[String]) -> Result<()> {
    cargo::run(simulation()?.args(args))
}

/// Kills and restarts real nodes and compares what they answered with what they hold.
pub fn chaos(args: &[String]) -> Result<()> {
    cargo::run(chaos_on(&build()?)?.args(args))
}

/// `cargo run` up to where the program's own arguments begin.
pub fn simulation() -> Result<Command> {
    if !cargo::has_target("simulations", "bin", "simulations")? {
        bail!("the package simulations has no binary yet");
    }
    Ok(cargo::asking(&["run", "--quiet", "--release", "-p", "simulations", "--bin", "simulations", "--"]))
}

pub fn chaos_on(node: &Path) -> Result<Command> {
    if !cargo::has_target("tests", "bin", "chaos")? {
        bail!("the package tests has no binary chaos yet");
    }
    let mut command = cargo::building(&["run", "--quiet", "--release", "-p", "tests", "--bin", "chaos", "--"])?;
    command.env("COMMONS_BIN", node);
    Ok(command)
}

/// `cargo xtask build`: scripts read the last line.
pub fn build_and_print(_: &[String]) -> Result<()> {
    println!("{}", build()?.display());
    Ok(())
}

/// The release binary of the node.
pub fn build() -> Result<PathBuf> {
    if !cargo::has_target("node", "bin", "commons")? {
        bail!("the package node has no binary `commons` yet");
    }
    cargo::run(&mut cargo::building(&["build", "--release", "-p", "node", "--bin", "commons"])?)?;
    let path = crate::house::target().join("release/commons");
    path.canonicalize().with_context(|| format!("cargo built no {}", path.display()))
}
