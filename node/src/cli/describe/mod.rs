//! `commons services` and `commons describe`: from this binary, or from a node when one is named.

use super::args::Describe;
use super::failure::Failure;
use super::find::Finding;
use super::output::{self, Format};
use super::table::wrapped;
use crate::door::catalogue::did_you_mean;
use sdk::describe::{Described, DescribedEndpoint, describe as described};
use serde_json::{Value, json};

#[cfg(test)]
mod pasted;
pub mod text;

pub async fn services(finding: &Finding, format: Format) -> Result<(), Failure> {
    let all = catalogue(finding).await?;
    let short = |e: &DescribedEndpoint| json!({"name": e.name, "summary": e.summary, "kind": e.kind, "key": e.key});
    output::line(&match format {
        Format::Json => {
            let all = all.iter().map(|service| {
                let endpoints: Vec<Value> = service.endpoints.iter().map(short).collect();
                json!({"name": service.name, "summary": service.summary, "category": service.category, "endpoints": endpoints})
            });
            Value::Array(all.collect()).to_string()
        }
        Format::Table => {
            let rows = all.iter().map(|service| vec![service.name.clone(), service.summary.clone()]);
            format!("{}\n\n`commons describe SERVICE` shows its endpoints.", wrapped(rows.collect()))
        }
    });
    Ok(())
}

pub async fn describe(finding: &Finding, wanted: &Describe, format: Format) -> Result<(), Failure> {
    let all = catalogue(finding).await?;
    let json = |value: serde_json::Result<String>| value.unwrap_or_default();
    let text = match &wanted.endpoint {
        None => {
            let service = service(&all, &wanted.service)?;
            match format {
                Format::Json => json(serde_json::to_string(service)),
                Format::Table => text::service(service),
            }
        }
        Some(name) => {
            let (service, endpoint) = endpoint(&all, &wanted.service, name)?;
            match format {
                Format::Json => json(serde_json::to_string(&endpoint)),
                Format::Table => text::endpoint(&service, &endpoint),
            }
        }
    };
    output::line(&text);
    Ok(())
}

async fn catalogue(finding: &Finding) -> Result<Vec<Described>, Failure> {
    if finding.is_told() { of_node(finding).await } else { Ok(described(&services::all())) }
}

/// The services of the node that was named.
pub async fn of_node(finding: &Finding) -> Result<Vec<Described>, Failure> {
    let services = finding.connect().await?.call_json("_", "Services", &json!({})).await?;
    serde_json::from_value(services).map_err(|why| Failure::Run(format!("the node's catalogue cannot be read: {why}")))
}

fn service<'a>(all: &'a [Described], name: &str) -> Result<&'a Described, Failure> {
    all.iter().find(|service| service.name.eq_ignore_ascii_case(name)).ok_or_else(|| {
        let near = did_you_mean(name, all.iter().map(|service| service.name.as_str()));
        Failure::Usage(format!("there is no service {name:?}{near} (`commons services` lists them)"))
    })
}

/// By name, written as people do: an endpoint's case does not matter here.
pub fn endpoint(all: &[Described], name: &str, endpoint: &str) -> Result<(String, DescribedEndpoint), Failure> {
    let service = service(all, name)?;
    let found = service.endpoints.iter().find(|known| known.name.eq_ignore_ascii_case(endpoint));
    let found = found.ok_or_else(|| {
        let near = did_you_mean(endpoint, service.endpoints.iter().map(|known| known.name.as_str()));
        let all: Vec<&str> = service.endpoints.iter().map(|known| known.name.as_str()).collect();
        Failure::Usage(format!("{} has no endpoint {endpoint:?}{near} (endpoints: {})", service.name, all.join(" ")))
    })?;
    Ok((service.name.clone(), found.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::door::testing;

    #[test]
    fn names_are_found_or_the_nearest_is_told() {
        let all = described(&testing::services());
        assert_eq!(endpoint(&all, "DEMO", "credit").unwrap().1.name, "Credit");
        let line = |service: &str, name: &str| match endpoint(&all, service, name) {
            Err(Failure::Usage(line)) => line,
            other => panic!("{other:?}"),
        };
        assert_eq!(
            line("dmo", "x"),
            r#"there is no service "dmo"; did you mean "demo"? (`commons services` lists them)"#
        );
        assert_eq!(line("zzzzzzz", "x"), r#"there is no service "zzzzzzz" (`commons services` lists them)"#);
        let line = line("demo", "Credt");
        let want = r#"demo has no endpoint "Credt"; did you mean "Credit"? (endpoints: Credit Balance Watch"#;
        assert!(line.starts_with(want), "{line}");
    }
}
