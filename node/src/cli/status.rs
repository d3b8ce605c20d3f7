//! `commons status`: the cluster as a node sees it.

use super::failure::Failure;
use super::find::Finding;
use super::output::{self, Format};
use super::table;

pub async fn run(finding: &Finding, format: Format) -> Result<(), Failure> {
    let status = finding.connect().await?.call_json("_", "Status", &serde_json::json!({})).await?;
    output::line(&match format {
        Format::Json => status.to_string(),
        Format::Table => table::show(&status),
    });
    Ok(())
}
