//! `commons repair`: a cluster of one goes on without what its damaged log lost, because its operator says so (P17).

use crate::start::StartError;
use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;
use storage::disk::RealDisk;
use storage::folder::Folder;
use storage::log::{Log, Options};

/// Cuts the log in `data` at its damage and tells what that may have taken. The node must not be running.
pub fn repair(data: &Path) -> Result<String, StartError> {
    let folder = Folder::open(data)?;
    let Some(identity) = folder.identity() else { return Err(StartError::NoNode(data.to_path_buf())) };
    let disk = RealDisk::open(folder.log()).map_err(|error| StartError::LogFolder { folder: folder.log(), error })?;
    let repaired = Log::repair(Arc::new(disk), &Options::new(identity.cluster, identity.node))
        .map_err(crate::assembly::AssemblyError::Log)?;
    if repaired.damages.is_empty() {
        return Ok("the log is whole: nothing was cut\n".into());
    }
    let mut report = String::from("the log was cut; what follows may be lost, and the log remembers that for good:\n");
    for damage in &repaired.damages {
        // Writing to a string cannot fail.
        let _ = writeln!(report, "  {damage}");
    }
    for (replica, start) in &repaired.emptied {
        let _ = writeln!(report, "  {replica}: every entry behind {}", start.index);
    }
    report.push_str("start the node again with: commons start --data ");
    let _ = writeln!(report, "{}", data.display());
    Ok(report)
}
