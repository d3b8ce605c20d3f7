//! A function that answers with another endpoint's response.
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

/// Something else.
#[derive(Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct Other {}

fn get(_: &View, _: GetRequest) -> Result<Other> {
    Ok(Other {})
}

fn main() {
    Service::new("demo", "").query(get);
}
