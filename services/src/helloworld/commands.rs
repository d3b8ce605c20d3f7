//! The rules: an empty name is greeted too, and a stream ends as soon as its reader leaves.

use super::api::*;
use sdk::prelude::*;

/// A pure function of its request; what the node lends (clock, randomness) it has no use for.
pub fn call(_: &Here, req: CallRequest) -> Result<CallResponse> {
    Ok(CallResponse { message: greeting(&req.name)? })
}

/// `send` waits until the reader can take an item, and tells when there is no reader any more.
pub async fn stream(_: Cx, req: StreamRequest, mut out: Sink<StreamResponse>) -> Result<()> {
    if !(0..=MESSAGES_MAX).contains(&req.messages) {
        return Err(BAD_MESSAGES.because("messages must be 0-10000"));
    }
    let message = greeting(&req.name)?;
    for _ in 0..req.messages.max(1) {
        if out.send(StreamResponse { message: message.clone() }).await.is_err() {
            break;
        }
    }
    Ok(())
}

fn greeting(name: &str) -> Result<String> {
    if name.len() > NAME_BYTES_MAX {
        return Err(NAME_TOO_LONG.because("name over 1024 bytes"));
    }
    Ok(format!("Hello {name}"))
}
