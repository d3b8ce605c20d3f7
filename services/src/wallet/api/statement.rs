//! Statements: a wallet summed up over some time.

use super::ID;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use wire::Rfc3339;

/// Most periods of a statement.
pub const PERIODS_MAX: usize = 100;

/// How a statement is cut, at midnight UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Period {
    #[default]
    Whole,
    Day,
    Week,
    Month,
}

/// Sum a wallet up over some time: what was there, what came, what went, what is there.
///
/// Hidden transactions count: only so do opening, credits and debits add up to closing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct StatementRequest {
    /// which wallet, by id; empty = default
    #[schemars(transform = ID.on())]
    pub id: String,
    /// from this moment on; not given = from the first transaction
    pub from: Rfc3339,
    /// up to this moment, which is not part of it; not given = until now
    pub to: Rfc3339,
    /// cut it by day, week (from Monday) or month; empty = not at all. At most 100 periods
    pub period: Period,
}

/// A statement.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StatementResponse {
    /// all of it
    pub total: Totals,
    /// period by period, oldest first; those without a transaction too
    pub periods: Vec<Totals>,
}

/// A wallet over some time: opening + credits - debits = closing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Totals {
    /// from this moment on
    pub from: Rfc3339,
    /// up to this moment, which is not part of it
    pub to: Rfc3339,
    /// the balance before
    pub opening: i64,
    /// what was added
    pub credits: i64,
    /// what was taken, as a number above 0
    pub debits: i64,
    /// the balance after
    pub closing: i64,
    /// how many transactions there were
    pub transactions: i64,
}
