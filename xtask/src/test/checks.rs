//! The steps of `cargo xtask test`.

use super::{Done, Round, run_within};
use crate::{cargo, needs, passing, tidy};
use anyhow::{Context, Result, bail};
use std::fs;
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);

/// Rooms that build without RocksDB and libclang, in seconds: each alone, since a workspace build unifies features.
const LIGHT: &[&str] = &["wire", "sdk", "services", "storage", "cluster", "client", "simulations"];

pub fn fmt(_: Round) -> Result<Done> {
    cargo::run(&mut cargo::asking(&["fmt", "--all", "--check"]))?;
    Ok(Done::Passed)
}

pub fn tidy(_: Round) -> Result<Done> {
    tidy::run(&[])?;
    Ok(Done::Passed)
}

pub fn clippy(_: Round) -> Result<Done> {
    let args = ["clippy", "--release", "--workspace", "--all-targets", "--keep-going", "--", "-D", "warnings"];
    run_within(20 * MINUTE, &mut cargo::building(&args)?)?;
    Ok(Done::Passed)
}

/// First the graph, which says who is guilty; then, in the full round, a compile of each room on its own.
pub fn light(round: Round) -> Result<Done> {
    for room in LIGHT {
        let args = ["tree", "-p", room, "--edges", "normal,build,dev", "--prefix", "none", "--format", "{p}"];
        let output = cargo::asking(&args).output().context("cannot start cargo")?;
        if !output.status.success() {
            bail!("cargo tree -p {room}: {}", String::from_utf8_lossy(&output.stderr).trim_end());
        }
        if String::from_utf8_lossy(&output.stdout).lines().any(|line| line.starts_with("librocksdb-sys ")) {
            bail!("{room} pulls in RocksDB: `cargo tree -p {room} -i librocksdb-sys` shows by which way");
        }
    }
    if round == Round::Fast {
        return Ok(Done::But("the graph only".into()));
    }
    for room in LIGHT {
        run_within(10 * MINUTE, &mut cargo::asking(&["check", "--quiet", "--release", "-p", room]))?;
    }
    // No part of the workspace: nothing else would notice that it no longer compiles.
    let args = ["check", "--quiet", "--release", "--manifest-path", "fuzz/Cargo.toml"];
    run_within(10 * MINUTE, &mut cargo::asking(&args))?;
    Ok(Done::Passed)
}

pub fn build(_: Round) -> Result<Done> {
    if !cargo::has_target("node", "bin", "commons")? {
        return Ok(Done::Skipped("the package node has no binary `commons` yet".into()));
    }
    passing::build()?;
    Ok(Done::Passed)
}

/// Tests over real processes find the binary by COMMONS_BIN.
pub fn tests(_: Round) -> Result<Done> {
    needs::install(&[needs::CURL, needs::STRACE, needs::NODE, needs::NPM])?;
    let mut command = cargo::building(&["test", "--release", "--workspace", "--no-fail-fast"])?;
    command.env("COMMONS_BIN", crate::house::target().join("release/commons"));
    // Drawn anew at every run by hand; a round of everything is the same each time.
    command.env("PROPTEST_RNG_SEED", "1");
    run_within(40 * MINUTE, &mut command)?;
    Ok(Done::Passed)
}

/// Half a minute, and PyPI is not everywhere to be reached: the deterministic tests of the doors run in every round.
pub fn schemathesis(round: Round) -> Result<Done> {
    if round == Round::Fast {
        return Ok(Done::Skipped("not in the fast round".into()));
    }
    if let Err(why) = crate::schemathesis::install() {
        return Ok(Done::But(format!("NOT run: {why:#}")));
    }
    crate::schemathesis::run(&[])?;
    Ok(Done::Passed)
}

/// Mutants are wrong turns built in by a feature: a harness that does not find them finds nothing.
pub fn mutants(round: Round) -> Result<Done> {
    if round == Round::Fast {
        return Ok(Done::Skipped("not in the fast round".into()));
    }
    if !cargo::has_feature("simulations", "mutants")? {
        return Ok(Done::Skipped("the package simulations has no mutants yet".into()));
    }
    let args = ["test", "--release", "-p", "simulations", "--features", "mutants", "mutants::"];
    run_within(15 * MINUTE, &mut cargo::asking(&args))?;
    Ok(Done::Passed)
}

pub fn simulate(round: Round) -> Result<Done> {
    if !cargo::has_target("simulations", "bin", "simulations")? {
        return Ok(Done::Skipped("the package simulations has no binary yet".into()));
    }
    let seeds = if round == Round::Fast { "200" } else { "2000" };
    let worlds = worlds(&fs::read_to_string(crate::house::root().join("simulations/src/worlds.rs"))?);
    if worlds.is_empty() {
        bail!("no `World {{ name: \"…\"` in simulations/src/worlds.rs: has the table moved?");
    }
    for world in &worlds {
        run_within(20 * MINUTE, passing::simulation()?.args(["--world", world, "--seeds", seeds]))?;
    }
    Ok(Done::But(format!("{seeds} seeds of {}", worlds.join(", "))))
}

/// The names in the table of worlds, so that a new one is simulated from its first day.
fn worlds(source: &str) -> Vec<String> {
    let named = source.split("World { name: \"").skip(1).filter_map(|rest| rest.split('"').next());
    named.map(String::from).collect()
}

pub fn chaos(round: Round) -> Result<Done> {
    if round == Round::Fast {
        return Ok(Done::Skipped("not in the fast round".into()));
    }
    if !cargo::has_target("tests", "bin", "chaos")? {
        return Ok(Done::Skipped("the package tests has no binary chaos yet".into()));
    }
    let node = crate::house::target().join("release/commons");
    run_within(15 * MINUTE, passing::chaos_on(&node)?.args(["--nodes", "1", "--rounds", "15"]))?;
    run_within(15 * MINUTE, passing::chaos_on(&node)?.args(["--nodes", "3", "--rounds", "5"]))?;
    Ok(Done::But("15 rounds of one node, 5 of three".into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_worlds_is_read() {
        let table =
            "static WORLDS: &[World] = &[\n    World { name: \"a\", run },\n    World { name: \"b\", run },\n];";
        assert_eq!(worlds(table), ["a", "b"]);
    }
}
