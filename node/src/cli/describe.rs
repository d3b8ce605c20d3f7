//! `commons services` and `commons describe`: from this binary, or from a node when one is named.

use super::args::Describe;
use super::failure::Failure;
use super::find::Finding;
use super::output::{self, Format, bold};
use super::table::columns;
use crate::door::catalogue::{Described, DescribedEndpoint, describe as described, did_you_mean};
use serde_json::{Value, json};
use wire::fit::{FieldInfo, Fit};

pub async fn services(finding: &Finding, format: Format) -> Result<(), Failure> {
    let all = catalogue(finding).await?;
    let short = |e: &DescribedEndpoint| json!({"name": e.name, "summary": e.summary, "kind": e.kind, "key": e.key});
    output::line(&match format {
        Format::Json => {
            let all = all.iter().map(|service| {
                let endpoints: Vec<Value> = service.endpoints.iter().map(short).collect();
                json!({"name": service.name, "summary": service.summary, "endpoints": endpoints})
            });
            Value::Array(all.collect()).to_string()
        }
        Format::Table => {
            columns(all.iter().map(|service| vec![service.name.clone(), service.summary.clone()]).collect())
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
                Format::Table => service_text(service),
            }
        }
        Some(name) => {
            let (service, endpoint) = endpoint(&all, &wanted.service, name)?;
            match format {
                Format::Json => json(serde_json::to_string(&endpoint)),
                Format::Table => endpoint_text(&service, &endpoint),
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

fn service_text(service: &Described) -> String {
    let rows =
        service.endpoints.iter().map(|endpoint| vec![endpoint.name.clone(), kind(endpoint), endpoint.summary.clone()]);
    format!("{}: {}\n\n{}", bold(&service.name), service.summary, columns(rows.collect()))
}

fn kind(endpoint: &DescribedEndpoint) -> String {
    serde_json::to_value(endpoint.kind).ok().and_then(|kind| kind.as_str().map(str::to_string)).unwrap_or_default()
}

pub fn endpoint_text(service: &str, endpoint: &DescribedEndpoint) -> String {
    let key = if endpoint.key.is_empty() { String::new() } else { format!(", key: {}", endpoint.key) };
    let mut out = vec![format!("{}: {}", bold(&format!("{service} {}", endpoint.name)), endpoint.summary)];
    out.push(format!("({}{key})", kind(endpoint)));
    let fields = Fit::of(&endpoint.request).fields();
    if !fields.is_empty() {
        out.push(format!("\n{}\n{}", bold("fields"), rows(&fields, "--")));
    }
    let reply = Fit::of(&endpoint.response).fields();
    if !reply.is_empty() {
        out.push(format!("\n{}\n{}", bold("reply"), rows(&reply, "")));
    }
    let example = endpoint.examples.first();
    let request = example.map_or_else(|| json!({}), |example| without_zeroes(&example.request));
    out.push(format!("\n{}", bold(example.map_or("example", |example| example.title.as_str()))));
    out.push(format!("  {}", as_command(service, &endpoint.name, &request)));
    out.push(format!("  {}", as_curl(service, &endpoint.name, &request)));
    if let Some(example) = example {
        out.push(format!("  {}", example.response));
    }
    out.join("\n")
}

fn rows(fields: &[FieldInfo], dashes: &str) -> String {
    let row = |field: &FieldInfo| {
        vec![
            format!("{dashes}{}", field.name),
            field.kind.clone(),
            field.doc.lines().next().unwrap_or_default().to_string(),
        ]
    };
    columns(fields.iter().map(row).collect())
}

/// What nobody would type.
fn without_zeroes(request: &Value) -> Value {
    let Value::Object(fields) = request else { return request.clone() };
    let is_zero = |value: &Value| match value {
        Value::Null | Value::Bool(false) => true,
        Value::Number(n) => n.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Bool(true) => false,
    };
    fields.iter().filter(|(_, value)| !is_zero(value)).map(|(name, value)| (name.clone(), value.clone())).collect()
}

fn as_command(service: &str, endpoint: &str, request: &Value) -> String {
    let flags = request.as_object().into_iter().flatten().map(|(name, value)| match value {
        Value::Bool(true) => format!(" --{name}"),
        Value::String(text) => format!(" --{name} {}", quoted(text)),
        value => format!(" --{name} {}", quoted(&value.to_string())),
    });
    format!("commons call {service} {endpoint}{}", flags.collect::<String>())
}

fn as_curl(service: &str, endpoint: &str, request: &Value) -> String {
    format!("curl localhost:8080/v1/{service}/{endpoint} -d {}", quoted(&request.to_string()))
}

/// For a shell.
fn quoted(text: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./:@%+,".contains(letter);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_string()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
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
        assert_eq!(
            line("demo", "Credt"),
            r#"demo has no endpoint "Credt"; did you mean "Credit"? (endpoints: Credit Balance Watch)"#
        );
    }

    #[test]
    fn an_endpoint_is_shown_with_fields_and_example() {
        let all = described(&testing::services());
        let (service, endpoint) = endpoint(&all, "demo", "Credit").unwrap();
        let text = endpoint_text(&service, &endpoint);
        for part in [
            "demo Credit: Add to a balance.",
            "(command, key: id or \"default\")",
            "  --amount      64-bit integer  how much to add",
            "  commons call demo Credit",
            "  curl localhost:8080/v1/demo/Credit -d '{}'",
        ] {
            assert!(text.contains(part), "{part:?} is not in\n{text}");
        }
    }

    #[test]
    fn examples_can_be_pasted_into_a_shell() {
        let request =
            without_zeroes(&json!({"amount": 5, "id": "", "reference": "it's a tip", "visible": true, "tags": ["a"]}));
        assert_eq!(
            as_command("w", "C", &request),
            r#"commons call w C --amount 5 --reference 'it'\''s a tip' --visible --tags '["a"]'"#
        );
        assert_eq!(as_curl("w", "C", &json!({"amount": 5})), r#"curl localhost:8080/v1/w/C -d '{"amount":5}'"#);
    }
}
