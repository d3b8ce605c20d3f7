//! Virtual wallets: balances of whole units that no call loses, invents or overdraws.
//!
//! The balance, the transaction and the idempotency key of a call are one commit. Any way one looks at a wallet, its
//! transactions add up to its balance.
//!
//! Not yet: `Transfer` (two wallets in one call settle with *Effects*, and with it the 409 of `Delete` while one is under way),
//! and the final balance of a deleted wallet in the log.

mod api;
mod commands;
mod rows;
#[cfg(test)]
mod tests;

pub use api::*;

use commands::{balance, create, credit, debit, delete, list, read, transactions};
use rows::{HIDDEN, KEYS, SHOWN, WALLET};
use sdk::Service;

/// What `commons services` lists as `wallet`.
pub fn service() -> Service {
    let holiday = || "holiday".to_string();
    let account =
        |balance| Account { id: holiday(), name: "Holiday".into(), description: "For the beach".into(), balance };
    let default = || Account { id: DEFAULT_ID.into(), name: "Default account".into(), ..Default::default() };
    Service::new("wallet", "Named balances with credit, debit, transfer and history")
        .category("finance")
        .row(&WALLET)
        .table(&SHOWN)
        .table(&HIDDEN)
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
        .example(
            "Create a wallet",
            CreateRequest { id: holiday(), name: "Holiday".into(), description: "For the beach".into() },
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
        .example("Read it", ReadRequest { id: holiday() }, ReadResponse { account: account(6) })
        .example("Ask for the balance", BalanceRequest { id: holiday() }, BalanceResponse { balance: 6 })
        .example(
            "See its transactions: none of them was made visible",
            TransactionsRequest { id: holiday(), ..Default::default() },
            TransactionsResponse::default(),
        )
        .example(
            "List all wallets",
            ListRequest::default(),
            ListResponse { accounts: vec![default(), account(6)], cursor: String::new() },
        )
        .example("Delete it", DeleteRequest { id: holiday() }, DeleteResponse {})
}
