//! The table names a key that the request does not have.
use sdk::prelude::*;

endpoints! { demo:
    Query Get(GetRequest) -> GetResponse, key name;
}

/// Get it.
#[derive(Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct GetRequest {
    pub id: String,
}

/// Here it is.
#[derive(Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct GetResponse {}

fn main() {}
