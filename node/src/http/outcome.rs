//! `GET /v1/_/outcome/{id}`: what became of the calls under a request id (P6); `?fence=1&service=wallet`.

use super::{call, reply};
use crate::door::Doors;
use axum::extract::{Path, Request, State};
use axum::http::{Uri, uri::PathAndQuery};
use axum::response::Response;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use std::sync::Arc;
use wire::error::reasons;

/// As the endpoint `_.Outcome`, with the id in the path.
pub async fn answer(State(doors): State<Arc<Doors>>, id: call::Named, mut request: Request) -> Response {
    let id = match id {
        Ok(Path(id)) => id,
        Err(wrong) => return reply::error(&call::no_path(&wrong)),
    };
    let given = request.uri().query().unwrap_or_default();
    let others =
        given.split('&').filter(|pair| !pair.is_empty() && !pair.starts_with("id=")).map(|pair| format!("&{pair}"));
    let query =
        format!("/v1/_/Outcome?id={}{}", utf8_percent_encode(&id, NON_ALPHANUMERIC), others.collect::<String>());
    match query.parse::<PathAndQuery>() {
        Ok(path) => *request.uri_mut() = with_path(request.uri(), path),
        // Longer than a URI may be.
        Err(_) => return reply::error(&reasons::BAD_REQUEST_ID.refuse("the id is too long").at("v1")),
    }
    let found = doors.catalogue.find(actors::outcome::SERVICE, "Outcome").cloned();
    call::answer(&doors, found, request).await.unwrap_or_else(|error| reply::error(&error))
}

fn with_path(uri: &Uri, path: PathAndQuery) -> Uri {
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(path);
    Uri::from_parts(parts).unwrap_or_else(|_| uri.clone())
}
