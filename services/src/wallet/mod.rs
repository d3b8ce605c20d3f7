//! Virtual wallets: balances of whole units that no call loses, invents or overdraws.
//!
//! The balance, the transaction and the idempotency key of a call are one commit. Any way one looks at a wallet, its
//! transactions add up to its balance. What is held is a promise about the balance, no part of it.
//!
//! Not yet: `Transfer` (two wallets in one call settle with *Effects*, and with it the 409 of `Delete` while one is under way),
//! batch transfers, `wallet.changed` events, and the final balance of a deleted wallet in the log.

mod api;
mod calendar;
mod commands;
mod history;
mod holds;
mod rows;
#[cfg(test)]
mod tests;

pub use api::*;

use commands::{balance, create, credit, debit, delete, list, read};
use history::{statement, transactions};
use holds::{authorize, capture, holds, void};
use rows::{HIDDEN, HOLDS, KEYS, SHOWN, WALLET};
use sdk::Service;
use wire::Rfc3339;

/// Ids that the Sandbox draws in the examples.
const HOTEL: &str = "ebc3ae44-95d3-4281-ab3a-46b6996bff84";
const BOAT: &str = "7b0da3df-4445-4c0c-8897-aa26a44a04fb";

/// What `commons services` lists as `wallet`.
pub fn service() -> Service {
    let holiday = || "holiday".to_string();
    let account = |balance| Account {
        id: holiday(),
        name: "Holiday".into(),
        description: "For the beach".into(),
        balance,
        currency: "EUR".into(),
        overdraft_limit: 0,
    };
    let default = || Account { id: DEFAULT_ID.into(), name: "Default account".into(), ..Default::default() };
    let hotel = || Hold {
        id: HOTEL.into(),
        amount: 5,
        reference: "hotel".into(),
        created: Rfc3339(0),
        expires: Rfc3339(HOLD_SECS * 1_000_000_000),
    };
    Service::new("wallet", "Named balances with credit, debit, transfer and history")
        .category("finance")
        .row(&WALLET)
        .table(&SHOWN)
        .table(&HIDDEN)
        .table(&HOLDS)
        .table(&KEYS)
        .command(create)
        .query(read)
        .query(balance)
        .command(credit)
        .command(debit)
        .not_yet::<TransferRequest>("Transfer settles between two wallets, which comes with Effects")
        .query(transactions)
        .gather(list())
        .command(delete)
        .command(authorize)
        .command(capture)
        .command(void)
        .query(holds)
        .query(statement)
        .refuses::<CreateRequest>(&[ALREADY_EXISTS])
        .refuses::<ReadRequest>(&[INVALID_ACCOUNT])
        .refuses::<CreditRequest>(&[MISSING_REFERENCE, INVALID_AMOUNT, KEY_REUSED, INVALID_ACCOUNT])
        .refuses::<DebitRequest>(&[MISSING_REFERENCE, INVALID_AMOUNT, KEY_REUSED, INVALID_ACCOUNT, INSUFFICIENT_CREDIT])
        .refuses::<DeleteRequest>(&[MISSING_ID, HAS_HOLDS])
        .refuses::<AuthorizeRequest>(&[
            MISSING_REFERENCE,
            INVALID_AMOUNT,
            KEY_REUSED,
            INVALID_ACCOUNT,
            INSUFFICIENT_CREDIT,
            TOO_MANY_HOLDS,
        ])
        .refuses::<CaptureRequest>(&[INVALID_AMOUNT, KEY_REUSED, INVALID_ACCOUNT, INVALID_HOLD])
        .refuses::<VoidRequest>(&[INVALID_ACCOUNT, INVALID_HOLD])
        .refuses::<HoldsRequest>(&[INVALID_ACCOUNT])
        .refuses::<StatementRequest>(&[INVALID_ACCOUNT, TOO_MANY_PERIODS, TOTAL_OUT_OF_RANGE])
        .example(
            "Create a wallet",
            CreateRequest {
                id: holiday(),
                name: "Holiday".into(),
                description: "For the beach".into(),
                currency: "EUR".into(),
                ..Default::default()
            },
            CreateResponse { account: account(0) },
        )
        .example(
            "Credit it",
            CreditRequest { id: holiday(), amount: 10, reference: "saved".into(), ..Default::default() },
            CreditResponse { balance: 10 },
        )
        .example(
            "Debit it",
            DebitRequest { id: holiday(), amount: 4, reference: "sun cream".into(), ..Default::default() },
            DebitResponse { balance: 6 },
        )
        .example(
            "Hold an amount",
            AuthorizeRequest { id: holiday(), amount: 5, reference: "hotel".into(), ..Default::default() },
            AuthorizeResponse { hold: hotel(), available: 1 },
        )
        .example("See what is held", HoldsRequest { id: holiday() }, HoldsResponse { holds: vec![hotel()] })
        .example("Read it", ReadRequest { id: holiday() }, ReadResponse { account: account(6), held: 5, available: 1 })
        .example(
            "Take a part of what is held; the rest comes free",
            CaptureRequest { id: holiday(), hold_id: HOTEL.into(), amount: 3, ..Default::default() },
            CaptureResponse { balance: 3 },
        )
        .example(
            "Hold something else",
            AuthorizeRequest { id: holiday(), amount: 2, reference: "boat".into(), ..Default::default() },
            AuthorizeResponse {
                hold: Hold { id: BOAT.into(), amount: 2, reference: "boat".into(), ..hotel() },
                available: 1,
            },
        )
        .example("Give it up", VoidRequest { id: holiday(), hold_id: BOAT.into() }, VoidResponse { available: 3 })
        .example(
            "Ask for the balance",
            BalanceRequest { id: holiday() },
            BalanceResponse { balance: 3, held: 0, available: 3 },
        )
        .example(
            "See its transactions: none of them was made visible",
            TransactionsRequest { id: holiday(), ..Default::default() },
            TransactionsResponse::default(),
        )
        .example(
            "Sum it up",
            StatementRequest { id: holiday(), ..Default::default() },
            StatementResponse {
                total: Totals {
                    from: Rfc3339(0),
                    to: Rfc3339(1),
                    opening: 0,
                    credits: 10,
                    debits: 7,
                    closing: 3,
                    transactions: 3,
                },
                periods: vec![],
            },
        )
        .example(
            "List all wallets",
            ListRequest::default(),
            ListResponse { accounts: vec![default(), account(3)], cursor: String::new() },
        )
        .example("Delete it", DeleteRequest { id: holiday() }, DeleteResponse {})
}
