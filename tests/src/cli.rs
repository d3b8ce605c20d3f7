//! `commons …` as a person or a script runs it.

use crate::{Node, binary};
use anyhow::{Context, Result};
use serde_json::Value;
use std::io::Write;
use std::process::{Command, Output, Stdio};

/// What a command printed, and its exit code.
#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Ran {
    pub fn json(&self) -> Result<Value> {
        serde_json::from_str(&self.out).with_context(|| format!("no JSON on stdout: {self:?}"))
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Ran {
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Ran { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }
}

/// Runs `commons` with these arguments, and nothing of the environment that it would heed.
pub fn commons<'a>(args: impl IntoIterator<Item = &'a str>) -> Result<Ran> {
    Ok(command()?.args(args).stdin(Stdio::null()).output()?.into())
}

/// The same with something on stdin.
pub fn commons_reading<'a>(args: impl IntoIterator<Item = &'a str>, input: &str) -> Result<Ran> {
    let mut command = command()?;
    let mut child = command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    // A command that needs no input may be gone already.
    let _ = child.stdin.take().context("piped")?.write_all(input.as_bytes());
    Ok(child.wait_with_output()?.into())
}

/// `commons call …` against this node.
pub fn call<'a>(node: &Node, args: impl IntoIterator<Item = &'a str>) -> Result<Ran> {
    let mut command = command()?;
    command.arg("--node").arg(node.listen().to_string());
    if let Some(token) = node.token() {
        command.arg("--token").arg(token);
    }
    Ok(command.arg("call").args(args).stdin(Stdio::null()).output()?.into())
}

/// Gone when the test is, and after a minute: a command that should end and runs on is exit code 124.
fn command() -> Result<Command> {
    let leash = ["setpriv", "--pdeathsig", "KILL"];
    let words = [&leash[..], &["timeout", "--foreground", "60"], &leash].concat();
    let mut command = match binary::on_path("setpriv") {
        true => {
            let mut command = Command::new(words[0]);
            command.args(&words[1..]).arg(binary::commons()?);
            command
        }
        false => Command::new(binary::commons()?),
    };
    for name in ["COMMONS_NODE", "COMMONS_TOKEN", "COMMONS_TOKEN_FILE", "COMMONS_CA", "RUST_LOG"] {
        command.env_remove(name);
    }
    Ok(command)
}
