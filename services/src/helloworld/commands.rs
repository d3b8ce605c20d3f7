//! The rules: an empty name is greeted too, and a stream ends as soon as its reader leaves. What is out of bounds never
//! comes here: the limits beside the fields are the doors' to enforce.

use super::api::*;
use sdk::prelude::*;
use std::time::Duration;

/// A pure function of its request; what the node lends (clock, randomness) it has no use for.
pub fn call(_: &Here, req: CallRequest) -> Result<CallResponse> {
    Ok(CallResponse { message: greeting(req.language, &req.name) })
}

/// `send` waits until the reader can take an item, and tells when there is no reader any more.
pub async fn stream(cx: Cx, req: StreamRequest, mut out: Sink<StreamResponse>) -> Result<()> {
    let message = greeting(req.language, &req.name);
    let interval = Duration::from_millis(req.interval_ms.unsigned_abs());
    for n in 0..req.messages.max(1) {
        if n > 0 && !interval.is_zero() {
            cx.sleep(interval).await;
        }
        if out.send(StreamResponse { message: message.clone() }).await.is_err() {
            break;
        }
    }
    Ok(())
}

fn greeting(language: Language, name: &str) -> String {
    let hello = match language {
        Language::En => "Hello",
        Language::Ar => "مرحبا",
        Language::De => "Hallo",
        Language::Es => "Hola",
        Language::Fr => "Bonjour",
        Language::Hi => "नमस्ते",
        Language::It => "Ciao",
        Language::Ja => "こんにちは",
        Language::Pt => "Olá",
        Language::Ru => "Привет",
        Language::Tr => "Merhaba",
        Language::Zh => "你好",
    };
    format!("{hello} {name}")
}
