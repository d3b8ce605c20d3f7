//! The smallest service, for trying things out, and the one that new authors copy.
//!
//! It keeps no state: both endpoints run on the node that took the call, without a hop.
//!
//! Not yet: going on with a broken stream where it stopped (its token, the number of greetings sent so far, comes with
//! *Streams*), and `debug`, which tells the node and the hops, once there are more nodes than one.

mod api;
mod commands;
#[cfg(test)]
mod tests;

pub use api::*;

use commands::{call, stream};
use sdk::Service;

/// What `commons services` lists as `helloworld`.
pub fn service() -> Service {
    let john = || "John".to_string();
    let hello = || "Hello John".to_string();
    Service::new("helloworld", "Greets you, once or as a stream")
        .category("web")
        .display_name("Hello World")
        .local(call)
        .stream(stream)
        .refuses::<CallRequest>(&[NAME_TOO_LONG])
        .refuses::<StreamRequest>(&[NAME_TOO_LONG, BAD_MESSAGES])
        .example("Greet John", CallRequest { name: john(), ..Default::default() }, CallResponse { message: hello() })
        .example(
            "Greet John in German",
            CallRequest { name: john(), language: Language::De },
            CallResponse { message: "Hallo John".into() },
        )
        .stream_example(
            "Greet John twice",
            StreamRequest { name: john(), messages: 2, ..Default::default() },
            vec![StreamResponse { message: hello() }, StreamResponse { message: hello() }],
        )
}
