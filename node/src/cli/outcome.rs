//! `commons outcome`: what became of the calls under a request id (P6).

use super::args::Outcome;
use super::failure::Failure;
use super::find::Finding;
use super::output::{self, Format};
use super::table;
use serde_json::json;

pub async fn run(finding: &Finding, asked: &Outcome, format: Format) -> Result<(), Failure> {
    let request = json!({ "id": asked.id, "fence": asked.fence, "service": asked.service });
    let told = finding.connect().await?.call_json(actors::outcome::SERVICE, "Outcome", &request).await?;
    output::line(&match format {
        Format::Json => told.to_string(),
        Format::Table => table::show(&told),
    });
    Ok(())
}
