//! Commands that hand their arguments to a binary or test of the house: `simulate`, `chaos`, `conformance`, `openapi`.

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

/// What is derived from the catalogue and checked in: the test that compares it writes it when asked. No RocksDB needed.
pub fn openapi(_: &[String]) -> Result<()> {
    let mut command =
        cargo::asking(&["test", "--quiet", "--release", "-p", "services", "--test", "catalogue", "derived"]);
    cargo::run(command.env("COMMONS_WRITE_DERIVED", "1").stdout(std::process::Stdio::null()))?;
    eprintln!(
        "services/openapi.json and client/tests/examples/calls.rs are as the types say; `git diff` shows what changed"
    );
    Ok(())
}

/// `cargo run` up to where the program's own arguments begin.
pub fn simulation() -> Result<Command> {
    if !cargo::has_target("simulations", "bin", "simulations")? {
        bail!("the package simulations has no binary yet");
    }
    Ok(cargo::asking(&["run", "--quiet", "--release", "-p", "simulations", "--bin", "simulations", "--"]))
}

pub fn chaos_on(node: &Path) -> Result<Command> {
    black_box("chaos", node)
}

/// The catalogue's published examples against a node of its own.
pub fn conformance(args: &[String]) -> Result<()> {
    cargo::run(black_box("conformance", &build()?)?.args(args))
}

/// A binary of `tests`, told where the node's is.
pub fn black_box(name: &str, node: &Path) -> Result<Command> {
    if !cargo::has_target("tests", "bin", name)? {
        bail!("the package tests has no binary {name} yet");
    }
    let mut command = cargo::building(&["run", "--quiet", "--release", "-p", "tests", "--bin", name, "--"])?;
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
