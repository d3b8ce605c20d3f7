//! What the world sees of `id`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use wire::limits::Bound;
use wire::{Reason, endpoints};

endpoints! { id:
    Local   Generate(GenerateRequest) -> GenerateResponse;
    Local   Types(TypesRequest)       -> TypesResponse;
    Local   Parse(ParseRequest)       -> ParseResponse;
    Command Sequence(SequenceRequest) -> SequenceResponse, key name;
}

/// There is no such type; `Types` lists those there are.
pub const UNSUPPORTED_TYPE: Reason = Reason::bad_request("unsupported_type");
/// Fewer than no ids, or more than 1,000.
pub const BAD_COUNT: Reason = Reason::bad_request("bad_count");
/// The prefix is too long, or has other signs than letters, digits and `_`.
pub const BAD_PREFIX: Reason = Reason::bad_request("bad_prefix");
/// Shorter than 2 or longer than 256, or given with another type than nanoid.
pub const BAD_LENGTH: Reason = Reason::bad_request("bad_length");
/// Fewer than 2 signs, one twice or one that does not print, or given with another type than nanoid.
pub const BAD_ALPHABET: Reason = Reason::bad_request("bad_alphabet");
/// The node's clock shows a time that this type cannot write.
pub const CLOCK_OUT_OF_RANGE: Reason = Reason::unavailable("clock_out_of_range");
/// Nothing to parse.
pub const MISSING_ID: Reason = Reason::bad_request("missing_id");
/// The text is no id of the type asked for, or of any.
pub const NOT_AN_ID: Reason = Reason::bad_request("not_an_id");
/// The sequence has no name.
pub const MISSING_NAME: Reason = Reason::bad_request("missing_name");
/// The sequence has counted to the end of an int64.
pub const SEQUENCE_ENDED: Reason = Reason::conflict("sequence_ended");

const TYPE: Bound = Bound::bytes(0, 16).refused(UNSUPPORTED_TYPE, UNSUPPORTED_TYPE_DETAIL);
const COUNT: Bound = Bound::range(0, 1000).or_zero("one").refused(BAD_COUNT, "count must be 1-1000");
const PREFIX: Bound = Bound::bytes(0, 33).refused(BAD_PREFIX, BAD_PREFIX_DETAIL);
const LENGTH: Bound = Bound::range(2, 256).or_zero("21").refused(BAD_LENGTH, "length must be 2-256");
const ALPHABET: Bound = Bound::bytes(0, 94).refused(BAD_ALPHABET, BAD_ALPHABET_DETAIL);
const ID: Bound = Bound::bytes(1, 512).missing(MISSING_ID, "missing id");
const NAME: Bound = Bound::bytes(1, 256).missing(MISSING_NAME, "missing name");
pub(super) const UNSUPPORTED_TYPE_DETAIL: &str = "unsupported id type";
pub(super) const BAD_PREFIX_DETAIL: &str = "prefix must be 1-32 letters, digits or _";
pub(super) const BAD_ALPHABET_DETAIL: &str = "alphabet must be 2-94 different printable ASCII signs";

/// Make new unique ids.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct GenerateRequest {
    /// which kind of id; Types lists them; empty = uuid
    #[schemars(transform = TYPE.on())]
    pub r#type: String,
    /// how many, 1 to 1,000; 0 = one
    #[schemars(transform = COUNT.on())]
    pub count: i64,
    /// in front of each id, with one `_` between: `usr` and `usr_` both make `usr_…`; up to 32 letters, digits and `_`
    #[schemars(transform = PREFIX.on())]
    pub prefix: String,
    /// nanoid only: how many signs, 2 to 256; 0 = 21
    #[schemars(transform = LENGTH.on())]
    pub length: i64,
    /// nanoid only: 2 to 94 different printable ASCII signs to draw from; empty = A-Z, a-z, 0-9, _ and -
    #[schemars(transform = ALPHABET.on())]
    pub alphabet: String,
}

/// The new ids.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GenerateResponse {
    /// the first id
    pub id: String,
    /// the type
    pub r#type: String,
    /// all of them, when a count was given
    pub ids: Vec<String>,
}

/// List the types of ids there are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct TypesRequest {}

/// Every type that Generate makes and Parse reads.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TypesResponse {
    /// the types
    pub types: Vec<String>,
}

/// Read what an id tells: its type, when it was made and by whom.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ParseRequest {
    /// the id, with or without a prefix
    #[schemars(transform = ID.on())]
    pub id: String,
    /// its type; empty = found by its looks (not for sqid)
    #[schemars(transform = TYPE.on())]
    pub r#type: String,
}

/// What the id tells.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ParseResponse {
    /// the type
    pub r#type: String,
    /// what stands in front of the id, without the `_`
    pub prefix: String,
    /// when it was made, in RFC 3339; empty = the type does not tell
    pub time: String,
    /// who made it: worker, machine and process, or node, as a number; 0 when the type does not tell
    pub worker: i64,
    /// the how-manieth of its moment, or the counter; 0 when the type does not tell
    pub sequence: i64,
}

/// Count on: the next number of a sequence that has no gaps and loses none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct SequenceRequest {
    /// which sequence, 1 to 256 bytes; it begins when first asked for
    #[schemars(transform = NAME.on())]
    pub name: String,
}

/// The next number.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SequenceResponse {
    /// 1, then 2, 3 …
    pub value: i64,
}
