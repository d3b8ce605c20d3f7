//! `GET /openapi.json`: the document of `services/openapi.json`, for the address that was asked.

use super::{public, reply};
use crate::door::{Doors, VERSION};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get};
use sdk::describe::openapi::{Key, Options, document};
use std::sync::Arc;

/// Stands for the address until somebody asks.
const SERVER: &str = "http://the-address-asked.invalid";

/// Written once: with all services it is megabytes, and nobody shows a key.
pub fn route(doors: &Doors) -> MethodRouter<Arc<Doors>> {
    let key = if public::is_keyless(doors) { Key::Optional } else { Key::Needed };
    let options = Options { server: SERVER.into(), key, ..Options::default() };
    let text: Arc<str> = document(doors.catalogue.described(), VERSION, &options).to_string().into();
    get(move |State(doors): State<Arc<Doors>>, request: Request| {
        let text = text.clone();
        async move { answer(&doors, &text, request) }
    })
}

fn answer(doors: &Doors, text: &str, request: Request) -> Response {
    let (mut parts, _) = request.into_parts();
    if let Err(refused) = public::admit(doors, &mut parts) {
        return reply::error(&refused);
    }
    let text = text.replacen(SERVER, &public::server(&parts), 1);
    let headers = [(header::CONTENT_TYPE, reply::JSON), (header::CACHE_CONTROL, HeaderValue::from_static("no-cache"))];
    (headers, text).into_response()
}
