//! A gather comes in pages, so that no list is without end.
use sdk::prelude::*;

endpoints! { demo:
    Gather List(ListRequest) -> ListResponse;
}

/// List them.
#[derive(Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct ListRequest {}

/// Here they are.
#[derive(Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct ListResponse {}

fn main() {}
