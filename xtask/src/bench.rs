//! `cargo xtask bench writes`: builds node and load generator, sees to Redis, and lets them run.

use crate::{cargo, house, needs, passing};
use anyhow::{Result, bail};

const USAGE: &str = "cargo xtask bench writes [--seconds N] [--rounds N] [--json FILE]; more in benchmarks/README.md";

pub fn run(args: &[String]) -> Result<()> {
    match args.first().map(String::as_str) {
        Some("writes") => {}
        Some(other) => bail!("there is no benchmark {other:?}: {USAGE}"),
        None => bail!("say what to measure: {USAGE}"),
    }
    needs::install(&[needs::REDIS])?;
    let node = passing::build()?;
    let mut command = cargo::building(&["run", "--quiet", "--release", "-p", "benchmarks", "--"])?;
    command.args(args).env("COMMONS_BIN", node);
    if !args.iter().any(|arg| arg == "--data") {
        // On the disk that builds go to: /tmp is memory on some systems.
        command.arg("--data").arg(house::target().join("bench"));
    }
    cargo::run(&mut command)
}
