//! `cargo xtask dev`: from a clone to nodes that answer, in one command.

mod calls;
mod nodes;

use crate::{house, needs, passing};
use anyhow::{Context, Result, bail};
use calls::Folder;
use nodes::Nodes;
use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Instant;

/// `dev`'s arguments. The two addresses are for machines on which a port is taken.
pub struct Options {
    nodes: u16,
    data: Option<PathBuf>,
    once: bool,
    /// Only make the README's calls, on nodes that already run.
    calls: bool,
    http: SocketAddr,
    listen: SocketAddr,
}

const USAGE: &str = "cargo xtask dev [--nodes N] [--data DIR] [--once] [--calls] [--http ADDR] [--listen ADDR]";

impl Options {
    fn parse(args: &[String]) -> Result<Options> {
        let (http, listen) = ("127.0.0.1:8080".parse()?, "127.0.0.1:7070".parse()?);
        let mut options = Options { nodes: 3, data: None, once: false, calls: false, http, listen };
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            let mut value = || args.next().with_context(|| format!("{arg} needs a value: {USAGE}"));
            match arg.as_str() {
                "--nodes" => options.nodes = value()?.parse().context("--nodes takes a number")?,
                "--data" => options.data = Some(std::path::absolute(value()?)?),
                "--http" => options.http = value()?.parse().context("--http takes ADDRESS:PORT")?,
                "--listen" => options.listen = value()?.parse().context("--listen takes ADDRESS:PORT")?,
                "--once" => options.once = true,
                "--calls" => options.calls = true,
                _ => bail!("`{arg}` is not known here: {USAGE}"),
            }
        }
        if options.nodes == 0 {
            bail!("--nodes takes 1 or more");
        }
        Ok(options)
    }
}

pub fn run(args: &[String]) -> Result<()> {
    let options = Options::parse(args)?;
    needs::install(&[needs::CURL])?;
    let node = house::target().join("release/commons");
    if options.calls {
        nodes::wait_until_ready(options.http, options.nodes, None)?;
        return calls::make(&node, options.http, options.listen, Folder::Used);
    }
    let started = Instant::now();
    let node = passing::build()?;
    eprintln!("built {} in {} s", node.display(), started.elapsed().as_secs());
    if options.once { once(options, node, started) } else { stay(options, node) }
}

/// Starts, calls, stops. Without --data the folder is new, and the answers are the README's to the letter.
fn once(options: Options, node: PathBuf, started: Instant) -> Result<()> {
    let scratch = std::env::temp_dir().join(format!("commons-dev-{}", std::process::id()));
    let data = options.data.clone().unwrap_or_else(|| scratch.clone());
    let folder = if data.exists() { Folder::Used } else { Folder::Fresh };
    let nodes = Nodes::start(&node, options.nodes, &data, options.http, options.listen)?;
    let called = nodes.ready().and_then(|()| calls::make(&node, options.http, options.listen, folder));
    let stopped = nodes.stop();
    for error in [called.as_ref().err(), stopped.as_ref().err()].into_iter().flatten() {
        eprintln!("xtask: {error:#}");
    }
    if called.is_err() || stopped.is_err() {
        bail!("dev --once did not go as the README has it: see above; the nodes' folders are in {}", data.display());
    }
    if options.data.is_none() {
        fs::remove_dir_all(&scratch).with_context(|| format!("cannot remove {}", scratch.display()))?;
    }
    eprintln!("all calls answered as the README has it; the nodes are gone ({} s)", started.elapsed().as_secs());
    Ok(())
}

/// Becomes `commons dev`, so that Ctrl-C and SIGTERM reach it and nobody stands between; the calls are made from beside it.
fn stay(options: Options, node: PathBuf) -> Result<()> {
    use std::os::unix::process::CommandExt;
    let data = options.data.unwrap_or_else(|| house::cache().join("dev"));
    eprintln!("data in {}", data.display());
    let mut dev = nodes::command(&node, options.nodes, &data, options.http, options.listen)?;
    let mut caller = std::process::Command::new("sh");
    // Through a shell that ends at once: the caller then is nobody's zombie.
    caller.arg("-c").arg("\"$0\" \"$@\" &").arg(std::env::current_exe()?).args(["dev", "--calls"]);
    caller.arg("--nodes").arg(options.nodes.to_string());
    caller.arg("--http").arg(options.http.to_string()).arg("--listen").arg(options.listen.to_string());
    caller.status().context("cannot start sh")?;
    Err(dev.exec()).with_context(|| format!("cannot start {}", node.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Options> {
        Options::parse(&line.split_whitespace().map(String::from).collect::<Vec<_>>())
    }

    #[test]
    fn the_contract_is_understood() {
        let options = parse("--nodes 3 --data /x --once").unwrap();
        assert!(options.nodes == 3 && options.once && options.data == Some("/x".into()) && !options.calls);
        assert_eq!(parse("").unwrap().http.port(), 8080);
    }

    #[test]
    fn a_wrong_argument_shows_the_usage() {
        for (line, says) in [("--node 3", "--nodes N"), ("--nodes", "needs a value"), ("--nodes 0", "1 or more")] {
            assert!(parse(line).err().unwrap().to_string().contains(says), "{line}");
        }
    }
}
