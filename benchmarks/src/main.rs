//! `benchmarks writes …`: how many durable writes a second one node makes, beside Redis doing the same on the same disk.
//! `cargo xtask bench writes` builds what it needs, installs Redis if it is missing, and runs it.
//!
//! What is measured: a fixed number of writers, each with one command in flight, write 128 bytes under random ones of
//! 100,000 keys, `cache.Set` here and `SET` there. Every reply is checked, and means that the write is on disk
//! (`appendfsync always` there). Short rounds of all stores take turns, so that a disk or machine that changes its mind hits
//! all of them; what is printed are medians over the rounds.
//!
//! What the numbers leave out:
//! - *Open load.* A closed loop slows down with the store it measures: p50 and p99 are what these writers saw, not what
//!   callers see who arrive whether the store is ready or not (coordinated omission).
//! - *The network.* All is loopback, and the writers take their share of the same cores. The printed CPU time a command says
//!   which part of a core store and writers used.
//! - *Equal promises.* A write over our RPC door is done once even if its reply is lost and it is asked again: it carries a
//!   request id whose row is written along. Over HTTP no id is sent here, and Redis has none.
//! - *Redis's rewriting of its file* is off: it would fall into some rounds and not into others. Our own flushes and
//!   compactions are on, and may reach into the rounds of others; each round begins when the machine is quiet.
//! - *Long runs and big data.* 100,000 keys of 128 bytes fit into every cache there is.
//! - *More than one connection to Redis a writer, or pipelining*: `redis-benchmark -P` shows other, higher numbers.

mod args;
mod disk;
mod load;
mod machine;
mod processes;
mod report;
mod stores;
mod writes;

use std::process::ExitCode;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("bench: {why:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &[String]) -> anyhow::Result<()> {
    let wanted = args::parse(args)?;
    // One thread for all writers of all stores: each store's writers cost the same, and never more than one core.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(writes::run(&wanted))
}
