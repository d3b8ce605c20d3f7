//! A handler may move between threads while it waits.
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

async fn ask(cx: Cx, _: AskRequest) -> Result<AskResponse> {
    let shared = std::rc::Rc::new(());
    let answer = cx.call(AskRequest {}).await;
    drop(shared);
    answer
}

fn main() {
    Service::new("demo", "").handler(ask);
}
