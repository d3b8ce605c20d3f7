//! What a stream or a WebSocket keeps of its connection, which it may outlive.

use crate::door::Stop;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;

/// Who takes nothing for so long is cut off: somebody else waits for the place.
pub const TAKES_WITHIN: Duration = Duration::from_secs(60);

/// Its place among the connections, and the word that the node stops. Put into each request by the connection.
#[derive(Clone)]
pub struct Lifeline {
    stop: Stop,
    _place: Arc<OwnedSemaphorePermit>,
}

impl Lifeline {
    pub fn new(stop: Stop, place: Arc<OwnedSemaphorePermit>) -> Lifeline {
        Lifeline { stop, _place: place }
    }
}

/// Returns once the node stops; never where nobody says so (a door without its socket).
pub async fn stopped(lifeline: &mut Option<Lifeline>) {
    match lifeline {
        Some(lifeline) => lifeline.stop.wait().await,
        None => std::future::pending().await,
    }
}
