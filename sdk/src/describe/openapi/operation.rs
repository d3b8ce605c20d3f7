//! A path and its operations.

use super::answers::{self, Method};
use super::schema::{self, Names, Schemas, Side};
use crate::describe::{Described, DescribedEndpoint};
use serde_json::{Map, Value, json};
use wire::Kind;

pub fn path(service: &Described, endpoint: &DescribedEndpoint, names: &Names, schemas: &mut Schemas) -> Value {
    let mut out = Map::new();
    // GET is for what changes nothing: a link, a browser, a cache may repeat it.
    if matches!(endpoint.kind, Kind::Query | Kind::Gather | Kind::Local) && !endpoint.sensitive {
        let mut get = operation(service, endpoint, Method::Get, names, schemas);
        let query = query(names, endpoint);
        get["parameters"].as_array_mut().into_iter().for_each(|all| all.splice(0..0, query.clone()).for_each(drop));
        out.insert("get".into(), get);
    }
    let mut post = operation(service, endpoint, Method::Post, names, schemas);
    post["requestBody"] = body(endpoint, schemas.add(names, &endpoint.request, Side::Request));
    out.insert("post".into(), post);
    Value::Object(out)
}

fn operation(
    service: &Described,
    endpoint: &DescribedEndpoint,
    method: Method,
    names: &Names,
    schemas: &mut Schemas,
) -> Value {
    let reply = schemas.add(names, &endpoint.response, Side::Reply);
    let mut parameters = vec![];
    if method == Method::Post && answers::takes_request_id(endpoint) {
        parameters.push(json!({"$ref": "#/components/parameters/Idempotency-Key"}));
    }
    parameters.push(json!({"$ref": "#/components/parameters/Commons-Timeout-Ms"}));
    if answers::may_be_stale(endpoint) {
        parameters.push(json!({"$ref": "#/components/parameters/Commons-Stale-Ok"}));
    }
    let by_get = if method == Method::Get { "ByGet" } else { "" };
    let mut out = json!({
        "operationId": format!("{}{}{by_get}", service.name, endpoint.name),
        "tags": [service.name],
        "summary": endpoint.summary,
        "description": description(endpoint),
        "x-commons-kind": endpoint.kind,
        "parameters": parameters,
        "responses": answers::of(endpoint, method, &reply),
    });
    let mut mark = |name: &str, value: Value| out[name] = value;
    if !endpoint.key.is_empty() {
        mark("x-commons-key", json!(endpoint.key));
    }
    if endpoint.sensitive {
        mark("x-commons-sensitive", json!(true));
    }
    if method == Method::Post {
        mark("x-commons-body-bytes-max", json!(endpoint.body_bytes_max));
        if !endpoint.errors.is_empty() {
            mark("x-commons-reasons", json!(endpoint.errors));
        }
        if !endpoint.examples.is_empty() {
            mark("x-codeSamples", samples(endpoint));
        }
    }
    out
}

fn description(endpoint: &DescribedEndpoint) -> String {
    let mut parts = vec![];
    if !endpoint.doc.is_empty() {
        parts.push(endpoint.doc.clone());
    }
    let key =
        if endpoint.key.is_empty() { String::new() } else { format!(" It concerns one entity: {}.", endpoint.key) };
    parts.push(format!("{}{key}", meaning(endpoint.kind)));
    if !endpoint.not_yet.is_empty() {
        parts.push(format!("Not there yet: {}.", endpoint.not_yet));
    }
    parts.join("\n\n")
}

/// What a kind promises to its caller.
pub fn meaning(kind: Kind) -> &'static str {
    match kind {
        Kind::Command => "Changes state: its reply comes when the change is on disk.",
        Kind::Query => "Reads one consistent moment.",
        Kind::Gather => "Reads all groups, merged in order, page by page.",
        Kind::Handler => "Calls others on its way.",
        Kind::Stream => "Yields items as fast as they are read.",
        Kind::Local => "Needs no state: the node that is asked answers.",
    }
}

fn samples(endpoint: &DescribedEndpoint) -> Value {
    let first = endpoint.examples.iter().take(1);
    let each = first.flat_map(|example| {
        [("Shell", "curl", &example.curl), ("Shell", "commons", &example.cli), ("Rust", "Rust", &example.rust)]
    });
    each.map(|(lang, label, source)| json!({"lang": lang, "label": label, "source": source})).collect()
}

fn body(endpoint: &DescribedEndpoint, request: Value) -> Value {
    let mut content = json!({"schema": request});
    let examples = endpoint.examples.iter().enumerate();
    let examples: Map<String, Value> = examples
        .map(|(n, example)| (example_name(n), json!({"summary": example.title, "value": example.request})))
        .collect();
    if !examples.is_empty() {
        content["examples"] = Value::Object(examples);
    }
    let is_needed = !schema::required(&endpoint.request).is_empty();
    json!({"required": is_needed, "content": {"application/json": content}})
}

/// `example1`: names of examples have a narrow alphabet.
pub fn example_name(n: usize) -> String {
    format!("example{}", n + 1)
}

/// A GET has only its query: each field a parameter, `a.b` for what is inside.
fn query(names: &Names, endpoint: &DescribedEndpoint) -> Vec<Value> {
    let required = schema::required(&endpoint.request);
    let fields = endpoint.request["properties"].as_object().into_iter().flatten();
    let one = |(name, raw): (&String, &Value)| {
        let mut schema = schema::field(names, &endpoint.request, name);
        let doc = schema.as_object_mut().and_then(|schema| schema.shift_remove("description"));
        let mut out = json!({"name": name, "in": "query"});
        if let Some(doc) = doc {
            out["description"] = doc;
        }
        if required.contains(name) {
            out["required"] = json!(true);
        }
        match kind(&endpoint.request, raw) {
            Some(kind) if is_plain(kind) => out["schema"] = schema,
            Some("array") if kind(&endpoint.request, &raw["items"]).is_some_and(is_plain) => {
                out["schema"] = schema;
                out["style"] = json!("form");
                out["explode"] = json!(false);
            }
            // JSON in a parameter is read as JSON where the field is no plain value.
            _ => out["content"] = json!({"application/json": {"schema": schema}}),
        }
        out
    };
    fields.map(one).collect()
}

/// The JSON type of a field, a list of words being text: in a query it goes without quotes.
fn kind<'a>(request: &'a Value, raw: &'a Value) -> Option<&'a str> {
    let named = raw["$ref"].as_str().and_then(|path| path.strip_prefix("#/$defs/"));
    let raw = named.map_or(raw, |name| &request["$defs"][name]);
    let words = raw["oneOf"].as_array().is_some_and(|parts| parts.iter().all(|part| part["const"].is_string()));
    if words { Some("string") } else { raw["type"].as_str() }
}

/// One value, that text can say.
fn is_plain(kind: &str) -> bool {
    matches!(kind, "string" | "integer" | "number" | "boolean")
}

/// `components.parameters`
pub fn parameters() -> Value {
    json!({
        "Idempotency-Key": {
            "name": "Idempotency-Key",
            "in": "header",
            "description": "A name for this call: under it, it is done once, and answered alike for a day.",
            "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
        },
        "Commons-Timeout-Ms": {
            "name": "Commons-Timeout-Ms",
            "in": "header",
            "description": "How long the call may take, in milliseconds; 10,000 when not said, 60,000 at most.",
            "schema": {"type": "integer", "minimum": 1},
        },
        "Commons-Stale-Ok": {
            "name": "Commons-Stale-Ok",
            "in": "header",
            "description": "Take what the node has, though it may be behind: also while it is cut off from the others.",
            "schema": {"type": "boolean"},
        },
    })
}
