//! Clusters of several nodes: rounds of faults under load.
//!
//! A round: clients credit, debit, count (as with one node) and read, set and add to a few keys, over the Rust client and over
//! HTTP to all nodes; something happens to one node or to all; it is undone; the cluster has to be whole again; then all that
//! was answered is held against what is there, and the history of each key must have an order that explains it. All the while
//! every node is asked what it leads: two leaders of one group in one term are a violation.

mod fault;
mod round;

pub use fault::Kind;

use crate::Wanted;
use anyhow::{Context, Result, bail};
use fault::Fault;
use rand::SeedableRng;
use rand::rngs::StdRng;
use round::Many;
use std::time::Instant;
use tests::faults::Network;

/// Rounds of the wanted size. What is done and when comes from the seed alone; it is printed before the first round.
pub async fn run(wanted: &Wanted) -> Result<()> {
    let started = Instant::now();
    let network = match Network::missing() {
        Some(missing) => {
            println!("no cuts: they need {missing}");
            None
        }
        None => match Network::make(wanted.nodes) {
            Ok(network) => Some(network),
            // A container may have the programs and not the right.
            Err(why) => {
                println!("no cuts: a network that can be cut is not to be had here: {why:#}");
                None
            }
        },
    };
    if network.is_none() && wanted.only == Some(Kind::Cut) {
        bail!("--only cut: there is nothing to cut with here");
    }
    let mut random = StdRng::seed_from_u64(wanted.seed);
    let schedule: Vec<Fault> =
        (0..wanted.rounds).map(|_| Fault::random(&mut random, wanted.nodes, wanted.only, network.is_some())).collect();
    println!("seed {}, {} nodes, {} clients; the schedule:", wanted.seed, wanted.nodes, wanted.clients);
    schedule.iter().enumerate().for_each(|(n, fault)| println!("  {:>4}  {fault}", n + 1));
    let mut many = Many::begin(wanted, network, random).await.context("starting the cluster")?;
    println!("{} nodes whole after {:.1} s", wanted.nodes, started.elapsed().as_secs_f32());
    for (fault, round) in schedule.iter().zip(1..) {
        let began = Instant::now();
        match many.round(round, fault).await {
            Ok(counts) => println!("round {round:>4}  {fault:<46} {counts}  {:.1} s", began.elapsed().as_secs_f32()),
            Err(why) => {
                let kept =
                    many.keep().map_or_else(|error| format!("not kept ({error:#})"), |path| path.display().to_string());
                return Err(why.context(format!("round {round} ({fault}); the nodes' folders: {kept}")));
            }
        }
    }
    let held = many.end().await.context("after the last round")?;
    println!("{} rounds, seed {}, {} s: {}", wanted.rounds, wanted.seed, started.elapsed().as_secs(), many.total());
    print!("{}", many.gaps());
    println!("{held}; no violation");
    Ok(())
}
