//! What an endpoint may answer: its reply, or the error object under each status it can have.

use crate::describe::DescribedEndpoint;
use serde_json::{Map, Value, json};
use wire::Kind;

/// Status, name of the component, what it means.
const ERRORS: &[(u16, &str, &str)] = &[
    (
        400,
        "BadRequest",
        "A field or header is missing or wrong, or the service refuses: `detail` names the field and the rule",
    ),
    (401, "Unauthorized", "No key, or a wrong one"),
    (403, "Forbidden", "The key may not do this; in dev mode, a page from elsewhere sent the request"),
    (404, "NotFound", "What the request names is not there"),
    (408, "RequestTimeout", "The request did not arrive in time"),
    (409, "Conflict", "It is there already, or is not in a state for this"),
    (413, "TooLarge", "The request, or a value in it, is too large"),
    (415, "UnsupportedMediaType", "A content type or encoding that is not read"),
    (422, "IdReused", "The same `Idempotency-Key` came before with another request"),
    (429, "TooManyRequests", "A queue is full: nothing was begun, try again after `Retry-After`"),
    (
        431,
        "HeadersTooLarge",
        "The query and headers are too long to be read: nothing in them was, so there is no error object",
    ),
    (500, "Internal", "The node or the service failed; `outcome` says whether the call happened"),
    (501, "NotImplemented", "Declared, and not there yet"),
    (503, "Unavailable", "Nobody can answer just now: try again after `Retry-After`"),
    (504, "DeadlineOver", "The call's time is over; `outcome` says whether it happened"),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    Get,
    Post,
}

/// `responses` of an operation. `reply`: a reference to the schema of the reply or item.
pub fn of(endpoint: &DescribedEndpoint, method: Method, reply: &Value) -> Value {
    let mut all = Map::new();
    all.insert("200".into(), done(endpoint, method, reply));
    for (code, name, _) in ERRORS {
        if can_be(*code, endpoint, method) {
            all.insert(code.to_string(), json!({"$ref": format!("#/components/responses/{name}")}));
        }
    }
    Value::Object(all)
}

fn done(endpoint: &DescribedEndpoint, method: Method, reply: &Value) -> Value {
    let examples: Map<String, Value> = endpoint
        .examples
        .iter()
        .enumerate()
        .map(|(n, example)| {
            (super::operation::example_name(n), json!({"summary": example.title, "value": example.response}))
        })
        .collect();
    let is_stream = endpoint.kind == Kind::Stream;
    let mut content = match is_stream {
        // One object a line is no JSON value, so it has no schema in 3.1: that of each line stands beside it.
        true => json!({"x-commons-item-schema": reply}),
        false => json!({"schema": reply}),
    };
    if !examples.is_empty() && !is_stream {
        content["examples"] = Value::Object(examples);
    }
    let told = match is_stream {
        true => format!(
            "{}\n\nJSON objects, one a line, as they come; a blank line now and then says that the stream is alive. An \
             error after the first item is the last line.",
            endpoint.reply
        ),
        false => endpoint.reply.clone(),
    };
    let mut response = json!({"description": told, "content": {"application/json": content}});
    if takes_request_id(endpoint) && method == Method::Post {
        let kept = json!({"$ref": "#/components/headers/Commons-Idempotency-Kept-Seconds"});
        response["headers"] = json!({"Commons-Idempotency-Kept-Seconds": kept});
    }
    if may_be_stale(endpoint) {
        response["headers"] = json!({"Commons-Stale": {"$ref": "#/components/headers/Commons-Stale"}});
    }
    response
}

/// It reads rows, and may read those of the node that was asked as they are.
pub fn may_be_stale(endpoint: &DescribedEndpoint) -> bool {
    matches!(endpoint.kind, Kind::Query | Kind::Gather)
}

/// Repeating it would change something: it can be named, and is then done once.
pub fn takes_request_id(endpoint: &DescribedEndpoint) -> bool {
    matches!(endpoint.kind, Kind::Command | Kind::Handler)
}

fn can_be(code: u16, endpoint: &DescribedEndpoint, method: Method) -> bool {
    let refuses = |code: u16| endpoint.errors.iter().any(|error| error.code == code);
    // A service that does not list what it refuses may have any of the usual ones.
    let unlisted = !endpoint.lists_errors && endpoint.kind != Kind::Gather;
    match code {
        400 | 401 | 403 | 429 | 431 | 500 | 503 | 504 => true,
        404 | 409 => refuses(code) || unlisted,
        408 | 415 => method == Method::Post,
        413 => method == Method::Post || refuses(code),
        422 => refuses(code) || takes_request_id(endpoint) && method == Method::Post,
        501 => refuses(code) || !endpoint.not_yet.is_empty(),
        _ => refuses(code),
    }
}

/// `components.responses`
pub fn components() -> Value {
    let one = |(code, name, told): &(u16, &str, &str)| {
        if *code == 431 {
            return (name.to_string(), json!({"description": told}));
        }
        let mut headers = json!({
            "Commons-Outcome": {"$ref": "#/components/headers/Commons-Outcome"},
            "Commons-Source": {"$ref": "#/components/headers/Commons-Source"},
        });
        if matches!(code, 429 | 503) {
            headers["Retry-After"] = json!({"$ref": "#/components/headers/Retry-After"});
        }
        let schema = json!({"$ref": "#/components/schemas/Error"});
        let response =
            json!({"description": told, "headers": headers, "content": {"application/json": {"schema": schema}}});
        (name.to_string(), response)
    };
    Value::Object(ERRORS.iter().map(one).collect())
}

/// `components.headers`
pub fn headers() -> Value {
    json!({
        "Commons-Outcome": {
            "description": "As `outcome` of the error.",
            "schema": {"type": "string", "enum": ["not_run", "ran", "unknown"]},
        },
        "Commons-Source": {
            "description": "As `source` of the error.",
            "schema": {"type": "string", "enum": ["cluster", "service"]},
        },
        "Retry-After": {"description": "Seconds after which trying again may help.", "schema": {"type": "integer", "minimum": 1}},
        "Commons-Stale": {
            "description": "`true`: the reply may be behind, as `Commons-Stale-Ok` allowed. Else it is not there.",
            "schema": {"type": "boolean"},
        },
        "Commons-Idempotency-Kept-Seconds": {
            "description": "How long the reply is kept under the `Idempotency-Key`, from its first arrival on.",
            "schema": {"type": "integer"},
        },
    })
}

pub fn error_schema() -> Value {
    let text = |told: &str| json!({"type": "string", "description": told});
    json!({
        "type": "object",
        "description": "A failed call.",
        "properties": {
            "id": text("`service.endpoint` in lower case, or `v1`"),
            "code": {"type": "integer", "format": "int32", "description": "the HTTP status"},
            "detail": text("for people: the field and the rule"),
            "status": text("the standard phrase of the code"),
            "reason": text("for programs: a stable word"),
            "outcome": {
                "type": "string",
                "enum": ["not_run", "ran", "unknown"],
                "description": "did the call happen? `unknown`: ask again under the same `Idempotency-Key`",
            },
            "source": {
                "type": "string",
                "enum": ["cluster", "service"],
                "description": "who answers: the service's own rules, or the cluster in front of them",
            },
            "retry_after_ms": {
                "type": "integer",
                "format": "uint32",
                "minimum": 0,
                "description": "when trying again may help; 0 = not said",
            },
        },
        "required": ["id", "code", "detail", "status", "reason", "outcome", "source", "retry_after_ms"],
    })
}
