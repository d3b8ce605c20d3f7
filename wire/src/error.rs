//! The one error a caller ever sees, over every door.

use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt;

/// Did the call happen? Decides what a client may do next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It did not and will not: trying again is safe, under any request id.
    #[default]
    NotRun,
    /// It did; this is its answer, or only the answer is missing.
    Ran,
    /// Nobody can tell yet: try again only under the *same* request id.
    Unknown,
}

/// Who answers: the service's own rules, or the cluster in front of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    #[default]
    Cluster,
    Service,
}

/// A failed call. In JSON: `id`, `code`, `detail`, `status`, then `reason`, `outcome`, `source`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "Shown", from = "Shown")]
pub struct Error {
    /// `service.endpoint` in lower case; `v1` for the API's own.
    pub id: String,
    /// The HTTP status.
    pub code: u16,
    /// For people: names the field and the rule.
    pub detail: String,
    /// For programs: a stable word, see [`Reason`].
    pub reason: Cow<'static, str>,
    pub outcome: Outcome,
    pub source: Source,
    /// When trying again may help, in milliseconds; 0 = not said. Sent as `Retry-After` over HTTP.
    pub retry_after_ms: u32,
}

/// As it goes over the wire: with the standard phrase of its code.
#[derive(Serialize, Deserialize)]
struct Shown {
    id: String,
    code: u16,
    detail: String,
    #[serde(default)]
    status: String,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    outcome: Outcome,
    #[serde(default)]
    source: Source,
    #[serde(default)]
    retry_after_ms: u32,
}

impl From<Error> for Shown {
    fn from(e: Error) -> Shown {
        Shown {
            status: phrase(e.code).to_string(),
            id: e.id,
            code: e.code,
            detail: e.detail,
            reason: e.reason.into_owned(),
            outcome: e.outcome,
            source: e.source,
            retry_after_ms: e.retry_after_ms,
        }
    }
}

impl From<Shown> for Error {
    fn from(e: Shown) -> Error {
        Error {
            id: e.id,
            code: e.code,
            detail: e.detail,
            reason: e.reason.into(),
            outcome: e.outcome,
            source: e.source,
            retry_after_ms: e.retry_after_ms,
        }
    }
}

impl Error {
    /// The standard phrase of the code.
    pub fn status(&self) -> &'static str {
        phrase(self.code)
    }

    /// Is it this reason? Clients match the constant, never the text.
    pub fn is(&self, reason: &Reason) -> bool {
        self.code == reason.code && self.reason == reason.word
    }

    /// Names who failed, unless it is named already.
    pub fn at(mut self, id: &str) -> Error {
        if self.id.is_empty() {
            self.id = id.to_string();
        }
        self
    }

    pub fn with_outcome(mut self, outcome: Outcome) -> Error {
        self.outcome = outcome;
        self
    }

    /// The cluster says it, not the service's rules.
    pub fn by_cluster(mut self) -> Error {
        self.source = Source::Cluster;
        self
    }

    pub fn retry_after_ms(mut self, ms: u32) -> Error {
        self.retry_after_ms = ms;
        self
    }

    /// A refusal is the service's own decision and final; anything else may pass (P8).
    pub fn is_refusal(&self) -> bool {
        self.source == Source::Service && self.outcome == Outcome::Ran
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} ({} {})", self.id, self.detail, self.code, self.status())
    }
}

impl std::error::Error for Error {}

/// Why a service refuses: a constant beside its types, that clients match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reason {
    pub code: u16,
    /// Stable, snake_case.
    pub word: &'static str,
}

macro_rules! reasons {
    ($($name:ident $code:literal),*) => {
        $(#[doc = concat!("A refusal with HTTP status ", stringify!($code), ".")]
        pub const fn $name(word: &'static str) -> Reason {
            Reason { code: $code, word }
        })*
    };
}

impl Reason {
    reasons!(bad_request 400, unauthorized 401, forbidden 403, not_found 404, conflict 409, too_large 413, unprocessable 422,
        too_many 429, internal 500, not_implemented 501, unavailable 503, timeout 504);

    /// The error a service returns: the runtime adds the endpoint's id.
    pub fn because(&self, detail: impl Into<String>) -> Error {
        Error {
            code: self.code,
            detail: detail.into(),
            reason: Cow::Borrowed(self.word),
            outcome: Outcome::Ran,
            source: Source::Service,
            ..Error::default()
        }
    }

    /// The same said by the cluster about a call that never reached the service.
    pub fn refuse(&self, detail: impl Into<String>) -> Error {
        self.because(detail).by_cluster().with_outcome(Outcome::NotRun)
    }
}

/// The words of the cluster itself.
pub mod reasons {
    use super::Reason;
    /// A field has the wrong type, or the body is no JSON object.
    pub const BAD_BODY: Reason = Reason::bad_request("bad_body");
    /// A field is out of its [limits](crate::limits); where a service has a word of its own for that, the error bears it.
    pub const BAD_FIELD: Reason = Reason::bad_request("bad_field");
    /// The caller's types are of another version: the same call travels as JSON.
    pub const OTHER_SCHEMA: Reason = Reason::bad_request("other_schema");
    /// The request id is empty, too long or malformed.
    pub const BAD_REQUEST_ID: Reason = Reason::bad_request("bad_request_id");
    /// No key or a bad one.
    pub const UNAUTHORIZED: Reason = Reason::unauthorized("unauthorized");
    /// A web page elsewhere tried to drive this node.
    pub const FOREIGN_ORIGIN: Reason = Reason::forbidden("foreign_origin");
    pub const NO_SUCH_SERVICE: Reason = Reason::not_found("no_such_service");
    pub const NO_SUCH_ENDPOINT: Reason = Reason::not_found("no_such_endpoint");
    pub const TOO_LARGE: Reason = Reason::too_large("too_large");
    /// The same request id came with another payload (P5).
    pub const ID_REUSED: Reason = Reason::unprocessable("request_id_reused");
    /// Its caller asked for the outcome of this id with a fence: no call under it will run any more (P6).
    pub const ID_GIVEN_UP: Reason = Reason::conflict("request_id_given_up");
    /// A queue is full: by count or by bytes.
    pub const OVERLOADED: Reason = Reason::too_many("overloaded");
    /// The service's code failed.
    pub const PANICKED: Reason = Reason::internal("panicked");
    /// The node could not read or write its own disk.
    pub const STORAGE: Reason = Reason::internal("storage");
    /// Declared, documented, and not there yet.
    pub const NOT_YET: Reason = Reason::not_implemented("not_yet");
    /// Nobody leads the group just now.
    pub const NO_LEADER: Reason = Reason::unavailable("no_leader");
    /// The node hears from too few others to know who leads: it is cut off, and others may go on without it (P22).
    pub const NO_QUORUM: Reason = Reason::unavailable("no_quorum");
    /// Leadership was lost while the call was under way.
    pub const LEADER_LOST: Reason = Reason::unavailable("leader_lost");
    /// The node is stopping.
    pub const STOPPING: Reason = Reason::unavailable("stopping");
    /// The call's time is over.
    pub const DEADLINE: Reason = Reason::timeout("deadline");
}

fn phrase(code: u16) -> &'static str {
    match code {
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        409 => "Conflict",
        413 => "Payload Too Large",
        415 => "Unsupported Media Type",
        422 => "Unprocessable Entity",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "Error",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_has_the_four_fields_first_then_ours() {
        let error = Reason::bad_request("insufficient_credit").because("has 1, needs 2").at("wallet.debit");
        assert_eq!(
            serde_json::to_string(&error).unwrap(),
            r#"{"id":"wallet.debit","code":400,"detail":"has 1, needs 2","status":"Bad Request","reason":"insufficient_credit","outcome":"ran","source":"service","retry_after_ms":0}"#
        );
        let back: Error =
            serde_json::from_str(r#"{"id":"v1","code":404,"detail":"No such API","status":"Not Found"}"#).unwrap();
        assert_eq!((back.code, back.outcome), (404, Outcome::NotRun));
    }

    #[test]
    fn both_codecs_carry_it() {
        let error = reasons::OVERLOADED.refuse("cache is busy").at("cache.set").retry_after_ms(100);
        assert_eq!(crate::codec::decode::<Error>(&crate::codec::encode(&error).unwrap()).unwrap(), error);
        assert!(error.is(&reasons::OVERLOADED) && !error.is_refusal());
    }
}
