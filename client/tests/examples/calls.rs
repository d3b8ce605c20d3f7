// Every example of the catalogue as the docs print it. Written by `cargo xtask openapi`.
// tidy: long because it is one list that nobody edits

use super::*;

example!(cache_get_1, "cache", "Get", r#"{"key":"name"}"#, |client| {
    let reply = client.call(cache::GetRequest { key: "name".into() }).await?;
});

example!(cache_set_1, "cache", "Set", r#"{"key":"name","value":"Ada","ttl":3600}"#, |client| {
    let reply = client.call(cache::SetRequest {
        key: "name".into(),
        value: "Ada".into(),
        ttl: 3600,
    }).await?;
});

example!(cache_delete_1, "cache", "Delete", r#"{"key":"name"}"#, |client| {
    let reply = client.call(cache::DeleteRequest { key: "name".into() }).await?;
});

example!(cache_increment_1, "cache", "Increment", r#"{"key":"counter","value":2}"#, |client| {
    let reply = client.call(cache::IncrementRequest {
        key: "counter".into(),
        value: 2,
    }).await?;
});

example!(cache_decrement_1, "cache", "Decrement", r#"{"key":"counter","value":2}"#, |client| {
    let reply = client.call(cache::DecrementRequest {
        key: "counter".into(),
        value: 2,
    }).await?;
});

example!(cache_listkeys_1, "cache", "ListKeys", r#"{"limit":0,"cursor":""}"#, |client| {
    let reply = client.call(cache::ListKeysRequest::default()).await?;
});

example!(helloworld_call_1, "helloworld", "Call", r#"{"name":"John"}"#, |client| {
    let reply = client.call(helloworld::CallRequest {
        name: "John".into(),
    }).await?;
});

example!(helloworld_stream_1, "helloworld", "Stream", r#"{"name":"John","messages":2}"#, |client| {
    let mut items = client.stream(helloworld::StreamRequest {
        name: "John".into(),
        messages: 2,
    }).await?;
    while let Some(item) = items.next().await {
        println!("{:?}", item?);
    }
});

example!(id_generate_1, "id", "Generate", r#"{"type":"nanoid","count":0,"prefix":"","length":0,"alphabet":""}"#, |client| {
    let reply = client.call(id::GenerateRequest {
        r#type: "nanoid".into(),
        ..Default::default()
    }).await?;
});

example!(id_generate_2, "id", "Generate", r#"{"type":"uuid","count":2,"prefix":"usr","length":0,"alphabet":""}"#, |client| {
    let reply = client.call(id::GenerateRequest {
        r#type: "uuid".into(),
        count: 2,
        prefix: "usr".into(),
        ..Default::default()
    }).await?;
});

example!(id_types_1, "id", "Types", r#"{}"#, |client| {
    let reply = client.call(id::TypesRequest {}).await?;
});

example!(id_parse_1, "id", "Parse", r#"{"id":"1971933570662428683","type":""}"#, |client| {
    let reply = client.call(id::ParseRequest {
        id: "1971933570662428683".into(),
        ..Default::default()
    }).await?;
});

example!(id_sequence_1, "id", "Sequence", r#"{"name":"invoices"}"#, |client| {
    let reply = client.call(id::SequenceRequest {
        name: "invoices".into(),
    }).await?;
});

example!(id_sequence_2, "id", "Sequence", r#"{"name":"invoices"}"#, |client| {
    let reply = client.call(id::SequenceRequest {
        name: "invoices".into(),
    }).await?;
});

example!(wallet_create_1, "wallet", "Create", r#"{"id":"holiday","name":"Holiday","description":"For the beach"}"#, |client| {
    let reply = client.call(wallet::CreateRequest {
        id: "holiday".into(),
        name: "Holiday".into(),
        description: "For the beach".into(),
    }).await?;
});

example!(wallet_read_1, "wallet", "Read", r#"{"id":"holiday"}"#, |client| {
    let reply = client.call(wallet::ReadRequest { id: "holiday".into() }).await?;
});

example!(wallet_balance_1, "wallet", "Balance", r#"{"id":"holiday"}"#, |client| {
    let reply = client.call(wallet::BalanceRequest {
        id: "holiday".into(),
    }).await?;
});

example!(wallet_credit_1, "wallet", "Credit", r#"{"id":"holiday","amount":10,"reference":"saved","visible":false,"idempotency_key":""}"#, |client| {
    let reply = client.call(wallet::CreditRequest {
        id: "holiday".into(),
        amount: 10,
        reference: "saved".into(),
        ..Default::default()
    }).await?;
});

example!(wallet_debit_1, "wallet", "Debit", r#"{"id":"holiday","amount":4,"reference":"sun cream","visible":false,"idempotency_key":""}"#, |client| {
    let reply = client.call(wallet::DebitRequest {
        id: "holiday".into(),
        amount: 4,
        reference: "sun cream".into(),
        ..Default::default()
    }).await?;
});

example!(wallet_transactions_1, "wallet", "Transactions", r#"{"id":"holiday","limit":0,"cursor":""}"#, |client| {
    let reply = client.call(wallet::TransactionsRequest {
        id: "holiday".into(),
        ..Default::default()
    }).await?;
});

example!(wallet_list_1, "wallet", "List", r#"{"limit":0,"cursor":""}"#, |client| {
    let reply = client.call(wallet::ListRequest::default()).await?;
});

example!(wallet_delete_1, "wallet", "Delete", r#"{"id":"holiday"}"#, |client| {
    let reply = client.call(wallet::DeleteRequest {
        id: "holiday".into(),
    }).await?;
});
