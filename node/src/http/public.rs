//! What anybody may read without a key: the catalogue, the OpenAPI document, the page.

use super::origin;
use crate::door::Doors;
use axum::http::{HeaderName, HeaderValue, header, request::Parts, uri::Authority};
use wire::{Error, error::reasons};

const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
/// Taken when the caller's own word for the address is none.
pub const HERE: &str = "localhost:8080";

/// Everybody is let in but a foreign page that reads a developer's node (P21): no key is asked, and a wrong one is no way round.
pub fn admit(doors: &Doors, parts: &mut Parts) -> Result<(), Error> {
    if origin::enter(doors, parts, None).is_ok() {
        return Ok(());
    }
    parts.headers.remove(header::AUTHORIZATION);
    parts.headers.remove(header::SEC_WEBSOCKET_PROTOCOL);
    match origin::enter(doors, parts, None) {
        Err(error) if error.is(&reasons::FOREIGN_ORIGIN) => Err(error),
        _ => Ok(()),
    }
}

/// Does a caller of this machine need no key?
pub fn is_keyless(doors: &Doors) -> bool {
    doors.access.check(None, true).is_ok()
}

/// The address that was asked, `host:port`: nothing that would mean something in HTML, JSON or a shell.
pub fn host(parts: &Parts) -> String {
    let given = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let given = given.or_else(|| parts.uri.authority().map(Authority::as_str));
    let plain = |host: &&str| {
        let fits = host.len() <= 255 && !host.is_empty();
        fits && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte))
    };
    given.filter(plain).unwrap_or(HERE).to_string()
}

/// `https://host` where a proxy says that it speaks TLS for us.
pub fn server(parts: &Parts) -> String {
    let is_tls = parts.headers.get(FORWARDED_PROTO).is_some_and(|scheme| scheme == HeaderValue::from_static("https"));
    format!("{}://{}", if is_tls { "https" } else { "http" }, host(parts))
}
