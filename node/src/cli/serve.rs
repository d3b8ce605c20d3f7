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
            replication: start.replication,
            join: start.join,
            secret_file: start.secret_file,
            zone: start.zone.unwrap_or_default(),
            access: if start.dev { Mode::Dev } else { Mode::Token },
        };
        let ready = move |doors: &crate::door::Doors| {
            let key =
                if start.dev { "none on this machine".to_string() } else { data.join("token").display().to_string() };
            let status = doors.status.status();
            let nodes = status["nodes"].as_array().map_or(0, Vec::len);
            let tolerates = status["tolerates_failures"].as_u64().unwrap_or_default();
            let advice = status["advice"].as_str().unwrap_or_default();
            tracing::info!(%http, %listen, data = %data.display(), key, "ready; {nodes} nodes, tolerates {tolerates} failures. {advice}");
        };
        let ran = run(node, stop, ready).await;
        // Kept to the end: a stopper that is dropped stops the node.
        drop(stopper);
        ran.map_err(|why| Failure::Run(why.to_string()))
    })
}

/// What the contract names and this version does not do. Said, never ignored.
fn not_yet(start: &Start) -> Result<(), Failure> {
    let asked = [("--expect", start.expect.is_some_and(|nodes| nodes > 1))];
    match asked.iter().find(|(_, asked)| *asked) {
        Some((flag, _)) => Err(Failure::Usage(format!(
            "{flag}: unattended starts come with the next version; start one node without --join and the others with it"
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
