//! Every reply may be read by any page: no cookie carries authority, the key does.

use axum::extract::Request;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

const METHODS: HeaderValue = HeaderValue::from_static("POST, PATCH, GET, OPTIONS, PUT, DELETE");
/// M3O's list, then what our own callers send.
const HEADERS: HeaderValue = HeaderValue::from_static(
    "Accept, Content-Type, Content-Length, Accept-Encoding, X-CSRF-Token, Authorization, Micro-Namespace, \
     Content-Encoding, Idempotency-Key, Commons-Timeout-Ms, Commons-Stale-Ok, traceparent",
);
/// What pages may read beside the body.
const EXPOSED: HeaderValue = HeaderValue::from_static(
    "Commons-Outcome, Commons-Source, Commons-Stale, Commons-Idempotency-Kept-Seconds, Retry-After",
);
/// How long a browser need not ask again: two hours are the most that any of them heeds.
const MAX_AGE: HeaderValue = HeaderValue::from_static("7200");

/// The headers that browsers ask for; any `OPTIONS` is 200 with nothing in it, no key asked.
pub async fn every_reply(request: Request, next: Next) -> Response {
    let origin = request.headers().get(header::ORIGIN).cloned().unwrap_or(HeaderValue::from_static("*"));
    let is_question = request.method() == Method::OPTIONS;
    let mut response = if is_question { StatusCode::OK.into_response() } else { next.run(request).await };
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HEADERS);
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    if is_question {
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, MAX_AGE);
    }
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
    response
}
