//! What became of the calls under a request id (P6): an endpoint of the runtime itself, `_.Outcome`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use wire::endpoint::kind;
use wire::{Json, Request};

/// Ask what became of the calls that were made under a request id.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct OutcomeRequest {
    /// the request id (Idempotency-Key) that was used
    pub id: String,
    /// forbid it to all calls that have not run by now, so that the answer is final
    pub fence: bool,
    /// only what this service did under it; empty = all services
    pub service: String,
}

/// What became of them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OutcomeResponse {
    /// done: here are the replies; running: ask again; not_seen: none that this cluster knows of
    pub state: String,
    /// nothing can change any more: what is done stays done, and what was not seen will never run
    pub definite: bool,
    /// what was done under the id, kept for 24 hours
    pub calls: Vec<CallOutcome>,
}

/// One call and its answer, as its caller heard it or should have.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CallOutcome {
    /// the service
    pub service: String,
    /// the endpoint
    pub endpoint: String,
    /// the entity it was about
    pub entity: String,
    /// its reply; null when it was refused
    pub reply: Json,
    /// the refusal; null when there is a reply
    pub error: Json,
}

/// The runtime's own name among services; no service can have it.
pub const SERVICE: &str = "_";

impl Request for OutcomeRequest {
    type Response = OutcomeResponse;
    type Kind = kind::Handler;
    const SERVICE: &'static str = SERVICE;
    const ENDPOINT: &'static str = "Outcome";
}
