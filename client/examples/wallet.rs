//! Credits a wallet and reads it. Run a node (`commons dev`), then: `cargo run -p client --example wallet`.

use client::{Client, Error};
use services::wallet;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let node = std::env::var("COMMONS_NODE").unwrap_or_else(|_| "127.0.0.1:7070".into());
    let client = Client::connect(node).await?;

    // Done once, however often the client has to ask: its request id was made before the first try.
    let tip = wallet::CreditRequest { amount: 5, reference: "tip".into(), ..Default::default() };
    let credited = client.call(tip).await?;
    println!("balance {}", credited.balance);

    let read = client.call(wallet::BalanceRequest::default()).await?;
    assert!(read.balance >= 5, "somebody else spends from this wallet");

    // A refusal is matched by its reason, never by its text.
    let rent = wallet::DebitRequest { amount: i64::MAX, reference: "rent".into(), ..Default::default() };
    match client.call(rent).await {
        Err(error) if error.is(&wallet::INSUFFICIENT_CREDIT) => println!("not enough for the rent: {error}"),
        other => println!("a very full wallet: {other:?}"),
    }
    Ok(())
}
