//! Holds: amounts kept aside until they are captured, voided or expire.

use super::{AMOUNT, ID, IDEMPOTENCY_KEY, INVALID_AMOUNT, METADATA, REFERENCE};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use wire::Rfc3339;
use wire::limits::Bound;

/// Most open holds of a wallet.
pub const HOLDS_MAX: usize = 100;
/// How long a hold lasts, in seconds: at most, and when nothing is said.
pub const HOLD_SECS_MAX: i64 = 30 * 86_400;
pub const HOLD_SECS: i64 = 7 * 86_400;

const HOLD_ID: Bound = Bound::bytes(1, 64);
const CAPTURED: Bound = Bound::range(0, i64::MAX).refused(INVALID_AMOUNT, "invalid amount");
const HOLD_TTL: Bound = Bound::range(1, HOLD_SECS_MAX).or_zero("7 days");

/// An amount kept aside for somebody, until it is captured, voided or expires.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Hold {
    /// hold id
    pub id: String,
    /// how much is held
    pub amount: i64,
    /// note kept with the transaction once it is captured
    pub reference: String,
    /// when it was made
    pub created: Rfc3339,
    /// from this moment on it holds nothing any more
    pub expires: Rfc3339,
}

/// Hold an amount for a later Capture; it comes free when the hold expires.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct AuthorizeRequest {
    /// which wallet, by id; empty = default
    #[schemars(transform = ID.on())]
    pub id: String,
    /// how much to hold, in whole units
    #[schemars(transform = AMOUNT.on())]
    pub amount: i64,
    /// note kept with the hold, and with its transaction
    #[schemars(transform = REFERENCE.on())]
    pub reference: String,
    /// show the transaction in Transactions, once it is captured
    pub visible: bool,
    /// how long it holds, in seconds
    #[schemars(transform = HOLD_TTL.on())]
    pub ttl: i64,
    /// repeat-safe key of this hold: within 7 days it counts once
    #[schemars(transform = IDEMPOTENCY_KEY.on())]
    pub idempotency_key: String,
    /// kept with the transaction, key to value
    #[schemars(transform = METADATA.on())]
    pub metadata: BTreeMap<String, String>,
}

/// The amount is held.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AuthorizeResponse {
    /// the hold
    pub hold: Hold,
    /// how much may be taken now
    pub available: i64,
}

/// Take what is held, or a part of it; the rest comes free.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct CaptureRequest {
    /// which wallet, by id; empty = default
    #[schemars(transform = ID.on())]
    pub id: String,
    /// which hold, as Authorize told it
    #[schemars(transform = HOLD_ID.on())]
    pub hold_id: String,
    /// how much to take, up to what is held; 0 = all of it
    #[schemars(transform = CAPTURED.on())]
    pub amount: i64,
    /// repeat-safe key of this capture: within 7 days it counts once
    #[schemars(transform = IDEMPOTENCY_KEY.on())]
    pub idempotency_key: String,
}

/// The balance after the capture.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CaptureResponse {
    /// the balance
    pub balance: i64,
}

/// Give a hold up: what it held comes free.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct VoidRequest {
    /// which wallet, by id; empty = default
    #[schemars(transform = ID.on())]
    pub id: String,
    /// which hold, as Authorize told it
    #[schemars(transform = HOLD_ID.on())]
    pub hold_id: String,
}

/// The hold is gone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct VoidResponse {
    /// how much may be taken now
    pub available: i64,
}

/// List a wallet's open holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct HoldsRequest {
    /// which wallet, by id; empty = default
    #[schemars(transform = ID.on())]
    pub id: String,
}

/// The open holds, oldest first; at most 100.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HoldsResponse {
    /// the holds
    pub holds: Vec<Hold>,
}
