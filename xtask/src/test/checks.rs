//! The steps of `cargo xtask test`.

use super::{Done, Round, run_within};
use crate::{cargo, passing, tidy};
use anyhow::{Context, Result, bail};
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);

/// Rooms that build without RocksDB and libclang, in seconds: each alone, since a workspace build unifies features.
const LIGHT: &[&str] = &["wire", "sdk", "services", "storage", "cluster", "client", "simulations"];

/// The deterministic worlds, as `simulations/src/worlds.rs` names them.
const WORLDS: &[&str] = &["consensus"];

pub fn fmt(_: Round) -> Result<Done> {
    cargo::run(&mut cargo::asking(&["fmt", "--all", "--check"]))?;
    Ok(Done::Passed)
}

pub fn tidy(_: Round) -> Result<Done> {
    tidy::run(&[])?;
    Ok(Done::Passed)
}

pub fn clippy(_: Round) -> Result<Done> {
    let args = ["clippy", "--release", "--workspace", "--all-targets", "--", "-D", "warnings"];
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
    let mut command = cargo::building(&["test", "--release", "--workspace", "--no-fail-fast"])?;
    command.env("COMMONS_BIN", crate::house::target().join("release/commons"));
    run_within(40 * MINUTE, &mut command)?;
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
    for world in WORLDS {
        run_within(20 * MINUTE, passing::simulation()?.args(["--world", world, "--seeds", seeds]))?;
    }
    Ok(Done::But(format!("{seeds} seeds of {}", WORLDS.join(", "))))
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
    Ok(Done::But("15 rounds".into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_world_is_simulated() {
        let path = crate::house::root().join("simulations/src/worlds.rs");
        let Ok(text) = std::fs::read_to_string(path) else { return };
        let named = text.split("name: \"").skip(1).filter_map(|rest| rest.split('"').next());
        assert_eq!(named.collect::<Vec<_>>(), WORLDS, "xtask/src/test/checks.rs must list the worlds of simulations");
    }
}
