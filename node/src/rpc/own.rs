//! `_`: what the node itself answers over RPC, in JSON.

use crate::door::Doors;
use serde_json::Value;
use wire::Error;
use wire::error::reasons;

/// The service's name; no service of the catalogue can have it.
pub const NAME: &str = "_";

/// `Status`: as `GET /status`. `Services`: the catalogue with schemas, as `commons describe` shows it.
pub fn answer(doors: &Doors, endpoint: &str) -> Result<Value, Error> {
    match endpoint {
        "Status" => Ok(doors.status.status()),
        "Services" => Ok(serde_json::to_value(doors.catalogue.described()).unwrap_or_default()),
        _ => {
            let detail = format!("No such API: the node itself answers Status and Services, not {endpoint:?}");
            Err(reasons::NO_SUCH_ENDPOINT.refuse(detail).at("v1"))
        }
    }
}
