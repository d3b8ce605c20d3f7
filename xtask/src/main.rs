//! `cargo xtask …`: the two commands of the README and the developer's chores.
//!
//! One flat table; a command is a function that takes its arguments. What scripts read (a path, exports, a trace hash) goes
//! to stdout, what people read goes to stderr.

mod bench;
mod cargo;
mod data;
mod dev;
mod house;
mod needs;
mod new;
mod passing;
mod rocksdb;
mod schemathesis;
mod test;
mod tidy;

use anyhow::{Result, bail};
use std::process::ExitCode;

type Command = (&'static str, &'static str, fn(&[String]) -> Result<()>);

const COMMANDS: &[Command] = &[
    (
        "dev",
        "a running cluster from a bare clone: build, start, make the README's calls [--nodes N] [--data DIR] [--once]",
        dev::run,
    ),
    ("build", "build the release binary; its path is the last line", passing::build_and_print),
    ("test", "everything that must hold [--fast: 8 minutes, for people at work]", test::run),
    ("new", "a service to start from: new service NAME", new::run),
    ("openapi", "write services/openapi.json and the examples of the client anew from the types", passing::openapi),
    ("tidy", "check the house rules that no compiler keeps", tidy::run),
    ("simulate", "whole-cluster simulations: --seeds N | --seed S [--trace]", passing::simulate),
    ("conformance", "the catalogue's published examples against a node, a line each", passing::conformance),
    (
        "schemathesis",
        "requests made from /openapi.json, wrong ones too [--seed N] [--max-examples N]",
        schemathesis::run,
    ),
    (
        "chaos",
        "hurt real nodes and compare: --nodes N --rounds N [--seed S] [--only kill|pause|restart|power|cut]",
        passing::chaos,
    ),
    ("bench", "measure beside a peer on this machine: writes [--seconds N] [--rounds N] [--json FILE]", bench::run),
    ("data", "make the data we check in anew from what registries serve (needs pip and npm)", data::run),
    ("setup", "install what is missing and make the RocksDB archive (once a machine)", setup),
    ("env", "print export lines for a shell: eval \"$(cargo xtask env)\"", env),
];

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &[String]) -> Result<()> {
    let Some(name) = args.first().filter(|name| !matches!(name.as_str(), "help" | "--help" | "-h")) else {
        print_help();
        return Ok(());
    };
    match COMMANDS.iter().find(|(known, ..)| known == name) {
        Some((.., command)) => command(&args[1..]),
        None => {
            print_help();
            bail!("there is no `cargo xtask {name}`: the commands are above")
        }
    }
}

fn print_help() {
    eprintln!("cargo xtask COMMAND\n");
    for (name, help, _) in COMMANDS {
        eprintln!("    {name:<12} {help}");
    }
}

/// Everything that a build needs, so that plain `cargo build` is as quick as ours afterwards.
fn setup(_: &[String]) -> Result<()> {
    let dir = rocksdb::ready()?;
    eprintln!(
        "RocksDB: {}",
        dir.map_or("built by cargo itself on this system".into(), |dir| dir.display().to_string())
    );
    Ok(())
}

fn env(_: &[String]) -> Result<()> {
    for (name, value) in cargo::environment()? {
        println!("export {name}='{value}'");
    }
    Ok(())
}
