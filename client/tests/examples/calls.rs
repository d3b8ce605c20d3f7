// Every example of the catalogue as the docs print it. Written by `cargo xtask openapi`.
// tidy: long because it is one list that nobody edits

use super::*;

example!(cache_get_1, "cache", "Get", r#"{"key":"name"}"#, |client| {
    let reply = client.call(cache::GetRequest { key: "name".into() }).await?;
});

example!(cache_set_1, "cache", "Set", r#"{"key":"name","value":"Ada","ttl":3600,"if_version":0,"if_absent":false}"#, |client| {
    let reply = client.call(cache::SetRequest {
        key: "name".into(),
        value: "Ada".into(),
        ttl: 3600,
        ..Default::default()
    }).await?;
});

example!(cache_set_2, "cache", "Set", r#"{"key":"name","value":"Ada L.","ttl":0,"if_version":1,"if_absent":false}"#, |client| {
    let reply = client.call(cache::SetRequest {
        key: "name".into(),
        value: "Ada L.".into(),
        if_version: 1,
        ..Default::default()
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

example!(cache_listkeys_1, "cache", "ListKeys", r#"{"prefix":"","limit":0,"cursor":""}"#, |client| {
    let reply = client.call(cache::ListKeysRequest::default()).await?;
});

example!(cache_touch_1, "cache", "Touch", r#"{"key":"name","ttl":3600}"#, |client| {
    let reply = client.call(cache::TouchRequest {
        key: "name".into(),
        ttl: 3600,
    }).await?;
});

example!(cache_getdelete_1, "cache", "GetDelete", r#"{"key":"a"}"#, |client| {
    let reply = client.call(cache::GetDeleteRequest { key: "a".into() }).await?;
});

example!(cache_getmany_1, "cache", "GetMany", r#"{"keys":["a","b"]}"#, |client| {
    let reply = client.call(cache::GetManyRequest {
        keys: vec!["a".into(), "b".into()],
    }).await?;
});

example!(cache_setmany_1, "cache", "SetMany", r#"{"entries":[{"key":"a","value":"1","ttl":0,"if_version":0,"if_absent":false},{"key":"counter","value":"1","ttl":0,"if_version":0,"if_absent":true}]}"#, |client| {
    let reply = client.call(cache::SetManyRequest {
        entries: vec![
            cache::SetRequest {
                key: "a".into(),
                value: "1".into(),
                ..Default::default()
            },
            cache::SetRequest {
                key: "counter".into(),
                value: "1".into(),
                if_absent: true,
                ..Default::default()
            },
        ],
    }).await?;
});

example!(helloworld_call_1, "helloworld", "Call", r#"{"name":"John","language":"en"}"#, |client| {
    let reply = client.call(helloworld::CallRequest {
        name: "John".into(),
        ..Default::default()
    }).await?;
});

example!(helloworld_call_2, "helloworld", "Call", r#"{"name":"John","language":"de"}"#, |client| {
    let reply = client.call(helloworld::CallRequest {
        name: "John".into(),
        language: helloworld::Language::De,
    }).await?;
});

example!(helloworld_stream_1, "helloworld", "Stream", r#"{"name":"John","messages":2,"interval_ms":0,"language":"en"}"#, |client| {
    let mut items = client.stream(helloworld::StreamRequest {
        name: "John".into(),
        messages: 2,
        ..Default::default()
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

example!(otp_generate_1, "otp", "Generate", r#"{"id":"asim@example.com","size":6,"expiry":120,"purpose":"","alphabet":""}"#, |client| {
    let reply = client.call(otp::GenerateRequest {
        id: "asim@example.com".into(),
        size: 6,
        expiry: 120,
        ..Default::default()
    }).await?;
});

example!(otp_validate_1, "otp", "Validate", r#"{"id":"asim@example.com","code":"838534","purpose":""}"#, |client| {
    let reply = client.call(otp::ValidateRequest {
        id: "asim@example.com".into(),
        code: "838534".into(),
        ..Default::default()
    }).await?;
});

example!(otp_validate_2, "otp", "Validate", r#"{"id":"asim@example.com","code":"838534","purpose":""}"#, |client| {
    let reply = client.call(otp::ValidateRequest {
        id: "asim@example.com".into(),
        code: "838534".into(),
        ..Default::default()
    }).await?;
});

example!(otp_enroll_1, "otp", "Enroll", r#"{"id":"asim@example.com","issuer":"Example","account":""}"#, |client| {
    let reply = client.call(otp::EnrollRequest {
        id: "asim@example.com".into(),
        issuer: "Example".into(),
        ..Default::default()
    }).await?;
});

example!(otp_verify_1, "otp", "Verify", r#"{"id":"asim@example.com","code":"798719"}"#, |client| {
    let reply = client.call(otp::VerifyRequest {
        id: "asim@example.com".into(),
        code: "798719".into(),
    }).await?;
});

example!(otp_unenroll_1, "otp", "Unenroll", r#"{"id":"asim@example.com"}"#, |client| {
    let reply = client.call(otp::UnenrollRequest {
        id: "asim@example.com".into(),
    }).await?;
});

example!(password_generate_1, "password", "Generate", r#"{"length":16,"lowercase":true,"uppercase":true,"numbers":true,"special":false,"exclude_ambiguous":false,"exclude":"","symbols":"","words":0,"separator":"","count":0}"#, |client| {
    let reply = client.call(password::GenerateRequest {
        length: 16,
        lowercase: true,
        uppercase: true,
        numbers: true,
        ..Default::default()
    }).await?;
});

example!(password_generate_2, "password", "Generate", r#"{"length":0,"lowercase":false,"uppercase":false,"numbers":false,"special":false,"exclude_ambiguous":false,"exclude":"","symbols":"","words":6,"separator":"","count":0}"#, |client| {
    let reply = client.call(password::GenerateRequest {
        words: 6,
        ..Default::default()
    }).await?;
});

example!(password_strength_1, "password", "Strength", r#"{"password":"P@ssw0rd2024"}"#, |client| {
    let reply = client.call(password::StrengthRequest {
        password: "P@ssw0rd2024".into(),
    }).await?;
});

example!(time_now_1, "time", "Now", r#"{"location":"London","at":"2021-09-13T14:35:44.144293723Z"}"#, |client| {
    let reply = client.call(time::NowRequest {
        location: "London".into(),
        at: "2021-09-13T14:35:44.144293723Z".into(),
    }).await?;
});

example!(time_zone_1, "time", "Zone", r#"{"location":"London","at":"2021-09-13T14:35:44.144293723Z"}"#, |client| {
    let reply = client.call(time::ZoneRequest {
        location: "London".into(),
        at: "2021-09-13T14:35:44.144293723Z".into(),
    }).await?;
});

example!(time_convert_1, "time", "Convert", r#"{"time":"2026-07-01 12:00","from":"New York","to":"Asia/Kolkata","pick":""}"#, |client| {
    let reply = client.call(time::ConvertRequest {
        time: "2026-07-01 12:00".into(),
        from: "New York".into(),
        to: "Asia/Kolkata".into(),
        ..Default::default()
    }).await?;
});

example!(time_list_1, "time", "List", r#"{"prefix":"america/new","at":"2026-07-01T16:00:00Z"}"#, |client| {
    let reply = client.call(time::ListRequest {
        prefix: "america/new".into(),
        at: "2026-07-01T16:00:00Z".into(),
    }).await?;
});

example!(time_batch_1, "time", "Batch", r#"{"locations":["London","Narnia"],"at":"2021-09-13T14:35:44.144293723Z"}"#, |client| {
    let reply = client.call(time::BatchRequest {
        locations: vec!["London".into(), "Narnia".into()],
        at: "2021-09-13T14:35:44.144293723Z".into(),
    }).await?;
});

example!(wallet_create_1, "wallet", "Create", r#"{"id":"holiday","name":"Holiday","description":"For the beach","currency":"EUR","overdraft_limit":0}"#, |client| {
    let reply = client.call(wallet::CreateRequest {
        id: "holiday".into(),
        name: "Holiday".into(),
        description: "For the beach".into(),
        currency: "EUR".into(),
        ..Default::default()
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

example!(wallet_credit_1, "wallet", "Credit", r#"{"id":"holiday","amount":10,"reference":"saved","visible":false,"idempotency_key":"","metadata":{}}"#, |client| {
    let reply = client.call(wallet::CreditRequest {
        id: "holiday".into(),
        amount: 10,
        reference: "saved".into(),
        ..Default::default()
    }).await?;
});

example!(wallet_debit_1, "wallet", "Debit", r#"{"id":"holiday","amount":4,"reference":"sun cream","visible":false,"idempotency_key":"","metadata":{}}"#, |client| {
    let reply = client.call(wallet::DebitRequest {
        id: "holiday".into(),
        amount: 4,
        reference: "sun cream".into(),
        ..Default::default()
    }).await?;
});

example!(wallet_transactions_1, "wallet", "Transactions", r#"{"id":"holiday","limit":0,"cursor":"","from":"1970-01-01T00:00:00Z","to":"1970-01-01T00:00:00Z","reference":"","include_hidden":false}"#, |client| {
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

example!(wallet_authorize_1, "wallet", "Authorize", r#"{"id":"holiday","amount":5,"reference":"hotel","visible":false,"ttl":0,"idempotency_key":"","metadata":{}}"#, |client| {
    let reply = client.call(wallet::AuthorizeRequest {
        id: "holiday".into(),
        amount: 5,
        reference: "hotel".into(),
        ..Default::default()
    }).await?;
});

example!(wallet_authorize_2, "wallet", "Authorize", r#"{"id":"holiday","amount":2,"reference":"boat","visible":false,"ttl":0,"idempotency_key":"","metadata":{}}"#, |client| {
    let reply = client.call(wallet::AuthorizeRequest {
        id: "holiday".into(),
        amount: 2,
        reference: "boat".into(),
        ..Default::default()
    }).await?;
});

example!(wallet_capture_1, "wallet", "Capture", r#"{"id":"holiday","hold_id":"ebc3ae44-95d3-4281-ab3a-46b6996bff84","amount":3,"idempotency_key":""}"#, |client| {
    let reply = client.call(wallet::CaptureRequest {
        id: "holiday".into(),
        hold_id: "ebc3ae44-95d3-4281-ab3a-46b6996bff84".into(),
        amount: 3,
        ..Default::default()
    }).await?;
});

example!(wallet_void_1, "wallet", "Void", r#"{"id":"holiday","hold_id":"7b0da3df-4445-4c0c-8897-aa26a44a04fb"}"#, |client| {
    let reply = client.call(wallet::VoidRequest {
        id: "holiday".into(),
        hold_id: "7b0da3df-4445-4c0c-8897-aa26a44a04fb".into(),
    }).await?;
});

example!(wallet_holds_1, "wallet", "Holds", r#"{"id":"holiday"}"#, |client| {
    let reply = client.call(wallet::HoldsRequest { id: "holiday".into() }).await?;
});

example!(wallet_statement_1, "wallet", "Statement", r#"{"id":"holiday","from":"1970-01-01T00:00:00Z","to":"1970-01-01T00:00:00Z","period":"whole"}"#, |client| {
    let reply = client.call(wallet::StatementRequest {
        id: "holiday".into(),
        ..Default::default()
    }).await?;
});
