//! Reading a request's body: bounded in size and time, and told what is wrong with it.

use super::encoding::Decoder;
use super::{multipart, query};
use crate::door::gate::Pass;
use crate::door::{TOO_SLOW, json, text_bytes_max, too_large};
use axum::body::Body;
use axum::http::{HeaderMap, header};
use http_body_util::BodyExt;
use serde_json::Value;
use std::time::Duration;
use tokio::time::timeout;
use wire::{Endpoint, Error, error::reasons};

/// How long a body may take to arrive, however slowly it trickles.
const ARRIVES_WITHIN: Duration = Duration::from_secs(30);

/// What a request carried.
#[derive(Debug)]
pub enum Given {
    Nothing,
    Json(Value),
    /// Every value as text.
    Form(Value),
}

/// Reads it for `endpoint`; `arriving` counts what is held of it.
pub async fn read(headers: &HeaderMap, body: Body, endpoint: &Endpoint, arriving: &mut Pass) -> Result<Given, Error> {
    let media = media(headers);
    let bytes_max = match media {
        Media::Multipart => text_bytes_max(endpoint).max(multipart::BYTES_MAX),
        Media::Json | Media::Form => text_bytes_max(endpoint),
    };
    let late = |_| TOO_SLOW.refuse(format!("the body did not arrive within {} s", ARRIVES_WITHIN.as_secs()));
    let bytes = timeout(ARRIVES_WITHIN, collect(headers, body, bytes_max, arriving)).await.map_err(late)??;
    match media {
        _ if bytes.is_empty() => Ok(Given::Nothing),
        Media::Multipart => multipart::parse(headers, bytes.into()).await.map(Given::Form),
        // curl -d says "form" whatever it sends: JSON tells itself by its first letter.
        Media::Form => match json::text(&bytes)? {
            text if text.trim_start().starts_with('{') || text.trim().is_empty() => parse(text),
            text => query::parse(text).map(Given::Form),
        },
        Media::Json => parse(json::text(&bytes)?),
    }
}

/// JSON, or nothing.
pub fn parse(text: &str) -> Result<Given, Error> {
    if text.trim_start().is_empty() { Ok(Given::Nothing) } else { json::parse(text).map(Given::Json) }
}

async fn collect(headers: &HeaderMap, mut body: Body, bytes_max: usize, arriving: &mut Pass) -> Result<Vec<u8>, Error> {
    let mut decoder = Decoder::of(headers, bytes_max)?;
    let declared = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if declared.is_some_and(|length| length > bytes_max) {
        return Err(too_large(bytes_max));
    }
    let mut sent = 0;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| reasons::BAD_BODY.refuse(format!("the body broke off: {error}")))?;
        // Trailers say nothing to us.
        let Ok(piece) = frame.into_data() else { continue };
        sent += piece.len();
        if sent > bytes_max {
            return Err(too_large(bytes_max));
        }
        let before = decoder.len();
        decoder.push(&piece)?;
        arriving.grow(decoder.len() - before)?;
    }
    decoder.finish()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Media {
    Json,
    Form,
    Multipart,
}

/// No content type means JSON, and so does one we do not know.
fn media(headers: &HeaderMap) -> Media {
    let named = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    match named.split(';').next().unwrap_or_default().trim().to_ascii_lowercase().as_str() {
        "application/x-www-form-urlencoded" => Media::Form,
        "multipart/form-data" => Media::Multipart,
        _ => Media::Json,
    }
}
