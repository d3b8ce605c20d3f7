//! `multipart/form-data`: text parts as strings, files as base64, which is how JSON has bytes.

use super::query::Pairs;
use axum::http::{HeaderMap, header};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use serde_json::Value;
use std::convert::Infallible;
use wire::{Error, error::reasons};

/// The longest body of this kind. Whether its endpoint takes so much is another question.
pub const BYTES_MAX: usize = 10 << 20;

/// The form as an object of texts.
pub async fn parse(headers: &HeaderMap, body: Bytes) -> Result<Value, Error> {
    let named = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let boundary = multer::parse_boundary(named)
        .map_err(|_| reasons::BAD_BODY.refuse("Content-Type: multipart/form-data must name its boundary"))?;
    let whole = futures::stream::iter([Ok::<_, Infallible>(body)]);
    let mut parts = multer::Multipart::new(whole, boundary);
    let mut pairs = Pairs::default();
    while let Some(part) = parts.next_field().await.map_err(broken)? {
        let name = part.name().map(str::to_string);
        let name = name.ok_or_else(|| reasons::BAD_BODY.refuse("a part of the form has no name"))?;
        let is_text = part.content_type().is_none_or(|kind| kind.type_() == "text" || kind.subtype() == "json");
        let is_file = part.file_name().is_some() || !is_text;
        let bytes = part.bytes().await.map_err(broken)?;
        match is_file {
            true => pairs.add_once(&name, STANDARD.encode(bytes))?,
            false => pairs.add(&name, text(&name, &bytes)?)?,
        }
    }
    Ok(pairs.into())
}

fn text(name: &str, bytes: &[u8]) -> Result<String, Error> {
    let text = std::str::from_utf8(bytes).map(str::to_string);
    text.map_err(|_| reasons::BAD_BODY.refuse(format!("{name}: a text part must be UTF-8; bytes need a filename")))
}

fn broken(why: multer::Error) -> Error {
    reasons::BAD_BODY.refuse(format!("broken multipart/form-data: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    async fn parsed(body: impl AsRef<[u8]>) -> Result<Value, Error> {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, "multipart/form-data; boundary=\"b 1\"".parse().unwrap());
        parse(&headers, Bytes::copy_from_slice(body.as_ref())).await
    }

    fn part(head: &str, body: &str) -> String {
        format!("--b 1\r\nContent-Disposition: form-data; {head}\r\n\r\n{body}\r\n")
    }

    #[tokio::test]
    async fn texts_nest_and_repeat_and_files_are_base64() {
        let body = [
            part("name=\"id\"", "Jörg"),
            part("name=\"tags\"", "a"),
            part("name=\"tags\"", "b"),
            part("name=\"part.n\"", "1"),
            part("name=\"file\"; filename=\"x.bin\"", "\u{0}\u{1}"),
            part("name=\"blob\"\r\nContent-Type: application/octet-stream", "xyz"),
            part("name=\"note\"\r\nContent-Type: text/plain; charset=utf-8", ""),
            "--b 1--\r\n".into(),
        ];
        let want = json!({"id": "Jörg", "tags": "a,b", "part": {"n": "1"}, "file": "AAE=", "blob": "eHl6", "note": ""});
        assert_eq!(parsed(body.concat()).await.unwrap(), want);
    }

    #[tokio::test]
    async fn what_is_no_form_is_refused() {
        let end = "--b 1--\r\n";
        let file = part("name=\"file\"; filename=\"x\"", "1");
        let not_text = [part("name=\"id\"", "?").replace('?', "\u{1}").as_bytes(), end.as_bytes()].concat();
        let not_text: Vec<u8> = not_text.into_iter().map(|byte| if byte == 1 { 0xff } else { byte }).collect();
        let rows: [Vec<u8>; 6] = [
            b"hello".to_vec(),
            file.clone().into_bytes(),
            [file.clone(), file, end.into()].concat().into_bytes(),
            [part("filename=\"x\"", "1"), end.into()].concat().into_bytes(),
            [part("name=\"a\"", "1"), part("name=\"a.b\"", "2"), end.into()].concat().into_bytes(),
            not_text,
        ];
        for body in rows {
            let error = parsed(&body).await.unwrap_err();
            assert!(error.is(&reasons::BAD_BODY), "{:?}: {error:?}", String::from_utf8_lossy(&body));
        }
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, "multipart/form-data".parse().unwrap());
        assert_eq!(parse(&headers, Bytes::new()).await.unwrap_err().code, 400);
    }
}
