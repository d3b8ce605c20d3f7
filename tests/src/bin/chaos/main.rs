//! `chaos --nodes N --rounds N [--seed S] [--clients C] [--only KIND]`: hurts real nodes again and again and compares what they answered with
//! what they hold. Several nodes are one cluster: [`many`].
//!
//! A round with one node: clients credit, debit and count at once, over the Rust client and HTTP, with and without request ids; `kill -9` at
//! a moment of chance (under load, right behind a burst, while it starts); the node starts again; every call that has an id is
//! asked again until it is answered; then wallets, transactions and counters are read whole and held against the answers.
//!
//! `--sabotage` puts the folder of before the load back after a kill: a harness that calls that fine finds nothing.
//!
//! Exits 1 at the first violation, naming it and keeping the node's folder. The seed decides what is done and when it is
//! killed; how threads and disks interleave it does not decide.

mod kill;
mod many;
mod round;

use anyhow::{Context, Result, bail};
use round::{Chaos, Counts};
use std::process::ExitCode;
use std::time::Instant;

/// What was asked for.
struct Wanted {
    nodes: usize,
    rounds: u64,
    seed: u64,
    clients: usize,
    sabotage: bool,
    /// One kind of fault instead of all.
    only: Option<many::Kind>,
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let wanted = match parse(&args) {
        Ok(wanted) => wanted,
        Err(why) => {
            eprintln!("chaos: {why:#}; usage: chaos --nodes N --rounds N [--seed S] [--clients C] [--only KIND]");
            return ExitCode::from(2);
        }
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let done = runtime.map_err(anyhow::Error::from).and_then(|runtime| {
        runtime.block_on(async { if wanted.nodes == 1 { run(&wanted).await } else { many::run(&wanted).await } })
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            println!("VIOLATION {why:#}");
            let only = wanted.only.map_or(String::new(), |kind| format!(" --only {}", kind.name()));
            println!(
                "again with: cargo xtask chaos --nodes {} --rounds {} --seed {} --clients {}{only}",
                wanted.nodes, wanted.rounds, wanted.seed, wanted.clients
            );
            ExitCode::FAILURE
        }
    }
}

async fn run(wanted: &Wanted) -> Result<()> {
    let started = Instant::now();
    let mut chaos = Chaos::begin(wanted.seed, wanted.clients, wanted.sabotage).await?;
    let mut total = Counts::default();
    for round in 1..=wanted.rounds {
        let began = Instant::now();
        match chaos.round(round).await {
            Ok((how, counts)) => {
                println!("round {round:>4}  {how:<34} {counts}  {:.2} s", began.elapsed().as_secs_f32());
                total.add(&counts);
            }
            Err(why) => {
                let kept = chaos
                    .keep()
                    .map_or_else(|error| format!("could not be kept ({error:#})"), |path| path.display().to_string());
                return Err(why.context(format!("round {round}; the node's folder: {kept}")));
            }
        }
    }
    let held = chaos.end().await.context("after the last round")?;
    println!(
        "{} rounds, seed {}, {} clients, {} s: {total}",
        wanted.rounds,
        wanted.seed,
        wanted.clients,
        started.elapsed().as_secs()
    );
    println!("{held}; no violation");
    Ok(())
}

fn parse(args: &[String]) -> Result<Wanted> {
    let seed = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_nanos() as u64 % 1_000_000;
    let mut wanted = Wanted { nodes: 1, rounds: 15, seed, clients: 12, sabotage: false, only: None };
    let mut args = args.iter();
    while let Some(flag) = args.next() {
        if flag == "--sabotage" {
            wanted.sabotage = true;
            continue;
        }
        let value = args.next().with_context(|| format!("{flag} needs a value"))?;
        if flag == "--only" {
            wanted.only = Some(many::Kind::named(value)?);
            continue;
        }
        let number: u64 = value.parse().with_context(|| format!("{flag} {value}: not a number"))?;
        match flag.as_str() {
            "--nodes" if !(1..=9).contains(&number) => bail!("--nodes {number}: 1 to 9"),
            "--nodes" => wanted.nodes = usize::try_from(number)?,
            "--rounds" => wanted.rounds = number,
            "--seed" => wanted.seed = number,
            "--clients" => wanted.clients = usize::try_from(number)?.max(1),
            _ => bail!("there is no {flag}"),
        }
    }
    Ok(wanted)
}
