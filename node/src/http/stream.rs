//! A stream over plain HTTP: chunked, one JSON object a line.

use super::lifeline::{Lifeline, TAKES_WITHIN, stopped};
use super::reply;
use crate::door::{Items, Known};
use axum::body::Body;
use axum::http::header;
use axum::response::Response;
use bytes::Bytes;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::time::{Instant, sleep_until, timeout};
use wire::{Error, error::reasons};

/// Headers leave when the stream is live; an error that comes at once is an ordinary reply all the same.
const FIRST_WITHIN: Duration = Duration::from_millis(50);
/// A blank line now and then: a reader that is gone is noticed, a proxy keeps the connection.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// Items that are ready together leave together, up to about so many bytes: tiny frames are dear, and HTTP/2 clients that
/// read slowly take many of them for an attack.
const TOGETHER_BYTES: usize = 8 << 10;

/// What goes to the reader.
enum Said {
    Line(Bytes),
    /// All was said: without it the reply was cut off.
    End,
}

/// An error before the first item is an ordinary reply, a later one the last line. The reader's pace is the body's: hyper
/// asks for a line when it can send one, and the items' channel holds the rest back.
pub async fn reply(known: Arc<Known>, mut items: Items, lifeline: Option<Lifeline>) -> Result<Response, Error> {
    let first = match timeout(FIRST_WITHIN, items.recv()).await {
        Ok(Some(Err(error))) => return Err(error.at(&known.id)),
        Ok(Some(Ok(item))) => Some(line(&known.shown(&item)?)),
        Ok(None) => return Ok(response(Body::empty())),
        Err(_) => None,
    };
    let (said, lines) = mpsc::channel(1);
    let pump = Pump { known, items, said, lifeline };
    // hyper does not ask for a line that it cannot send, so somebody else has to see that a reader takes nothing.
    tokio::spawn(pump.run(first));
    Ok(response(Body::from_stream(futures::stream::unfold(Some(lines), next))))
}

fn response(body: Body) -> Response {
    let mut response = Response::new(body);
    response.headers_mut().insert(header::CONTENT_TYPE, reply::JSON);
    response
}

async fn next(lines: Option<Receiver<Said>>) -> Option<(io::Result<Bytes>, Option<Receiver<Said>>)> {
    let mut lines = lines?;
    match lines.recv().await {
        Some(Said::Line(line)) => Some((Ok(line), Some(lines))),
        Some(Said::End) => None,
        None => Some((Err(io::Error::new(io::ErrorKind::TimedOut, "the reader took nothing")), None)),
    }
}

/// Carries items to the reader.
struct Pump {
    known: Arc<Known>,
    items: Items,
    said: Sender<Said>,
    lifeline: Option<Lifeline>,
}

impl Pump {
    async fn run(mut self, first: Option<Bytes>) {
        if let Some(first) = first
            && self.say(Said::Line(first)).await.is_err()
        {
            return;
        }
        loop {
            let heartbeat = Instant::now() + HEARTBEAT;
            let item = tokio::select! {
                biased;
                () = self.said.closed() => return,
                () = stopped(&mut self.lifeline) => {
                    Some(Err(reasons::STOPPING.refuse("the node is stopping: go on at another")))
                }
                item = self.items.recv() => item,
                () = sleep_until(heartbeat) => {
                    if self.say(Said::Line(Bytes::from_static(b"\n"))).await.is_err() {
                        return;
                    }
                    continue;
                }
            };
            let (lines, over) = self.lines(item);
            if !lines.is_empty() && self.say(Said::Line(lines.into())).await.is_err() {
                return;
            }
            if over {
                let _ = self.say(Said::End).await;
                return;
            }
        }
    }

    /// This item and those behind it as lines, and whether they are the last.
    fn lines(&mut self, first: Option<Result<Bytes, Error>>) -> (Vec<u8>, bool) {
        let mut lines = vec![];
        let mut next = first;
        loop {
            match next.map(|item| item.and_then(|item| self.known.shown(&item))) {
                None => return (lines, true),
                Some(Ok(value)) => lines.extend_from_slice(&line(&value)),
                Some(Err(error)) => {
                    lines.extend_from_slice(&line(&reply::object(&error.at(&self.known.id))));
                    return (lines, true);
                }
            }
            if lines.len() >= TOGETHER_BYTES {
                return (lines, false);
            }
            match self.items.ready() {
                Some(item) => next = Some(item),
                None => return (lines, false),
            }
        }
    }

    async fn say(&self, said: Said) -> Result<(), Gone> {
        match timeout(TAKES_WITHIN, self.said.send(said)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Gone),
        }
    }
}

/// The reader is gone, or all was said.
struct Gone;

fn line(value: &serde_json::Value) -> Bytes {
    format!("{value}\n").into()
}
