//! Programs of ours that people run: the client's example, and `chaos` itself.

use anyhow::{Context, Result, ensure};
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;
use tests::{Setup, Verb, binary, is_alive, place, wait};

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
    for args in [&["--nodes", "10"][..], &["--rounds", "many"], &["--nodes"], &["--what", "1"]] {
        ensure!(chaos(args)?.0 == Some(2), "{args:?}");
    }
    Ok(())
}

/// What tests start goes with them, even when they are killed: nothing may be left on a person's machine.
#[tokio::test]
async fn a_harness_that_is_killed_leaves_no_process() -> Result<()> {
    let mut chaos = Command::new(env!("CARGO_BIN_EXE_chaos"));
    chaos.env("COMMONS_BIN", binary::commons()?).args(["--rounds", "1000", "--seed", "13"]).stdout(Stdio::piped());
    let mut chaos = chaos.spawn()?;
    let mut first = String::new();
    BufReader::new(chaos.stdout.take().context("piped")?).read_line(&mut first)?;
    let children = std::fs::read_to_string(format!("/proc/{0}/task/{0}/children", chaos.id()))?;
    chaos.kill()?;
    chaos.wait()?;
    ensure!(first.starts_with("round"), "{first}");
    let children: Vec<u32> = children.split_whitespace().filter_map(|pid| pid.parse().ok()).collect();
    wait::until("end of all it had started", Duration::from_secs(10), || async {
        Ok(children.iter().all(|pid| !is_alive(*pid)).then_some(()))
    })
    .await
}
