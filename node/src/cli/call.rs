//! `commons call SERVICE ENDPOINT …`

use super::args::Call;
use super::failure::Failure;
use super::find::Finding;
use super::output::{self, Format};
use super::{describe, fields, on_runtime, table};
use clap::ValueEnum;
use client::Client;
use sdk::describe::{DescribedEndpoint, describe as described};
use serde_json::Value;
use std::io::Read;
use std::process::ExitCode;
use std::time::Duration;
use wire::Kind;
use wire::fit::Fit;

/// More than any request may hold.
const STDIN_BYTES_MAX: u64 = 16 << 20;

/// What to call, once all that was typed is understood.
struct Wanted {
    service: String,
    endpoint: DescribedEndpoint,
    request: Value,
}

pub fn run(mut call: Call, mut finding: Finding, output: Option<Format>) -> ExitCode {
    let mut format = output;
    let done = on_runtime(async {
        let Some(wanted) = understand(&mut call, &mut finding, &mut format).await? else { return Ok(()) };
        let client = finding.connect().await?;
        make(client, &call, wanted, format.unwrap_or(Format::Json)).await
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        // A call prints JSON by itself; errors come as JSON too when that was asked for.
        Err(failure) => failure.tell(format.unwrap_or(Format::Table)),
    }
}

/// `None`: help was asked for and given.
async fn understand(
    call: &mut Call,
    finding: &mut Finding,
    format: &mut Option<Format>,
) -> Result<Option<Wanted>, Failure> {
    let own = described(&services::all());
    let found = match describe::endpoint(&own, &call.service, &call.endpoint) {
        // This binary does not know it: the node may, if one was named.
        Err(unknown) if finding.is_known() => {
            let theirs = describe::of_node(finding).await.map_err(|_| unknown)?;
            describe::endpoint(&theirs, &call.service, &call.endpoint)?
        }
        found => found?,
    };
    let (service, endpoint) = found;
    let read = || {
        let mut text = String::new();
        std::io::stdin().take(STDIN_BYTES_MAX).read_to_string(&mut text).map(|_| text)
    };
    let usage = |what: String| Failure::Usage(format!("{service} {}: {what}", endpoint.name));
    let given = fields::parse(&Fit::of(&endpoint.request), &call.rest, read).map_err(usage)?;
    if given.wants_help {
        output::line(&describe::text::endpoint(&service, &endpoint));
        return Ok(None);
    }
    for (name, value) in given.options {
        match name.as_str() {
            "node" => finding.node = Some(value),
            "token" => finding.token = Some(value),
            "token-file" => finding.token_file = Some(value.into()),
            "ca" => finding.ca = Some(value.into()),
            "request-id" => call.request_id = Some(value),
            "stale-ok" => call.stale_ok = value == "true",
            "timeout" => call.timeout = Some(value.parse().map_err(|_| usage("--timeout takes milliseconds".into()))?),
            _ => {
                *format =
                    Some(Format::from_str(&value, true).map_err(|_| usage("--output takes json or table".into()))?)
            }
        }
    }
    if let Some(id) = &call.request_id {
        crate::door::check_request_id(id).map_err(|error| usage(format!("--request-id: {}", error.detail)))?;
    }
    Ok(Some(Wanted { service, endpoint, request: given.request }))
}

async fn make(mut client: Client, call: &Call, wanted: Wanted, format: Format) -> Result<(), Failure> {
    if let Some(id) = &call.request_id {
        client = client.with_request_id(id);
    }
    if let Some(ms) = call.timeout {
        client = client.with_deadline(Duration::from_millis(ms));
    }
    if call.stale_ok {
        client = client.stale_ok();
    }
    let Wanted { service, endpoint, request } = wanted;
    let print = |value: &Value| match format {
        Format::Json => output::line(&value.to_string()),
        Format::Table => output::line(&table::show(value)),
    };
    if endpoint.kind == Kind::Stream {
        let mut items = client.stream_json(&service, &endpoint.name, &request).await?;
        while let Some(item) = items.next().await {
            print(&item?);
        }
        return Ok(());
    }
    let told = client.call_json_told(&service, &endpoint.name, &request).await?;
    if told.stale {
        output::remark("this may be behind: the node did not ask the others");
    }
    print(&told.reply);
    Ok(())
}
