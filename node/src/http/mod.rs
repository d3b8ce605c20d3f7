//! The HTTP door: `POST /v1/{service}/{Endpoint}`, WebSockets, health, status. HTTP/1.1 and 2 on one port.
//!
//! | path | key | answer |
//! |---|---|---|
//! | `/v1/{service}/{Endpoint}`, `/v1/{service}/{Service}/{Endpoint}` | yes | the endpoint's reply, or the error object; a stream as a line an item |
//! | the same as WebSocket (GET with `Upgrade`, CONNECT on HTTP/2) | yes | the first text frame is the request, each item a text frame |
//! | `GET /v1/_/outcome/{request id}` | yes | what became of the calls under it (P6): `?fence=1` makes it final |
//! | `GET /healthz` | no | 200 while the process lives |
//! | `GET /readyz` | no | 200 once calls are answered, else 503 and what it waits for |
//! | `GET /status` | yes | the cluster as this node sees it |
//! | `GET /` | no | `{"version": "…"}`; browsers get a page of all services |
//! | `GET /openapi.json` | no | OpenAPI 3.1 of all services |
//! | `/publicapi/explore/{Index,Search,API,ListCategories,Pricing}` | no | the catalogue as M3O's clients browse it |
//! | any `OPTIONS` | no | 200 with nothing in it |
//!
//! Bodies: JSON, `application/x-www-form-urlencoded`, `multipart/form-data` (10 MiB), as they are or in gzip or deflate.
//! 8 MiB as text and 1 MiB in binary, unless the endpoint takes more; they arrive within 30 s.
//!
//! Headers of a call: `Authorization: Bearer KEY` (or Basic, with the key as password; a browser's WebSocket has it in
//! `Sec-WebSocket-Protocol`); `Idempotency-Key`, under which it is done once; `Commons-Timeout-Ms`, how long it may take
//! (10,000 when not said, 60,000 at most; the form is Connect's `Connect-Timeout-Ms`); `Commons-Stale-Ok: true`, a read may
//! be of this node's rows as they are, and then its reply may bear `Commons-Stale: true` (P22). Headers of an error:
//! `Commons-Outcome`, `Commons-Source`, `Retry-After`.

mod body;
mod call;
mod connection;
mod cors;
mod encoding;
mod explore;
mod handshake;
mod headers;
mod lifeline;
mod multipart;
mod openapi;
mod origin;
mod outcome;
mod page;
mod patience;
mod public;
mod query;
mod reply;
mod routes;
mod socket;
mod stream;

pub use routes::{Peer, router};

use crate::door::{Doors, Stop};
use std::io;
use std::sync::Arc;
use tokio::net::TcpListener;

/// Serves until `stop`, then lets calls under way finish.
pub async fn serve(listener: TcpListener, doors: Arc<Doors>, stop: Stop) -> io::Result<()> {
    connection::serve(listener, router(doors), connection::Limits::default(), stop).await
}

#[cfg(test)]
mod tests;
