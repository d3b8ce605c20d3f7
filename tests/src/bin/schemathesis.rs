//! `cargo xtask schemathesis`: a node of its own, and schemathesis on its `/openapi.json`. What it is held to is in
//! `tests/clients/schemathesis`; arguments go to schemathesis after ours and win.

use anyhow::{Context, Result, ensure};
use std::path::Path;
use std::process::{Command, ExitCode};
use tests::{Setup, Verb};

/// One seed and few examples: the same requests every time, in half a minute. `--seed` and `--max-examples` hunt further.
const USUAL: [&str; 5] = ["--seed", "1", "--max-examples", "30", "--no-color"];

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("schemathesis: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<()> {
    let installed =
        std::env::var_os("SCHEMATHESIS_IN").context("run it as `cargo xtask schemathesis`, which installs it")?;
    let installed = Path::new(&installed);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/schemathesis");
    let node = Setup::new(Verb::Dev)?.start().await?;
    let paths = std::env::join_paths([installed, &folder])?;
    let mut command = Command::new("python3");
    // What it leaves behind goes to its own folder.
    command.current_dir(installed).env("PYTHONPATH", paths).env("PYTHONDONTWRITEBYTECODE", "1");
    command.arg(installed.join("bin/schemathesis")).arg("--config-file").arg(folder.join("schemathesis.toml"));
    command.arg("run").arg(format!("http://{}/openapi.json", node.http())).args(USUAL).args(std::env::args().skip(1));
    let ended = tokio::task::spawn_blocking(move || command.status()).await?.context("python3")?;
    node.check_no_panic()?;
    ensure!(ended.success(), "it found something: a line above shows each request as curl");
    Ok(())
}
