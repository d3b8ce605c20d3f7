//! What both ends of a connection share: ids, values, errors, the codec, frames, and the table of a service's endpoints.
//!
//! Light on purpose: no runtime, no storage, no actors. A client links this and the services' types, nothing else.

pub mod codec;
pub mod endpoint;
pub mod error;
pub mod fit;
pub mod frame;
pub mod ids;
pub mod limits;
pub mod rpc;
pub mod slot;
pub mod value;

pub use endpoint::{Endpoint, Key, Kind, Page, Request};
pub use error::{Error, Outcome, Reason, Source};
pub use value::{Bytes, Json, Rfc3339, UnixSecs};

/// What the `endpoints!` macro needs in the crate that calls it.
#[doc(hidden)]
pub mod __private {
    pub use schemars;
    pub use serde_json;
}
