//! What the world sees of `wallet`. Amounts are whole, in the caller's smallest unit; a wallet's currency is a word of the
//! caller's, nothing is converted.

mod holds;
mod statement;

pub use holds::*;
pub use statement::*;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use wire::limits::Bound;
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
    Command Authorize(AuthorizeRequest)       -> AuthorizeResponse,    key id or "default";
    Command Capture(CaptureRequest)           -> CaptureResponse,      key id or "default";
    Command Void(VoidRequest)                 -> VoidResponse,         key id or "default";
    Query   Holds(HoldsRequest)               -> HoldsResponse,        key id or "default";
    Query   Statement(StatementRequest)       -> StatementResponse,    key id or "default";
}

/// The wallet every account has without creating it.
pub const DEFAULT_ID: &str = "default";

/// The reference is empty.
pub const MISSING_REFERENCE: Reason = Reason::bad_request("missing_reference");
/// The amount is below 1, the balance would leave the range of an int64, or it is more than the hold.
pub const INVALID_AMOUNT: Reason = Reason::bad_request("invalid_amount");
/// The wallet has less to give than the amount asked for.
pub const INSUFFICIENT_CREDIT: Reason = Reason::bad_request("insufficient_credit");
/// Delete was not told which wallet.
pub const MISSING_ID: Reason = Reason::bad_request("missing_id");
/// Transfer was not told from where or to where, or to the same wallet.
pub const MISSING_IDS: Reason = Reason::bad_request("missing_ids");
/// A statement of so many periods: ask for a shorter time or longer periods.
pub const TOO_MANY_PERIODS: Reason = Reason::bad_request("too_many_periods");
/// What went in or out in this time is more than an int64 holds: ask for a shorter time.
pub const TOTAL_OUT_OF_RANGE: Reason = Reason::bad_request("total_out_of_range");
/// There is no such wallet.
pub const INVALID_ACCOUNT: Reason = Reason::not_found("invalid_account");
/// There is no such hold: captured, voided, expired, or never made.
pub const INVALID_HOLD: Reason = Reason::not_found("invalid_hold");
/// There is a wallet of this id.
pub const ALREADY_EXISTS: Reason = Reason::conflict("already_exists");
/// The idempotency key came before with another body.
pub const KEY_REUSED: Reason = Reason::conflict("key_reused");
/// The wallet has as many open holds as it may.
pub const TOO_MANY_HOLDS: Reason = Reason::conflict("too_many_holds");
/// Something is held for others: capture or void it before the wallet is deleted.
pub const HAS_HOLDS: Reason = Reason::conflict("has_holds");

/// The doors enforce these, and the docs show them.
const ID: Bound = Bound::bytes(0, 128);
const ID_GIVEN: Bound = Bound::bytes(1, 128).missing(MISSING_ID, "Missing wallet id");
const TRANSFER_ID: Bound = Bound::bytes(1, 128).missing(MISSING_IDS, "missing ids");
const NAME: Bound = Bound::chars(0, 128);
const DESCRIPTION: Bound = Bound::chars(0, 1024);
const CURRENCY: Bound = Bound::chars(0, 16);
const OVERDRAFT: Bound = Bound::range(0, i64::MAX);
const AMOUNT: Bound = Bound::range(1, i64::MAX).refused(INVALID_AMOUNT, "invalid amount");
const REFERENCE: Bound = Bound::chars(1, 256).missing(MISSING_REFERENCE, "Missing reference");
const ANY_REFERENCE: Bound = Bound::chars(0, 256);
const IDEMPOTENCY_KEY: Bound = Bound::bytes(0, 255);
const METADATA: Bound = Bound::entries(0, 16).names(&Bound::chars(1, 64)).each(&Bound::chars(0, 256));
const CURSOR: Bound = Bound::bytes(0, 64);

/// A wallet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Account {
    /// account id
    pub id: String,
    /// the account's name
    pub name: String,
    /// the account's description
    pub description: String,
    /// the account's balance; below 0 when it is overdrawn
    pub balance: i64,
    /// what it counts, such as EUR; empty = nobody said
    pub currency: String,
    /// how far below 0 the balance may go
    pub overdraft_limit: i64,
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
    /// the balance after it
    pub balance: i64,
    /// it is shown without `include_hidden`
    pub visible: bool,
}

/// Create a wallet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct CreateRequest {
    /// id of the new wallet; empty = a new UUID
    #[schemars(transform = ID.on())]
    pub id: String,
    /// the wallet's name
    #[schemars(transform = NAME.on())]
    pub name: String,
    /// the wallet's description
    #[schemars(transform = DESCRIPTION.on())]
    pub description: String,
    /// what it counts, such as EUR or points: a note, nothing is converted
    #[schemars(transform = CURRENCY.on())]
    pub currency: String,
    /// how far below 0 its balance may go
    #[schemars(transform = OVERDRAFT.on())]
    pub overdraft_limit: i64,
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
    #[schemars(transform = ID.on())]
    pub id: String,
}

/// The wallet asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReadResponse {
    /// the account
    pub account: Account,
    /// how much is held for others
    pub held: i64,
    /// how much may be taken now: the balance less what is held, plus the overdraft
    pub available: i64,
}

/// Ask for a wallet's balance.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct BalanceRequest {
    /// which wallet, by id; empty = default
    #[schemars(transform = ID.on())]
    pub id: String,
}

/// The balance; 0 for a wallet that does not exist.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BalanceResponse {
    /// the balance
    pub balance: i64,
    /// how much of it is held for others
    pub held: i64,
    /// how much may be taken now: the balance less what is held, plus the overdraft
    pub available: i64,
}

/// Add to a wallet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct CreditRequest {
    /// which wallet, by id; empty = default
    #[schemars(transform = ID.on())]
    pub id: String,
    /// how much to add, in whole units
    #[schemars(transform = AMOUNT.on())]
    pub amount: i64,
    /// note kept with the transaction
    #[schemars(transform = REFERENCE.on())]
    pub reference: String,
    /// show it in Transactions
    pub visible: bool,
    /// repeat-safe key of this credit: within 7 days it counts once
    #[schemars(transform = IDEMPOTENCY_KEY.on())]
    pub idempotency_key: String,
    /// kept with the transaction, key to value
    #[schemars(transform = METADATA.on())]
    pub metadata: BTreeMap<String, String>,
}

/// The balance after the credit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CreditResponse {
    /// the balance
    pub balance: i64,
}

/// Take from a wallet; never more than is available.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct DebitRequest {
    /// which wallet, by id; empty = default
    #[schemars(transform = ID.on())]
    pub id: String,
    /// how much to take, in whole units
    #[schemars(transform = AMOUNT.on())]
    pub amount: i64,
    /// note kept with the transaction
    #[schemars(transform = REFERENCE.on())]
    pub reference: String,
    /// show it in Transactions
    pub visible: bool,
    /// repeat-safe key of this debit: within 7 days it counts once
    #[schemars(transform = IDEMPOTENCY_KEY.on())]
    pub idempotency_key: String,
    /// kept with the transaction, key to value
    #[schemars(transform = METADATA.on())]
    pub metadata: BTreeMap<String, String>,
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
    #[schemars(transform = TRANSFER_ID.on())]
    pub from_id: String,
    /// wallet that receives
    #[schemars(transform = TRANSFER_ID.on())]
    pub to_id: String,
    /// how much to move, in whole units
    #[schemars(transform = AMOUNT.on())]
    pub amount: i64,
    /// note kept with both transactions
    #[schemars(transform = ANY_REFERENCE.on())]
    pub reference: String,
    /// show it in both wallets' Transactions
    pub visible: bool,
    /// repeat-safe key of this transfer: within 7 days it counts once
    #[schemars(transform = IDEMPOTENCY_KEY.on())]
    pub idempotency_key: String,
}

/// Both wallets have it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TransferResponse {}

/// List a wallet's transactions, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct TransactionsRequest {
    /// which wallet, by id; empty = default
    #[schemars(transform = ID.on())]
    pub id: String,
    /// how many at once; 0 = 100
    #[schemars(range(max = 1000))]
    pub limit: i64,
    /// the cursor of the page before; empty = from the start
    #[schemars(transform = CURSOR.on())]
    pub cursor: String,
    /// only those made at or after this moment; not given = from the first
    pub from: Rfc3339,
    /// only those made before this moment; not given = to the last
    pub to: Rfc3339,
    /// only those with exactly this reference
    #[schemars(transform = ANY_REFERENCE.on())]
    pub reference: String,
    /// those that were not made visible as well
    pub include_hidden: bool,
}

/// Transactions in the order in which they were committed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TransactionsResponse {
    /// the transactions
    pub transactions: Vec<Transaction>,
    /// where the next page begins; empty = there is none. With a reference asked for, a page may be short and yet not the last
    pub cursor: String,
}

/// List all wallets, in the order of their ids.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ListRequest {
    /// how many at once; 0 = 100
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
    #[schemars(transform = ID_GIVEN.on())]
    pub id: String,
}

/// The wallet is gone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeleteResponse {}
