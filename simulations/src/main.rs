//! `cargo xtask simulate`: seeds through a deterministic world.
//!
//! `--seeds N [--from S]` runs many and stops at the first that fails; `--seed S [--trace]` runs one and ends with
//! `trace-hash HEX`. A failure prints the seed, its whole configuration and the command that replays it, and exits 1.

use simulations::worlds::{Ran, WORLDS, World};
use std::process::ExitCode;

struct Asked {
    world: &'static World,
    what: What,
}

enum What {
    One { seed: u64, trace: bool },
    Many { from: u64, count: u64 },
}

const USAGE: &str = "usage: simulations [--world consensus|node|cluster] (--seeds N [--from S] | --seed S [--trace])";

fn parse(args: impl Iterator<Item = String>) -> Result<Asked, String> {
    let (mut world, mut seed, mut trace, mut from, mut count) = (&WORLDS[0], None, false, 0, 200);
    let mut args = args;
    while let Some(arg) = args.next() {
        let mut number = || {
            let value = args.next().ok_or(format!("{arg} needs a number"))?;
            value.parse::<u64>().map_err(|_| format!("{arg}: {value} is not a number"))
        };
        match arg.as_str() {
            "--seed" => seed = Some(number()?),
            "--seeds" => count = number()?,
            "--from" => from = number()?,
            "--trace" => trace = true,
            "--world" => {
                let name = args.next().ok_or("--world needs a name")?;
                let known = WORLDS.iter().find(|world| world.name == name);
                world = known.ok_or_else(|| format!("no world named {name}; there are: {}", names()))?;
            }
            other => return Err(format!("unknown argument {other}")),
        }
    }
    let what = match seed {
        Some(seed) => What::One { seed, trace },
        None => What::Many { from, count },
    };
    Ok(Asked { world, what })
}

fn names() -> String {
    WORLDS.iter().map(|world| world.name).collect::<Vec<_>>().join(", ")
}

fn main() -> ExitCode {
    let asked = match parse(std::env::args().skip(1)) {
        Ok(asked) => asked,
        Err(why) => {
            eprintln!("{why}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    // A panic is reported as the seed's failure, with its text.
    std::panic::set_hook(Box::new(|_| {}));
    match asked.what {
        What::One { seed, trace } => match (asked.world.run)(seed, trace) {
            Ok(Ran { summary, trace_hash }) => {
                println!("seed {seed}: {summary}");
                println!("trace-hash {trace_hash:016x}");
                ExitCode::SUCCESS
            }
            Err(why) => fail(asked.world, seed, &why),
        },
        What::Many { from, count } => many(asked.world, from, count),
    }
}

fn many(world: &World, from: u64, count: u64) -> ExitCode {
    let mut hash = 0u64;
    for seed in from..from + count {
        match (world.run)(seed, false) {
            Ok(ran) => hash = hash.rotate_left(7) ^ ran.trace_hash,
            Err(why) => return fail(world, seed, &why),
        }
    }
    println!("{}: {count} seeds from {from} clean, hash of all traces {hash:016x}", world.name);
    ExitCode::SUCCESS
}

fn fail(world: &World, seed: u64, why: &str) -> ExitCode {
    println!("seed {seed} FAILED: {why}");
    println!("{}", (world.explain)(seed));
    println!("replay: cargo xtask simulate --world {} --seed {seed} --trace", world.name);
    ExitCode::FAILURE
}
