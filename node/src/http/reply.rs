//! Replies and errors as HTTP has them.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use serde_json::Value;
use wire::{Error, Outcome, Source};

const OUTCOME: HeaderName = HeaderName::from_static("commons-outcome");
const SOURCE: HeaderName = HeaderName::from_static("commons-source");
pub const JSON: HeaderValue = HeaderValue::from_static("application/json");

pub fn json(status: StatusCode, value: &Value) -> Response {
    let mut response = Response::new(Body::from(value.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, JSON);
    response
}

/// The error object; headers tell outcome and source to those who do not read it.
pub fn error(error: &Error) -> Response {
    // A code that is no HTTP status is a mistake of its service, not of the caller.
    let status = StatusCode::from_u16(error.code).ok().filter(|code| code.as_u16() >= 400);
    let mut response = json(status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), &object(error));
    describe(error, response.headers_mut());
    response
}

pub fn object(error: &Error) -> Value {
    serde_json::to_value(error).unwrap_or_else(|_| Value::Object(Default::default()))
}

fn describe(error: &Error, headers: &mut HeaderMap) {
    let outcome = match error.outcome {
        Outcome::NotRun => "not_run",
        Outcome::Ran => "ran",
        Outcome::Unknown => "unknown",
    };
    let source = match error.source {
        Source::Cluster => "cluster",
        Source::Service => "service",
    };
    headers.insert(OUTCOME, HeaderValue::from_static(outcome));
    headers.insert(SOURCE, HeaderValue::from_static(source));
    if error.retry_after_ms > 0 {
        // Whole seconds, upwards: a client that comes back too early is refused again.
        headers.insert(header::RETRY_AFTER, HeaderValue::from(u64::from(error.retry_after_ms).div_ceil(1000)));
    }
    if error.code == 401 {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
}
