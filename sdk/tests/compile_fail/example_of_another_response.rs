//! An example is typed as its endpoint is.
use sdk::prelude::*;

endpoints! { demo:
    Query Get(GetRequest) -> GetResponse, key id;
}

/// Get it.
#[derive(Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct GetRequest {
    pub id: String,
}

/// Here it is.
#[derive(Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct GetResponse {}

fn main() {
    Service::new("demo", "").example("Get", GetRequest::default(), "here it is");
}
