//! Several keys in one call: each is a call of its own, so each stands for itself.

use super::api::*;
use sdk::prelude::*;
use std::collections::BTreeSet;

pub async fn get_many(cx: Cx, req: GetManyRequest) -> Result<GetManyResponse> {
    let reads: Vec<GetRequest> = req.keys.into_iter().map(|key| GetRequest { key }).collect();
    let answers = cx.call_all(&reads).await.into_iter();
    let results = answers.zip(reads).map(|(answer, GetRequest { key })| match answer {
        Ok(GetResponse { key, value, ttl, version }) => Found { key, value, ttl, version, error: None },
        Err(error) => Found { key, error: Some(error.into()), ..Found::default() },
    });
    Ok(GetManyResponse { results: results.collect() })
}

pub async fn set_many(cx: Cx, req: SetManyRequest) -> Result<SetManyResponse> {
    let mut keys = BTreeSet::new();
    if let Some(n) = req.entries.iter().position(|entry| !keys.insert(&entry.key)) {
        return Err(KEY_TWICE.because(format!("entries[{n}].key: it is there twice")));
    }
    let answers = cx.call_all(&req.entries).await.into_iter();
    let results = answers.zip(req.entries).map(|(answer, SetRequest { key, .. })| match answer {
        Ok(SetResponse { version, .. }) => Kept { key, version, error: None },
        Err(error) => Kept { key, version: 0, error: Some(error.into()) },
    });
    Ok(SetManyResponse { results: results.collect() })
}

impl From<Error> for Failed {
    fn from(error: Error) -> Failed {
        let outcome = match error.outcome {
            wire::Outcome::NotRun => "not_run",
            wire::Outcome::Ran => "ran",
            wire::Outcome::Unknown => "unknown",
        };
        Failed {
            code: error.code.into(),
            reason: error.reason.into_owned(),
            detail: error.detail,
            outcome: outcome.into(),
        }
    }
}
