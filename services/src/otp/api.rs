//! What the world sees of `otp`.

use crate::hidden::hidden;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use wire::limits::Bound;
use wire::{Reason, Rfc3339, endpoints};

endpoints! { otp:
    sensitive Command Generate(GenerateRequest) -> GenerateResponse, key(|r: &GenerateRequest| trimmed(&r.id), "id, trimmed");
    sensitive Command Validate(ValidateRequest) -> ValidateResponse, key(|r: &ValidateRequest| trimmed(&r.id), "id, trimmed");
    sensitive Command Enroll(EnrollRequest)     -> EnrollResponse,   key(|r: &EnrollRequest| trimmed(&r.id), "id, trimmed");
    sensitive Command Verify(VerifyRequest)     -> VerifyResponse,   key(|r: &VerifyRequest| trimmed(&r.id), "id, trimmed");
    sensitive Command Unenroll(UnenrollRequest) -> UnenrollResponse, key(|r: &UnenrollRequest| trimmed(&r.id), "id, trimmed");
}

fn trimmed(id: &str) -> String {
    id.trim().to_string()
}

/// Wrong codes that a right one survives, and one more: with the fifth it is void.
pub const ATTEMPTS: u8 = 5;
/// Codes that one id may have made within a minute.
pub const PER_MINUTE: usize = 10;

/// There is no id, or nothing but spaces.
pub const MISSING_ID: Reason = Reason::bad_request("missing_id");
/// There is no code, or nothing but spaces.
pub const MISSING_CODE: Reason = Reason::bad_request("missing_code");
/// Fewer than 4 or more than 10 signs.
pub const BAD_SIZE: Reason = Reason::bad_request("bad_size");
/// Less than 10 seconds or more than a day.
pub const BAD_EXPIRY: Reason = Reason::bad_request("bad_expiry");
/// There is no such alphabet.
pub const BAD_ALPHABET: Reason = Reason::bad_request("bad_alphabet");
/// [`PER_MINUTE`] codes were made within a minute; the error says when the next may be.
pub const TOO_MANY: Reason = Reason::too_many("too_many_codes");

const ID: Bound = Bound::bytes(1, 256).missing(MISSING_ID, "missing id");
const CODE: Bound = Bound::bytes(1, 64).missing(MISSING_CODE, "missing code");
const SIZE: Bound = Bound::up_to(10).refused(BAD_SIZE, BAD_SIZE_DETAIL);
const EXPIRY: Bound = Bound::up_to(86_400).refused(BAD_EXPIRY, BAD_EXPIRY_DETAIL);
const PURPOSE: Bound = Bound::bytes(0, 64);
const ALPHABET: Bound = Bound::bytes(0, 16);
const LABEL: Bound = Bound::bytes(0, 64);
pub(super) const BAD_SIZE_DETAIL: &str = "size must be 4-10";
pub(super) const BAD_EXPIRY_DETAIL: &str = "expiry must be 10-86400 seconds";

/// Make a one-time code for an id, for you to deliver; the one before is void.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct GenerateRequest {
    /// what the code is for: an id, e-mail or user; spaces around it do not count, capitals do
    #[schemars(transform = ID.on())]
    pub id: String,
    /// number of signs, 4 to 10; 0 or less = 6
    #[schemars(transform = SIZE.on())]
    pub size: i64,
    /// lifetime in seconds, 10 to 86,400; 0 or less = 60
    #[schemars(transform = EXPIRY.on())]
    pub expiry: i64,
    /// which flow of yours it is for, such as login; an id may hold one code for each
    #[schemars(transform = PURPOSE.on())]
    pub purpose: String,
    /// digits, letters (A-Z) or base32 (digits and letters without I, L, O, U); empty = digits
    #[schemars(transform = ALPHABET.on())]
    pub alphabet: String,
}

/// The code.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GenerateResponse {
    /// the code, leading zeros and all
    pub code: String,
    /// from this moment on it is void
    pub expires_at: Rfc3339,
    /// wrong codes after which it is void
    pub attempts_left: i32,
}

/// Check a code. It is good for one success.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ValidateRequest {
    /// what the code was made for
    #[schemars(transform = ID.on())]
    pub id: String,
    /// code to check; spaces around it and capitals do not count
    #[schemars(transform = CODE.on())]
    pub code: String,
    /// the flow it was made for
    #[schemars(transform = PURPOSE.on())]
    pub purpose: String,
}

/// Whether it fits. Nothing else is told, so that nobody finds out which ids have codes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ValidateResponse {
    /// true when the code fits the id and is still alive
    pub success: bool,
}

/// Prepare an authenticator app for an id.
///
/// It counts once Verify has seen a code of it; until then the one before does.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct EnrollRequest {
    /// whose authenticator it will be; spaces around it do not count, capitals do
    #[schemars(transform = ID.on())]
    pub id: String,
    /// the name of your product, for the app to show
    #[schemars(transform = LABEL.on())]
    pub issuer: String,
    /// the name of the account, for the app to show; empty = the id
    #[schemars(transform = LABEL.on())]
    pub account: String,
}

/// What the app needs, and what the owner keeps on paper. It is shown this once.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EnrollResponse {
    /// the shared secret, in base32, to type in
    pub secret: String,
    /// the same as an otpauth URI, to show as a QR code: time-based, SHA-1, 6 digits, 30 seconds
    pub uri: String,
    /// ten codes that Verify takes instead, each once
    pub recovery_codes: Vec<String>,
    /// Verify has to see a code before this moment
    pub expires_at: Rfc3339,
}

/// Check a code of the authenticator app, or a recovery code. Each is good for one success.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct VerifyRequest {
    /// whose authenticator it is
    #[schemars(transform = ID.on())]
    pub id: String,
    /// code to check; spaces, hyphens and capitals do not count
    #[schemars(transform = CODE.on())]
    pub code: String,
}

/// Whether it fits.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct VerifyResponse {
    /// true when the code fits, was not used before, and wrong ones were not too many
    pub success: bool,
    /// it was a recovery code
    pub recovery: bool,
    /// recovery codes left, after a success
    pub recovery_left: i32,
}

/// Forget the authenticator app of an id, and its recovery codes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct UnenrollRequest {
    /// whose authenticator it is; there need not be one
    #[schemars(transform = ID.on())]
    pub id: String,
}

/// It is forgotten.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UnenrollResponse {}

hidden!(GenerateResponse, ValidateRequest, EnrollResponse, VerifyRequest);
