//! A command needs to know whose rows it works on.
use sdk::prelude::*;

endpoints! { demo:
    Command Put(PutRequest) -> PutResponse;
}

/// Put it.
#[derive(Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct PutRequest {}

/// It is there.
#[derive(Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct PutResponse {}

fn main() {}
