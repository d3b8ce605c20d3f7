//! What people are told of services: fields, limits, examples, and the [OpenAPI](openapi) document.
//!
//! All of it comes from the endpoint table, its types and the examples; nothing here needs a node.

pub mod field;
pub mod openapi;
mod rust;
pub mod shell;

pub use field::Field;

use crate::Service;
use crate::runtime::Run;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use wire::fit::{Fit, Origin};
use wire::limits::keyword;
use wire::{Endpoint, Kind};

/// A service as `commons describe`, the page at `/` and the catalogue routes tell of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Described {
    pub name: String,
    /// As a heading: `Hello World`.
    #[serde(default)]
    pub display_name: String,
    #[serde(default)]
    pub category: String,
    pub summary: String,
    pub endpoints: Vec<DescribedEndpoint>,
}

/// An endpoint in words, schemas and examples.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DescribedEndpoint {
    pub name: String,
    pub summary: String,
    /// What follows the summary in the request's docs.
    #[serde(default)]
    pub doc: String,
    /// What the reply, or each item of a stream, is.
    #[serde(default)]
    pub reply: String,
    pub kind: Kind,
    /// How the entity is found, in words.
    pub key: String,
    /// Never logged, its kept reply sealed.
    #[serde(default)]
    pub sensitive: bool,
    /// The largest request.
    #[serde(default)]
    pub body_bytes_max: usize,
    /// Why it answers 501; empty = it is built.
    #[serde(default)]
    pub not_yet: String,
    #[serde(default)]
    pub fields: Vec<Field>,
    #[serde(default)]
    pub reply_fields: Vec<Field>,
    /// Refusals of its own: what its fields' limits say, and what the service lists.
    #[serde(default)]
    pub errors: Vec<DescribedError>,
    /// The service lists all that its code refuses.
    #[serde(default)]
    pub lists_errors: bool,
    pub examples: Vec<DescribedExample>,
    /// JSON Schemas.
    pub request: Value,
    pub response: Value,
}

/// A refusal that the service itself decides on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DescribedError {
    pub code: u16,
    pub reason: String,
}

/// A call and its answer, and how to make it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DescribedExample {
    pub title: String,
    pub request: Value,
    /// As callers see it; a stream's items in a list.
    pub response: Value,
    #[serde(default)]
    pub cli: String,
    #[serde(default)]
    pub curl: String,
    #[serde(default)]
    pub rust: String,
}

impl Described {
    /// `Wallet.Credit`: how M3O's catalogue names an endpoint.
    pub fn long_name(&self, endpoint: &str) -> String {
        format!("{}.{endpoint}", capital(&self.name))
    }
}

/// The services of a binary, by name; internal endpoints are told to nobody.
pub fn describe(services: &[Service]) -> Vec<Described> {
    let mut all: Vec<Described> = services.iter().map(one).collect();
    all.sort_by(|a, b| a.name.cmp(&b.name));
    all
}

fn one(service: &Service) -> Described {
    Described {
        name: service.name().to_string(),
        display_name: display_name(service),
        category: service.category.to_string(),
        summary: service.summary().to_string(),
        endpoints: service.endpoints().filter(|e| !e.internal).map(|e| endpoint(service, e)).collect(),
    }
}

/// What the service calls itself, else its name with a capital letter.
fn display_name(service: &Service) -> String {
    if service.display_name.is_empty() { capital(service.name()) } else { service.display_name.to_string() }
}

/// `wallet` → `Wallet`, as in the long form of paths.
pub fn capital(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect()
}

fn endpoint(service: &Service, endpoint: &Endpoint) -> DescribedEndpoint {
    let (request, response) = ((endpoint.request)(), (endpoint.response)());
    let text = |schema: &Value| schema["description"].as_str().unwrap_or_default().to_string();
    let why = match service.run(endpoint.name) {
        Some((_, Run::NotYet(why))) => why,
        _ => "",
    };
    DescribedEndpoint {
        name: endpoint.name.to_string(),
        summary: endpoint.summary(),
        doc: text(&request).split_once('\n').map(|(_, rest)| rest.trim().to_string()).unwrap_or_default(),
        reply: text(&response),
        kind: endpoint.kind,
        key: endpoint.key.to_string(),
        sensitive: endpoint.sensitive,
        body_bytes_max: endpoint.body_bytes_max,
        not_yet: why.to_string(),
        fields: field::of(&request),
        reply_fields: field::of(&response),
        errors: errors(service, endpoint, &request),
        lists_errors: service.refusals(endpoint.name).is_some(),
        examples: examples(service, endpoint, &request, &response),
        request,
        response,
    }
}

/// What its code refuses, as the service lists it, and what its fields' limits do.
fn errors(service: &Service, endpoint: &Endpoint, request: &Value) -> Vec<DescribedError> {
    let listed = service.refusals(endpoint.name).into_iter().flatten();
    let mut all: Vec<_> = listed.map(|r| DescribedError { code: r.code, reason: r.word.to_string() }).collect();
    add_refusals(request, &mut all);
    all.sort_by(|a, b| (a.code, &a.reason).cmp(&(b.code, &b.reason)));
    all.dedup();
    all
}

fn add_refusals(schema: &Value, out: &mut Vec<DescribedError>) {
    match schema {
        Value::Object(parts) => {
            for word in [keyword::MISSING, keyword::REFUSED] {
                let told = &schema[word];
                if let (Some(code), Some(reason)) = (told["code"].as_u64(), told["reason"].as_str()) {
                    out.push(DescribedError { code: code as u16, reason: reason.to_string() });
                }
            }
            parts.values().for_each(|part| add_refusals(part, out));
        }
        Value::Array(parts) => parts.iter().for_each(|part| add_refusals(part, out)),
        _ => {}
    }
}

fn examples(service: &Service, endpoint: &Endpoint, request: &Value, response: &Value) -> Vec<DescribedExample> {
    let (takes, shows) = (Fit::of(request), Fit::of(response));
    let unsaid = unsaid(endpoint, &takes);
    let fields = takes.fields();
    let own = service.examples().iter().filter(|example| example.endpoint == endpoint.name);
    own.map(|example| {
        let said = without(&example.request, &unsaid);
        DescribedExample {
            title: example.title.to_string(),
            cli: shell::command(service.name(), endpoint.name, &fields, &said),
            curl: shell::curl(service.name(), endpoint.name, &said),
            rust: rust::call(service.name(), endpoint.kind, request, &said),
            request: example.request.clone(),
            response: match example.response.clone() {
                Value::Array(items) => items.into_iter().map(|item| shows.show(item)).collect(),
                reply => shows.show(reply),
            },
        }
    })
    .collect()
}

/// The request of a caller who says nothing.
fn unsaid(endpoint: &Endpoint, takes: &Fit) -> Value {
    let nothing = takes.take(json!({}), Origin::Json).ok();
    let bytes = nothing.and_then(|nothing| (endpoint.request_from_json)(nothing).ok());
    bytes.and_then(|bytes| (endpoint.request_to_json)(&bytes).ok()).unwrap_or_default()
}

/// What somebody would have to type: fields that differ from those of an empty request.
fn without(request: &Value, unsaid: &Value) -> Value {
    let Value::Object(fields) = request else { return request.clone() };
    let said = fields.iter().filter(|(name, value)| unsaid.get(name) != Some(value));
    Value::Object(said.map(|(name, value)| (name.clone(), value.clone())).collect())
}

#[cfg(test)]
mod tests;
