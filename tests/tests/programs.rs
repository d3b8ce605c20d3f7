//! Programs of ours that people run: the client's example, and `chaos` itself.

use anyhow::{Context, Result, ensure};
use std::process::Command;
use tests::{Setup, Verb, binary, place};

#[tokio::test]
async fn the_clients_example_runs_against_a_node() -> Result<()> {
    let node = Setup::new(Verb::Dev)?.start().await?;
    let ran = Command::new(binary::example("wallet")?)
        .env("COMMONS_NODE", node.listen().to_string())
        .env_remove("COMMONS_TOKEN")
        .output()?;
    let (out, err) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    ensure!(ran.status.success(), "{out}{err}");
    ensure!(out.contains("balance 5") && out.contains("not enough for the rent"), "{out}");
    Ok(())
}

fn chaos(args: &[&str]) -> Result<(Option<i32>, String)> {
    let ran = Command::new(env!("CARGO_BIN_EXE_chaos")).env("COMMONS_BIN", binary::commons()?).args(args).output()?;
    Ok((ran.status.code(), String::from_utf8_lossy(&ran.stdout).into_owned()))
}

#[test]
fn chaos_finds_nothing_on_a_node_that_keeps_its_word() -> Result<()> {
    let (code, out) = chaos(&["--nodes", "1", "--rounds", "3", "--seed", "11"])?;
    ensure!(code == Some(0) && out.contains("3 rounds, seed 11") && out.contains("no violation"), "{out}");
    Ok(())
}

/// A harness that finds nothing on a folder that lost its last minute finds nothing ever.
#[test]
fn chaos_finds_what_was_lost() -> Result<()> {
    let (code, out) = chaos(&["--nodes", "1", "--rounds", "5", "--seed", "12", "--sabotage"])?;
    ensure!(code == Some(1), "{out}");
    let line = out.lines().find(|line| line.starts_with("VIOLATION")).context(out.clone())?;
    ensure!(
        line.contains("is gone") || line.contains("asked again under its id") || line.contains("had been reached"),
        "{line}"
    );
    let kept = line.split("the node's folder: ").nth(1).and_then(|rest| rest.split(':').next()).context("a folder")?;
    ensure!(place::contents(std::path::Path::new(kept))?.len() > 5, "{kept} has the node's files");
    std::fs::remove_dir_all(kept)?;
    Ok(())
}

#[test]
fn chaos_says_what_it_takes() -> Result<()> {
    for args in [&["--nodes", "3"][..], &["--rounds", "many"], &["--nodes"], &["--what", "1"]] {
        ensure!(chaos(args)?.0 == Some(2), "{args:?}");
    }
    Ok(())
}
