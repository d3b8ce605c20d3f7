//! What an example takes for granted: the original's examples were recorded on an account that had things in it.

use crate::http::Http;
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

/// Brings it about; the request, with what only a call can tell (a code) put in.
pub async fn before(http: &Http, id: &str, mut request: Value) -> Result<Value> {
    match id {
        "wallet.Delete" | "wallet.Balance" => wallet(http, &request["id"]).await?,
        "wallet.Transfer" => wallet(http, &request["from_id"]).await?,
        "wallet.Transactions" => {
            wallet(http, &request["id"]).await?;
            for (endpoint, amount) in [("Credit", 10), ("Debit", 5)] {
                let body = json!({"id": request["id"], "amount": amount, "reference": "test", "visible": true});
                http.call(&format!("/v1/wallet/{endpoint}"), &body).await?.done()?;
            }
        }
        "otp.Validate" => {
            let made = http.call("/v1/otp/Generate", &json!({"id": request["id"]})).await?.done()?;
            request["code"] = made["code"].clone();
        }
        _ => {}
    }
    Ok(request)
}

/// A wallet of this id; it may be there.
async fn wallet(http: &Http, id: &Value) -> Result<()> {
    let id = id.as_str().context("an id")?;
    let made = http.call("/v1/wallet/Create", &json!({"id": id, "name": "of an example"})).await?;
    ensure!(matches!(made.code, 200 | 409), "wallet {id}: {} {}", made.code, made.text());
    Ok(())
}
