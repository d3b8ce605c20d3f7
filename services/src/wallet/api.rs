//! What the world sees of `wallet`. Amounts are whole, in the caller's smallest unit; there is no currency.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use wire::{Reason, Rfc3339, endpoints};

endpoints! { wallet:
    Command Create(CreateRequest)             -> CreateResponse,       key id or new;
    Query   Read(ReadRequest)                 -> ReadResponse,         key id or "default";
    Query   Balance(BalanceRequest)           -> BalanceResponse,      key id or "default";
    Command Credit(CreditRequest)             -> CreditResponse,       key id or "default";
    Command Debit(DebitRequest)               -> DebitResponse,        key id or "default";
    Command Transfer(TransferRequest)         -> TransferResponse,     key from_id;
    Query   Transactions(TransactionsRequest) -> TransactionsResponse, key id or "default";
    Gather  List(ListRequest)                 -> ListResponse,         page(accounts: Account, 100..1000);
    Command Delete(DeleteRequest)             -> DeleteResponse,       key id;
}

/// The wallet every account has without creating it.
pub const DEFAULT_ID: &str = "default";
/// Longest id of a wallet, in bytes of UTF-8.
pub const ID_BYTES_MAX: usize = 128;
/// Longest name, in characters.
pub const NAME_CHARS_MAX: usize = 128;
/// Longest description, in characters.
pub const DESCRIPTION_CHARS_MAX: usize = 1024;
/// Longest reference, in characters.
pub const REFERENCE_CHARS_MAX: usize = 256;
/// Longest idempotency key, in bytes of UTF-8.
pub const IDEMPOTENCY_KEY_BYTES_MAX: usize = 255;

/// A text is longer than it may be; the detail names the field.
pub const TOO_LONG: Reason = Reason::bad_request("too_long");
/// The reference is empty.
pub const MISSING_REFERENCE: Reason = Reason::bad_request("missing_reference");
/// The amount is below 1, or the balance would leave the range of an int64.
pub const INVALID_AMOUNT: Reason = Reason::bad_request("invalid_amount");
/// The wallet holds less than the amount asked for.
pub const INSUFFICIENT_CREDIT: Reason = Reason::bad_request("insufficient_credit");
/// Delete was not told which wallet.
pub const MISSING_ID: Reason = Reason::bad_request("missing_id");
/// There is no such wallet.
pub const INVALID_ACCOUNT: Reason = Reason::not_found("invalid_account");
/// There is a wallet of this id.
pub const ALREADY_EXISTS: Reason = Reason::conflict("already_exists");
/// The idempotency key came before with another amount or reference.
pub const KEY_REUSED: Reason = Reason::conflict("key_reused");

/// A wallet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Account {
    /// account id
    pub id: String,
    /// the account's name
    pub name: String,
    /// the account's description
    pub description: String,
    /// the account's balance
    pub balance: i64,
}

/// A change of a balance.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Transaction {
    /// transaction id
    pub id: String,
    /// creation time, to the nanosecond
    pub created: Rfc3339,
    /// the transaction's amount: credits above 0, debits below
    pub amount: i64,
    /// the transaction's reference
    pub reference: String,
    /// metadata, key to value
    pub metadata: BTreeMap<String, String>,
}

/// Create a wallet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct CreateRequest {
    /// id of the new wallet, up to 128 bytes; empty = a new UUID
    pub id: String,
    /// the wallet's name, up to 128 characters
    pub name: String,
    /// the wallet's description, up to 1,024 characters
    pub description: String,
}

/// The new wallet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CreateResponse {
    /// the account, with balance 0
    pub account: Account,
}

/// Read a wallet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ReadRequest {
    /// which wallet, by id; empty = default
    pub id: String,
}

/// The wallet asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReadResponse {
    /// the account
    pub account: Account,
}

/// Ask for a wallet's balance.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct BalanceRequest {
    /// which wallet, by id; empty = default
    pub id: String,
}

/// The balance; 0 for a wallet that does not exist.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BalanceResponse {
    /// the balance
    pub balance: i64,
}

/// Add to a wallet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct CreditRequest {
    /// which wallet, by id; empty = default
    pub id: String,
    /// how much to add, whole units, at least 1
    pub amount: i64,
    /// note kept with the transaction, 1 to 256 characters
    pub reference: String,
    /// show it in Transactions
    pub visible: bool,
    /// repeat-safe key of this credit, up to 255 bytes: within 7 days it counts once
    pub idempotency_key: String,
}

/// The balance after the credit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CreditResponse {
    /// the balance
    pub balance: i64,
}

/// Take from a wallet; never more than it holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct DebitRequest {
    /// which wallet, by id; empty = default
    pub id: String,
    /// how much to take, whole units, at least 1
    pub amount: i64,
    /// note kept with the transaction, 1 to 256 characters
    pub reference: String,
    /// show it in Transactions
    pub visible: bool,
    /// repeat-safe key of this debit, up to 255 bytes: within 7 days it counts once
    pub idempotency_key: String,
}

/// The balance after the debit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DebitResponse {
    /// the balance
    pub balance: i64,
}

/// Move an amount to another wallet: all of it or nothing. (Not there yet.)
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct TransferRequest {
    /// wallet that pays
    pub from_id: String,
    /// wallet that receives
    pub to_id: String,
    /// how much to move, whole units, at least 1
    pub amount: i64,
    /// note kept with both transactions, 1 to 256 characters
    pub reference: String,
    /// show it in both wallets' Transactions
    pub visible: bool,
    /// repeat-safe key of this transfer, up to 255 bytes: within 7 days it counts once
    pub idempotency_key: String,
}

/// Both wallets have it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TransferResponse {}

/// List a wallet's visible transactions, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct TransactionsRequest {
    /// which wallet, by id; empty = default
    pub id: String,
    /// how many at once, up to 1,000; 0 = 100
    pub limit: i64,
    /// the cursor of the page before; empty = from the start
    pub cursor: String,
}

/// Transactions in the order in which they were committed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TransactionsResponse {
    /// the transactions
    pub transactions: Vec<Transaction>,
    /// where the next page begins; empty = there is none
    pub cursor: String,
}

/// List all wallets, in the order of their ids.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ListRequest {
    /// how many at once, up to 1,000; 0 = 100
    pub limit: i64,
    /// the cursor of the page before; empty = from the start
    pub cursor: String,
}

/// Wallets with their balances; `default` is always among them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ListResponse {
    /// the accounts
    pub accounts: Vec<Account>,
    /// where the next page begins; empty = there is none
    pub cursor: String,
}

/// Delete a wallet with its balance and its transactions; `default` is as new afterwards.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct DeleteRequest {
    /// which wallet, by id; it need not exist
    pub id: String,
}

/// The wallet is gone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeleteResponse {}
