//! A function that writes, for an endpoint that is a query.
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

fn get(_: &mut Tx, _: GetRequest) -> Result<GetResponse> {
    Ok(GetResponse {})
}

fn main() {
    Service::new("demo", "").command(get);
}
