//! Reading a request's body: bounded in size and time, and told what is wrong with it.

use super::query;
use crate::door::{BODY_BYTES_MAX, MEDIA, TOO_SLOW, json};
use axum::body::Body;
use axum::http::{HeaderMap, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde_json::Value;
use std::time::Duration;
use tokio::time::timeout;
use wire::{Error, error::reasons};

/// How long a body may take to arrive, however slowly it trickles.
const ARRIVES_WITHIN: Duration = Duration::from_secs(30);

/// What a request carried.
pub enum Given {
    Nothing,
    Json(Value),
    /// Every value as text.
    Form(Value),
}

pub async fn read(headers: &HeaderMap, body: Body) -> Result<Given, Error> {
    if let Some(encoding) = headers.get(header::CONTENT_ENCODING).filter(|encoding| *encoding != "identity") {
        return Err(MEDIA.refuse(format!("Content-Encoding {encoding:?} is not read: send the body as it is")));
    }
    let declared = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if declared.is_some_and(|length| length > BODY_BYTES_MAX) {
        return Err(too_large());
    }
    let collected = timeout(ARRIVES_WITHIN, Limited::new(body, BODY_BYTES_MAX).collect()).await;
    let bytes = match collected {
        Ok(Ok(collected)) => collected.to_bytes(),
        Ok(Err(error)) if error.is::<LengthLimitError>() => return Err(too_large()),
        Ok(Err(error)) => return Err(reasons::BAD_BODY.refuse(format!("the body broke off: {error}"))),
        Err(_) => return Err(TOO_SLOW.refuse(format!("the body did not arrive within {} s", ARRIVES_WITHIN.as_secs()))),
    };
    let text = json::text(&bytes)?;
    parse(media(headers), text)
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

fn parse(media: Media, text: &str) -> Result<Given, Error> {
    let start = text.trim_start();
    match media {
        _ if start.is_empty() => Ok(Given::Nothing),
        Media::Multipart => Err(MEDIA.refuse("multipart/form-data is not read yet: send JSON")),
        // curl -d says "form" whatever it sends: JSON tells itself by its first letter.
        Media::Form if !start.starts_with('{') => query::parse(text).map(Given::Form),
        Media::Form | Media::Json => json::parse(text).map(Given::Json),
    }
}

fn too_large() -> Error {
    reasons::TOO_LARGE.refuse(format!("a request holds at most {} MiB", BODY_BYTES_MAX >> 20))
}
