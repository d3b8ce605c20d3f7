//! OpenAPI 3.1 from the endpoint table.
//!
//! It says what callers see: 64-bit integers are strings in replies and either in requests, zero values are always sent, so
//! every field of a reply is there; limits are the schema's own. `services/openapi.json` is this, checked in.

mod answers;
mod operation;
mod schema;

use super::{Described, capital, describe};
use crate::Service;
use serde_json::{Map, Value, json};

/// How a document differs from `services/openapi.json`.
#[derive(Clone, Debug)]
pub struct Options {
    /// The address that is called.
    pub server: String,
    pub paths: Paths,
    pub key: Key,
}

/// Which of an endpoint's two paths is listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paths {
    /// `/v1/wallet/Credit`
    Short,
    /// `/wallet/Wallet/Credit` below a server `…/v1`: M3O's own documents have it so.
    Long,
}

/// Who may call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// Whoever shows the key, as Bearer or as the password of Basic.
    Needed,
    /// As above, under M3O's one scheme.
    Bearer,
    /// Dev mode: callers of this machine need none.
    Optional,
}

impl Default for Options {
    fn default() -> Options {
        Options { server: "http://localhost:8080".into(), paths: Paths::Short, key: Key::Needed }
    }
}

/// The document of these services as it is checked in.
pub fn openapi(services: &[Service], version: &str) -> Value {
    document(&describe(services), version, &Options::default())
}

pub fn document(services: &[Described], version: &str, options: &Options) -> Value {
    let mut schemas = schema::Schemas::default();
    let mut paths = Map::new();
    for service in services {
        let names = schema::Names::of(service);
        for endpoint in &service.endpoints {
            let path = match options.paths {
                Paths::Short => format!("/v1/{}/{}", service.name, endpoint.name),
                Paths::Long => format!("/{}/{}/{}", service.name, capital(&service.name), endpoint.name),
            };
            paths.insert(path, operation::path(service, endpoint, &names, &mut schemas));
        }
    }
    let tags = services.iter().map(|service| json!({"name": service.name, "description": service.summary}));
    let (schemes, security) = security(options.key);
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Commons",
            "version": version,
            "description": ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": options.server}],
        "security": security,
        "tags": tags.collect::<Vec<_>>(),
        "paths": paths,
        "components": {
            "schemas": schemas.with("Error", answers::error_schema()),
            "responses": answers::components(),
            "parameters": operation::parameters(),
            "headers": answers::headers(),
            "securitySchemes": schemes,
        },
    })
}

fn security(key: Key) -> (Value, Value) {
    let bearer = json!({"type": "http", "scheme": "bearer", "description": "the key"});
    let basic = json!({"type": "http", "scheme": "basic", "description": "any name, the key as password"});
    match key {
        Key::Needed => (json!({"bearer": bearer, "basic": basic}), json!([{"bearer": []}, {"basic": []}])),
        Key::Bearer => (json!({"bearer": bearer}), json!([{"bearer": []}])),
        Key::Optional => (json!({"bearer": bearer, "basic": basic}), json!([{"bearer": []}, {"basic": []}, {}])),
    }
}

const ABOUT: &str = "\
Each endpoint is a POST with a JSON object. `/v1/{service}/{Service}/{Endpoint}` is the same endpoint as \
`/v1/{service}/{Endpoint}`; PUT, PATCH and DELETE are read as POST is. Query parameters are merged into the body's object, and \
the body wins. Forms (`application/x-www-form-urlencoded`) are read too, each value as its field's type.

Requests: missing fields, and `null`, take their zero value; unknown ones are ignored; names are taken in camelCase too; \
numbers and bools may come as strings. Replies: every field is there; 64-bit integers are decimal strings.

Errors are one object, whatever goes wrong. Its `reason` is a stable word, and its `outcome` says whether the call happened: \
with `unknown`, ask again under the same `Idempotency-Key`, and it is done once.";
