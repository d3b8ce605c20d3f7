//! The worlds a seed can be run in. A new one is a line in [`WORLDS`].

use crate::{cluster, consensus, node};

/// A deterministic world: one seed decides everything in it.
pub struct World {
    pub name: &'static str,
    /// Runs a seed; prints every step if `trace`.
    pub run: fn(seed: u64, trace: bool) -> Result<Ran, String>,
    /// The whole configuration a seed stands for.
    pub explain: fn(seed: u64) -> String,
}

/// A clean run.
pub struct Ran {
    /// One line on what happened in it.
    pub summary: String,
    pub trace_hash: u64,
}

/// All of them; the first is the default.
pub static WORLDS: &[World] = &[
    World { name: "consensus", run: run_consensus, explain: explain_consensus },
    World { name: "node", run: run_node, explain: explain_node },
    World { name: "cluster", run: run_cluster, explain: explain_cluster },
];

fn run_consensus(seed: u64, trace: bool) -> Result<Ran, String> {
    let trace = if trace { consensus::Trace::echoed() } else { consensus::Trace::default() };
    let report = consensus::run(consensus::Plan::of(seed), trace)?;
    let trace_hash = report.trace_hash;
    Ok(Ran { summary: format!("{report:?}"), trace_hash })
}

fn explain_consensus(seed: u64) -> String {
    format!("{:?}", consensus::Plan::of(seed))
}

fn run_node(seed: u64, trace: bool) -> Result<Ran, String> {
    let trace = if trace { consensus::Trace::echoed() } else { consensus::Trace::default() };
    let report = node::run(node::Plan::of(seed), trace)?;
    Ok(Ran { summary: format!("{:?} in {} ms", report.counts, report.virtual_ms), trace_hash: report.trace_hash })
}

fn explain_node(seed: u64) -> String {
    format!("{:?}", node::Plan::of(seed))
}

fn run_cluster(seed: u64, trace: bool) -> Result<Ran, String> {
    let trace = if trace { consensus::Trace::echoed() } else { consensus::Trace::default() };
    let report = cluster::run(cluster::Plan::of(seed), trace)?;
    Ok(Ran { summary: format!("{:?} in {} ms", report.counts, report.virtual_ms), trace_hash: report.trace_hash })
}

fn explain_cluster(seed: u64) -> String {
    format!("{:?}", cluster::Plan::of(seed))
}
