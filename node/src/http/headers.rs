//! What a caller says in headers.

use crate::door::check_request_id;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use std::time::Duration;
use wire::frame::Trace;
use wire::rpc::RequestId;
use wire::{Error, error::reasons};

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const TIMEOUT: HeaderName = HeaderName::from_static("commons-timeout-ms");
/// How long the reply to an `Idempotency-Key` is kept, from its first arrival on (P5).
const KEPT: HeaderName = HeaderName::from_static("commons-idempotency-kept-seconds");
/// The caller takes what this node's own rows say, though they may be behind (P22) …
const STALE_OK: HeaderName = HeaderName::from_static("commons-stale-ok");
/// … and so they may, in this reply.
const STALE: HeaderName = HeaderName::from_static("commons-stale");
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// `Bearer KEY`, or `Basic base64(anything:KEY)`.
pub fn key(headers: &HeaderMap) -> Option<String> {
    let (scheme, rest) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    match scheme.to_ascii_lowercase().as_str() {
        "bearer" => Some(rest.trim().to_string()),
        "basic" => {
            let pair = String::from_utf8(STANDARD.decode(rest.trim()).ok()?).ok()?;
            pair.split_once(':').map(|(_, key)| key.to_string())
        }
        _ => None,
    }
}

/// The name under which the call is done once.
pub fn request_id(headers: &HeaderMap) -> Result<RequestId, Error> {
    let mut given = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(id) = given.next() else { return Ok(RequestId::None) };
    if given.next().is_some() {
        return Err(reasons::BAD_REQUEST_ID.refuse("Idempotency-Key: given more than once"));
    }
    let id = id.to_str().unwrap_or_default();
    check_request_id(id)?;
    Ok(RequestId::Caller(id.to_string()))
}

pub fn tell_how_long_the_id_is_kept(headers: &mut HeaderMap) {
    headers.insert(KEPT, HeaderValue::from_static("86400"));
}

/// May a read be of rows that are behind?
pub fn stale_ok(headers: &HeaderMap) -> Result<bool, Error> {
    let Some(value) = headers.get(STALE_OK) else { return Ok(false) };
    match value.to_str().unwrap_or_default().trim() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(reasons::BAD_BODY.refuse("Commons-Stale-Ok: must be true or false")),
    }
}

pub fn tell_stale(headers: &mut HeaderMap) {
    headers.insert(STALE, HeaderValue::from_static("true"));
}

/// How long the caller waits.
pub fn time_limit(headers: &HeaderMap) -> Result<Option<Duration>, Error> {
    let Some(value) = headers.get(TIMEOUT) else { return Ok(None) };
    match value.to_str().ok().and_then(|text| whole(text.trim())).filter(|&ms| ms > 0) {
        Some(ms) => Ok(Some(Duration::from_millis(ms))),
        None => Err(reasons::BAD_BODY.refuse("Commons-Timeout-Ms: must be a whole number of milliseconds above 0")),
    }
}

/// Digits; more of them than fit are a number beyond every limit all the same.
fn whole(text: &str) -> Option<u64> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().unwrap_or(u64::MAX))
}

/// W3C Trace Context; one that does not parse is left out.
pub fn trace(headers: &HeaderMap) -> Trace {
    let parse = || {
        let text = headers.get(TRACEPARENT)?.to_str().ok()?;
        let mut parts = text.split('-').skip(1);
        Some(Trace { trace: hex(parts.next()?)?, span: hex(parts.next()?)? })
    };
    parse().unwrap_or_default()
}

fn hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut out = [0; N];
    if text.len() != 2 * N || !text.is_ascii() {
        return None;
    }
    for (n, byte) in out.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * n..2 * n + 2], 16).ok()?;
    }
    Some(out)
}
