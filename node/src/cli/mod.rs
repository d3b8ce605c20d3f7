//! The command line. What was asked for goes to stdout, everything else to stderr.
//!
//! Exit codes: 0 done · 1 a service or the cluster answered with an error · 2 wrong usage, or no node could be reached.

mod args;
mod call;
mod describe;
mod failure;
mod fields;
mod find;
mod logs;
mod outcome;
mod output;
mod rotate;
mod secret;
mod serve;
mod signals;
mod status;
mod table;

use args::{Cli, Command};
use clap::Parser;
use failure::Failure;
use output::Format;
use std::future::Future;
use std::process::ExitCode;

/// The whole program.
pub fn main() -> ExitCode {
    // clap prints help and wrong usage itself, and ends with 0 or 2.
    let Cli { finding, output, command } = Cli::parse();
    let format = output.unwrap_or(command.format());
    let done = match command {
        Command::Start(start) => serve::start(start),
        Command::Dev(dev) => serve::dev(dev),
        Command::Call(call) => return call::run(call, finding, output),
        Command::Services => on_runtime(describe::services(&finding, format)),
        Command::Describe(wanted) => on_runtime(describe::describe(&finding, &wanted, format)),
        Command::Outcome(asked) => on_runtime(outcome::run(&finding, &asked, format)),
        Command::Status => on_runtime(status::run(&finding, format)),
        Command::Secret(wanted) => secret::run(wanted, &finding),
        Command::Repair(repair) => serve::repair(&repair.data),
        Command::Version => {
            output::line(&match format {
                Format::Json => serde_json::json!({ "version": crate::door::VERSION }).to_string(),
                Format::Table => format!("commons {}", crate::door::VERSION),
            });
            Ok(())
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.tell(format),
    }
}

/// One thread is enough for one call.
fn on_runtime<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| Failure::Usage(format!("cannot start: {error}")))?.block_on(work)
}
