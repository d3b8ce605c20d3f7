//! Which path leads where.

use super::{call, cors, explore, handshake, openapi, origin, outcome, page, reply};
use crate::door::{Doors, METHOD, NO_SUCH_PATH};
use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use std::net::SocketAddr;
use std::sync::Arc;

/// Who is on the other end; put into each request by the connection.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub SocketAddr);

/// The door without its socket.
pub fn router(doors: Arc<Doors>) -> Router {
    Router::new()
        .route("/", page::route(&doors))
        .route("/openapi.json", openapi::route(&doors))
        .route("/publicapi/explore/{what}", any(explore::answer))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/status", get(status))
        .route("/v1/_/outcome/{id}", any(outcome::answer))
        .route("/v1/{service}/{endpoint}", any(call::short))
        .route("/v1/{service}/{again}/{endpoint}", any(call::long))
        .fallback(no_such_path)
        .method_not_allowed_fallback(wrong_method)
        .layer(middleware::from_fn(cors::every_reply))
        .with_state(doors)
}

async fn ready(State(doors): State<Arc<Doors>>) -> Response {
    match doors.status.ready() {
        Ok(()) => "ready\n".into_response(),
        Err(why) => (StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {why}\n")).into_response(),
    }
}

async fn status(State(doors): State<Arc<Doors>>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    match origin::enter(&doors, &parts, None) {
        Ok(_) => reply::json(StatusCode::OK, &doors.status.status()),
        Err(refused) => reply::error(&refused),
    }
}

async fn no_such_path(State(doors): State<Arc<Doors>>, request: Request) -> Response {
    let detail = format!(
        "No such API: there is no path {:?}; endpoints are at /v1/{{service}}/{{Endpoint}}",
        request.uri().path()
    );
    let error = NO_SUCH_PATH.refuse(detail).at("v1");
    let (parts, _) = request.into_parts();
    match handshake::is_asked(&parts) {
        true => handshake::accept(doors, parts, Err(error)),
        false => reply::error(&error),
    }
}

async fn wrong_method(request: Request) -> Response {
    let detail = format!("{} is not for {}: use GET", request.method(), request.uri().path());
    reply::error(&METHOD.refuse(detail).at("v1"))
}
