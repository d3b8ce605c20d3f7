//! A stream over plain HTTP: chunked, one JSON object a line.

use super::reply;
use crate::door::Known;
use axum::body::Body;
use axum::http::header;
use axum::response::Response;
use bytes::Bytes;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::Receiver;
use tokio::time::timeout;
use wire::Error;

/// Headers leave when the stream is live; an error that comes at once is an ordinary reply all the same.
const FIRST_WITHIN: Duration = Duration::from_millis(50);
/// A blank line now and then: a reader that is gone is noticed, a proxy keeps the connection.
const HEARTBEAT: Duration = Duration::from_secs(15);

type Items = Receiver<Result<Bytes, Error>>;

enum State {
    /// What came while the headers waited.
    First(Option<Result<Bytes, Error>>),
    Going,
    Over,
}

/// An error before the first item is an ordinary reply, a later one the last line. The reader's pace is the body's: hyper
/// asks for a line when it can send one, and the items' channel holds the rest back.
pub async fn reply(known: Arc<Known>, mut items: Items) -> Result<Response, Error> {
    let first = match timeout(FIRST_WITHIN, items.recv()).await {
        Ok(Some(Err(error))) => return Err(error.at(&known.id)),
        Ok(Some(item)) => State::First(Some(item)),
        Ok(None) => State::Over,
        Err(_) => State::Going,
    };
    let lines = futures::stream::unfold((first, items), move |(state, mut items)| {
        let known = known.clone();
        async move {
            let item = match state {
                State::First(item) => item,
                State::Over => return None,
                State::Going => match timeout(HEARTBEAT, items.recv()).await {
                    Ok(item) => item,
                    Err(_) => return Some((Ok::<_, Infallible>(Bytes::from_static(b"\n")), (State::Going, items))),
                },
            };
            let (line, state) = match item?.and_then(|item| known.shown(&item)) {
                Ok(value) => (value, State::Going),
                Err(error) => (reply::object(&error.at(&known.id)), State::Over),
            };
            Some((Ok(Bytes::from(format!("{line}\n"))), (state, items)))
        }
    });
    let mut response = Response::new(Body::from_stream(lines));
    response.headers_mut().insert(header::CONTENT_TYPE, reply::JSON);
    Ok(response)
}
