//! A handler is async: it may wait for others.
use sdk::prelude::*;

endpoints! { demo:
    Handler Ask(AskRequest) -> AskResponse;
}

/// Ask it.
#[derive(Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct AskRequest {}

/// Here it is.
#[derive(Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct AskResponse {}

fn ask(_: Cx, _: AskRequest) -> Result<AskResponse> {
    Ok(AskResponse {})
}

fn main() {
    Service::new("demo", "").handler(ask);
}
