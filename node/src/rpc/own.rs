//! `_`: what the node itself answers over RPC, in JSON. `_.Outcome` is the runtime's, and called like any service's endpoint.

use crate::door::Doors;
use serde_json::Value;

/// The service's name; no service of the catalogue can have it.
pub const NAME: &str = actors::outcome::SERVICE;

/// `Status`: as `GET /status`. `Services`: the catalogue with schemas, as `commons describe` shows it. `None`: neither.
pub fn answer(doors: &Doors, service: &str, endpoint: &str) -> Option<Value> {
    match (service, endpoint) {
        (NAME, "Status") => Some(doors.status.status()),
        (NAME, "Services") => Some(serde_json::to_value(doors.catalogue.described()).unwrap_or_default()),
        _ => None,
    }
}
