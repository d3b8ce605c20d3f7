//! The HTTP door: `POST /v1/{service}/{Endpoint}`, health, status. HTTP/1.1 and 2 on one port.
//!
//! | path | key | answer |
//! |---|---|---|
//! | `/v1/{service}/{Endpoint}`, `/v1/{service}/{Service}/{Endpoint}` | yes | the endpoint's reply, or the error object |
//! | `GET /healthz` | no | 200 while the process lives |
//! | `GET /readyz` | no | 200 once calls are answered, else 503 and what it waits for |
//! | `GET /status` | yes | the cluster as this node sees it |
//! | `GET /` | no | `{"version": "…"}` |
//!
//! Headers of a call: `Authorization: Bearer KEY` (or Basic, with the key as password); `Idempotency-Key`, under which it
//! is done once; `Commons-Timeout-Ms`, how long it may take (10,000 when not said, 60,000 at most; the form is Connect's
//! `Connect-Timeout-Ms`). Headers of an error: `Commons-Outcome`, `Commons-Source`, `Retry-After`.

mod body;
mod call;
mod connection;
mod cors;
mod headers;
mod origin;
mod patience;
mod query;
mod reply;
mod routes;
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
