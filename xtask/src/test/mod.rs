//! `cargo xtask test`: everything that must hold before a change lands; `--fast` is the round for people at work.

mod checks;
mod deny;

use crate::house;
use anyhow::{Context, Result, bail};
use std::process::Command;
use std::time::{Duration, Instant};

/// How a step ended, if it did not fail.
pub enum Done {
    Passed,
    /// Passed, and this is to be said beside it.
    But(String),
    /// There is nothing to test yet, or `--fast` leaves it out.
    Skipped(String),
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Round {
    Full,
    Fast,
}

struct Step {
    name: &'static str,
    run: fn(Round) -> Result<Done>,
}

/// Cheap and telling first. A failed step does not stop the next one: people and CI want all the news of a round.
const STEPS: &[Step] = &[
    Step { name: "fmt", run: checks::fmt },
    Step { name: "tidy", run: checks::tidy },
    Step { name: "clippy", run: checks::clippy },
    Step { name: "light builds", run: checks::light },
    Step { name: "deny", run: deny::check },
    Step { name: "build", run: checks::build },
    Step { name: "tests", run: checks::tests },
    Step { name: "schemathesis", run: checks::schemathesis },
    Step { name: "mutants", run: checks::mutants },
    Step { name: "simulate", run: checks::simulate },
    Step { name: "chaos", run: checks::chaos },
];

pub fn run(args: &[String]) -> Result<()> {
    let round = match args {
        [] => Round::Full,
        [fast] if fast == "--fast" => Round::Fast,
        _ => bail!("cargo xtask test [--fast]"),
    };
    let started = Instant::now();
    let mut lines = Vec::new();
    let mut failed = Vec::new();
    for step in STEPS {
        eprintln!("== {}", step.name);
        let began = Instant::now();
        let done = (step.run)(round);
        let (sign, said) = match done {
            Ok(Done::Passed) => ("ok", String::new()),
            Ok(Done::But(note)) => ("ok", note),
            Ok(Done::Skipped(why)) => ("--", why),
            Err(error) => {
                failed.push(step.name);
                ("FAILED", format!("{error:#}"))
            }
        };
        let line = format!("{:<13} {:>4} s  {sign:<6} {said}", step.name, began.elapsed().as_secs());
        eprintln!("== {}", line.trim_end());
        lines.push(line);
    }
    eprintln!("\ncargo xtask test, {} s:", started.elapsed().as_secs());
    for line in &lines {
        eprintln!("    {}", line.trim_end());
    }
    if !failed.is_empty() {
        bail!("failed: {}", failed.join(", "));
    }
    Ok(())
}

/// Runs a step's child. On CI it gets a time limit, so that a hang ends with a timing line and not with the whole run.
fn run_within(limit: Duration, command: &mut Command) -> Result<()> {
    if !house::on_ci() {
        return crate::cargo::run(command);
    }
    // coreutils' timeout ends the whole process group, so the test binary goes with its cargo.
    let mut limited = Command::new("timeout");
    limited.arg("--kill-after=10").arg(limit.as_secs().to_string()).arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        limited.env(name, value.context("a variable that is removed")?);
    }
    limited.current_dir(command.get_current_dir().unwrap_or(house::root()));
    let status = limited.status().context("cannot start timeout (package coreutils)")?;
    match status.code() {
        Some(0) => Ok(()),
        Some(124 | 137) => bail!("`{}` did not end within {} s", crate::cargo::shown(command), limit.as_secs()),
        _ => bail!("`{}` ended with {status}", crate::cargo::shown(command)),
    }
}
