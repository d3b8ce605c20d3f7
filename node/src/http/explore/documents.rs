//! The three documents of a service that M3O's catalogue carries as JSON in a string.

use crate::door::VERSION;
use sdk::describe::openapi::{Key, Options, Paths, document};
use sdk::describe::{Described, DescribedEndpoint, DescribedExample};
use serde_json::{Map, Value, json};

/// OpenAPI with paths in the long form below a server `…/v1`.
pub fn open_api(service: &Described, server: &str) -> Value {
    let options = Options { server: format!("{server}/v1"), paths: Paths::Long, key: Key::Bearer };
    let mut document = document(std::slice::from_ref(service), VERSION, &options);
    document["info"]["title"] = service.display_name.clone().into();
    document["info"]["description"] = service.summary.clone().into();
    document
}

/// By endpoint, its first letter small: `{"listKeys": [{"title", "run_check", "request", "response"}]}`.
pub fn examples(service: &Described) -> Value {
    let one = |example: &DescribedExample| json!({"title": example.title, "run_check": false, "request": example.request, "response": reply(example)});
    let told = service.endpoints.iter().filter(|endpoint| !endpoint.examples.is_empty());
    let all: Map<String, Value> =
        told.map(|endpoint| (small(&endpoint.name), endpoint.examples.iter().map(one).collect())).collect();
    Value::Object(all)
}

/// M3O shows one object, of a stream as well: its first item.
fn reply(example: &DescribedExample) -> Value {
    match &example.response {
        Value::Array(items) => items.first().cloned().unwrap_or_else(|| json!({})),
        reply => reply.clone(),
    }
}

fn small(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().into_iter().flat_map(char::to_lowercase).chain(letters).collect()
}

/// A Postman collection, v2.1.
pub fn postman(service: &Described, server: &str) -> Value {
    let (scheme, host) = server.split_once("://").unwrap_or(("http", server));
    let item = |endpoint: &DescribedEndpoint| {
        let path = ["v1", &service.name, &endpoint.name];
        let raw = endpoint.examples.first().map_or_else(|| json!({}), |example| example.request.clone());
        json!({
            "name": endpoint.name,
            "request": {
                "method": "POST",
                "description": endpoint.summary,
                "header": [{"key": "Content-Type", "value": "application/json"}],
                "url": {
                    "raw": format!("{server}/{}", path.join("/")),
                    "protocol": scheme,
                    "host": [host],
                    "path": path,
                },
                "body": {"mode": "raw", "raw": serde_json::to_string_pretty(&raw).unwrap_or_default()},
            },
            "response": [],
        })
    };
    json!({
        "info": {
            "name": service.display_name,
            "description": service.summary,
            "schema": "https://schema.getpostman.com/json/collection/v2.1.0/collection.json",
        },
        "item": service.endpoints.iter().map(item).collect::<Vec<_>>(),
        "auth": {"type": "bearer", "bearer": [{"key": "token", "value": "{{apiKey}}", "type": "string"}]},
        "variable": [{"key": "apiKey", "value": ""}],
    })
}
