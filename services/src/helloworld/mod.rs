//! The smallest service, for trying things out, and the one that new authors copy.
//!
//! It keeps no state: both endpoints run on the node that took the call, without a hop.
//!
//! Not yet: going on with a broken stream where it stopped (its token, the number of greetings sent so far, comes with *Streams*).

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
        .example("Greet John", CallRequest { name: john() }, CallResponse { message: hello() })
        .stream_example(
            "Greet John twice",
            StreamRequest { name: john(), messages: 2 },
            vec![StreamResponse { message: hello() }, StreamResponse { message: hello() }],
        )
}
