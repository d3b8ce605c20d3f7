//! `commons start` and `commons dev`.

use super::args::{Dev, Start};
use super::failure::Failure;
use super::{logs, output, signals};
use crate::dev;
use crate::start::{Mode, run};
use std::path::Path;

/// Runs a node until it is told to stop.
pub fn start(start: Start) -> Result<(), Failure> {
    logs::start(start.log_format);
    not_yet(&start)?;
    runtime()?.block_on(async {
        let (stopper, stop) =
            signals::on_signal().map_err(|why| Failure::Run(format!("cannot listen for signals: {why}")))?;
        if start.with_parent {
            signals::on_end_of_stdin(stopper.clone());
        }
        signals::end_in_time(stop.clone());
        let (http, listen, data) = (start.http, start.listen, start.data.clone());
        let node = crate::start::Start {
            data: start.data,
            http,
            listen,
            advertise: start.advertise,
            groups: start.groups,
            zone: start.zone.unwrap_or_default(),
            access: if start.dev { Mode::Dev } else { Mode::Token },
        };
        let ready = move |_: &crate::door::Doors| {
            let key =
                if start.dev { "none on this machine".to_string() } else { data.join("token").display().to_string() };
            tracing::info!(%http, %listen, data = %data.display(), key, "ready; a cluster of one tolerates 0 failures");
        };
        let ran = run(node, stop, ready).await;
        // Kept to the end: a stopper that is dropped stops the node.
        drop(stopper);
        ran.map_err(|why| Failure::Run(why.to_string()))
    })
}

/// What the contract names and this version does not do. Said, never ignored.
fn not_yet(start: &Start) -> Result<(), Failure> {
    let asked = [
        ("--join", !start.join.is_empty()),
        ("--expect", start.expect.is_some_and(|nodes| nodes > 1)),
        ("--secret-file", start.secret_file.is_some()),
    ];
    match asked.iter().find(|(_, asked)| *asked) {
        Some((flag, _)) => Err(Failure::Usage(format!(
            "{flag}: clusters of several nodes come with the next version; this one runs a cluster of one: leave {flag} out"
        ))),
        None => Ok(()),
    }
}

/// Cuts a damaged log, because its operator says so.
pub fn repair(data: &Path) -> Result<(), Failure> {
    let report = crate::repair::repair(data).map_err(|why| Failure::Run(why.to_string()))?;
    output::line(report.trim_end());
    Ok(())
}

/// Runs nodes on this machine until it is told to stop.
pub fn dev(dev: Dev) -> Result<(), Failure> {
    logs::start(super::args::LogFormat::Text);
    if dev.nodes != 1 {
        return Err(Failure::Usage(format!(
            "--nodes {}: clusters of several nodes come with the next version; use --nodes 1",
            dev.nodes
        )));
    }
    runtime()?.block_on(async {
        let (stopper, stop) =
            signals::on_signal().map_err(|why| Failure::Run(format!("cannot listen for signals: {why}")))?;
        let plan = dev::Plan { nodes: dev.nodes, data: dev.data, http: dev.http, listen: dev.listen };
        let ran = dev::run(plan, stop).await;
        drop(stopper);
        ran.map_err(|why| Failure::Run(why.to_string()))
    })
}

fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Runtime::new().map_err(|why| Failure::Run(format!("cannot start threads: {why}")))
}
