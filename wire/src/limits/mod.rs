//! Limits of fields, as a type's JSON Schema states them: enforced once, at the door, and printed in the docs.
//!
//! A limit is an attribute: `#[schemars(length(max = 128))]` (characters), `range(min = 4, max = 10)`, `regex(pattern = …)`,
//! or a [`Bound`], which also knows bytes, the entries of a map, what zero means and the words of its refusal:
//!
//! ```
//! use wire::limits::{Bound, Limits};
//! const KEY: Bound = Bound::bytes(1, 512);
//!
//! #[derive(serde::Serialize, schemars::JsonSchema)]
//! struct GetRequest {
//!     #[schemars(transform = KEY.on())]
//!     key: String,
//! }
//! let limits = Limits::of(&schemars::schema_for!(GetRequest).to_value());
//! let misfit = limits.check(&GetRequest { key: "k".repeat(600) }).unwrap_err();
//! assert_eq!(misfit.to_string(), "key: must be 1 to 512 bytes, it has 600");
//! ```
//!
//! **A field that is empty or 0 was not given.** A lower bound above that therefore means "must be given"; without one, or
//! with [`Bound::or_zero`], a field may be left out. `None` is always allowed. Fields are looked at in the order of the type;
//! the first that breaks a limit is named. Limits are no wire format: changing one changes no schema hash.

mod bound;
mod compile;
mod own;
#[cfg(test)]
mod tests;
mod walk;
mod words;

pub use bound::Bound;
pub use words::{is_required, open_api, words};

use crate::fit::Misfit;
use compile::Node;
use serde::Serialize;
use serde_json::Value;

/// The schema's words for what the standard has none for.
pub mod keyword {
    /// UTF-8, or raw bytes of a base64 field.
    pub const MIN_BYTES: &str = "x-min-bytes";
    pub const MAX_BYTES: &str = "x-max-bytes";
    /// Empty or 0 is allowed beside the range, and means this.
    pub const ZERO: &str = "x-zero";
    /// Code, reason and detail of the refusal when the field is not given.
    pub const MISSING: &str = "x-missing";
    /// The same when it breaks another limit.
    pub const REFUSED: &str = "x-refused";
}

/// The longest cursor a page gives: two digits a byte of the longest key.
pub const CURSOR_BYTES_MAX: usize = 4096;

/// What [`Limits`] enforces, and so what the schema hash leaves out.
pub(crate) const KEYWORDS: &[&str] = &[
    "minLength",
    "maxLength",
    "pattern",
    "minimum",
    "maximum",
    "minItems",
    "maxItems",
    "minProperties",
    "maxProperties",
    "propertyNames",
    keyword::MIN_BYTES,
    keyword::MAX_BYTES,
    keyword::ZERO,
    keyword::MISSING,
    keyword::REFUSED,
];

/// A type's limits, compiled once.
#[derive(Debug)]
pub struct Limits {
    /// What `$ref` names; the first is the type itself.
    nodes: Vec<Node>,
}

impl Limits {
    /// Compiles a JSON Schema as [`crate::Endpoint::request`] gives it.
    pub fn of(schema: &Value) -> Limits {
        Limits { nodes: compile::compile(schema) }
    }

    /// Walks the value, whatever codec it came in; the first field out of its limits is the error.
    pub fn check<T: Serialize + ?Sized>(&self, value: &T) -> Result<(), Misfit> {
        walk::check(&self.nodes, value)
    }
}
