//! `GET /`: the version for programs; for browsers a page of all services, made from what describes them.
//!
//! One file, nothing fetched: its style and its script are named in the Content-Security-Policy by their hashes, so text that
//! slipped through the escaping would still run nothing.

mod accept;
mod html;

use super::{public, reply};
use crate::door::{Doors, VERSION};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use sdk::describe::Described;
use serde_json::json;
use sha2::{Digest, Sha256};
use std::sync::Arc;

const STYLE: &str = include_str!("page/style.css");
const SCRIPT: &str = include_str!("page/script.js");

/// The page but for the address that was asked.
struct Page {
    text: String,
    policy: HeaderValue,
}

/// Written once, when the door opens.
pub fn route(doors: &Doors) -> MethodRouter<Arc<Doors>> {
    let page = Arc::new(Page::of(doors.catalogue.described(), public::is_keyless(doors)));
    get(move |State(doors): State<Arc<Doors>>, request: Request| {
        let page = page.clone();
        async move { answer(&doors, &page, request) }
    })
}

fn answer(doors: &Doors, page: &Page, request: Request) -> Response {
    let (mut parts, _) = request.into_parts();
    // A link from elsewhere may lead here; what is opened so cannot be read by the page that had the link.
    if is_opened(&parts.headers) {
        parts.headers.remove("sec-fetch-site");
    }
    if let Err(refused) = public::admit(doors, &mut parts) {
        return reply::error(&refused);
    }
    let mut response = match accept::prefers_html(&parts.headers) {
        true => page.response(&public::host(&parts)),
        false => reply::json(StatusCode::OK, &json!({ "version": VERSION })),
    };
    response.headers_mut().append(header::VARY, HeaderValue::from_static("Accept"));
    response
}

/// Somebody opened it in a window of its own.
fn is_opened(headers: &HeaderMap) -> bool {
    let says = |name: &str, what: &str| headers.get(name).is_some_and(|value| value == what);
    says("sec-fetch-mode", "navigate") && says("sec-fetch-dest", "document")
}

impl Page {
    fn of(services: &[Described], keyless: bool) -> Page {
        let hash = |text: &str| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)));
        let policy = format!(
            "default-src 'none'; img-src data:; style-src {}; script-src {}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
            hash(STYLE),
            hash(SCRIPT)
        );
        Page {
            text: html::page(services, keyless),
            policy: HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static("default-src 'none'")),
        }
    }

    fn response(&self, host: &str) -> Response {
        let text = self.text.replace(public::HERE, host);
        let headers = [
            (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
            (header::CONTENT_SECURITY_POLICY, self.policy.clone()),
            (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
            (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
            (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
            (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
        ];
        (headers, text).into_response()
    }
}
