//! `/publicapi/explore/…`: the catalogue as M3O's clients browse it. No key is asked.

mod documents;

use super::{call, public, query, reply};
use crate::door::catalogue::did_you_mean;
use crate::door::{Doors, NO_SUCH_PATH, TOO_SLOW, json as text};
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::{Method, StatusCode, header, request::Parts};
use axum::response::Response;
use documents::{examples, open_api, postman};
use http_body_util::{BodyExt, Limited};
use sdk::describe::Described;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use tokio::time::timeout;
use wire::fit::{Fit, Origin, merge};
use wire::{Error, error::reasons};

/// More than a search has to say; whoever sends it showed no key.
const BODY_BYTES_MAX: usize = 16 << 10;
/// And how long that may take.
const ARRIVES_WITHIN: Duration = Duration::from_secs(10);

/// What any of the five may be asked.
static ASKED: LazyLock<Fit> = LazyLock::new(|| {
    let count = json!({"type": "integer", "format": "int64"});
    let text = json!({"type": "string"});
    Fit::of(&json!({
        "type": "object",
        "properties": {
            "limit": count, "offset": count, "name": text, "search_term": text,
            "categories": {"type": "array", "items": text},
        },
        "required": ["limit", "offset", "name", "search_term", "categories"],
    }))
});

pub async fn answer(State(doors): State<Arc<Doors>>, what: call::Named, request: Request) -> Response {
    let (mut parts, body) = request.into_parts();
    let answer = async {
        public::admit(&doors, &mut parts)?;
        let Path(what) = what.map_err(|wrong| call::no_path(&wrong))?;
        let asked = read(&parts, body).await?;
        of(doors.catalogue.described(), &what, &asked, &public::server(&parts))
    };
    match answer.await {
        Ok(answer) => reply::json(StatusCode::OK, &answer),
        Err(error) => reply::error(&error.at("v1")),
    }
}

/// Query parameters below the body's fields; both may be missing.
async fn read(parts: &Parts, body: Body) -> Result<Value, Error> {
    let under = ASKED.take_part(query::parse(parts.uri.query().unwrap_or_default())?, Origin::Text)?;
    if parts.method == Method::GET {
        return Ok(ASKED.take(under, Origin::Json)?);
    }
    let collected = timeout(ARRIVES_WITHIN, Limited::new(body, BODY_BYTES_MAX).collect()).await;
    let late = |_| TOO_SLOW.refuse(format!("the body did not arrive within {} s", ARRIVES_WITHIN.as_secs()));
    let large =
        |_| reasons::TOO_LARGE.refuse(format!("the catalogue is asked in at most {} KiB", BODY_BYTES_MAX >> 10));
    let bytes = collected.map_err(late)?.map_err(large)?.to_bytes();
    let media = parts.headers.get(header::CONTENT_TYPE).and_then(|media| media.to_str().ok()).unwrap_or_default();
    // curl -d says "form" whatever it sends.
    let is_form = media.starts_with("application/x-www-form-urlencoded") && !bytes.trim_ascii_start().starts_with(b"{");
    let over = match is_form {
        true => ASKED.take_part(query::parse(text::text(&bytes)?)?, Origin::Text)?,
        false => ASKED.take_part(text::body(&bytes)?, Origin::Json)?,
    };
    Ok(ASKED.take(merge(under, over), Origin::Json)?)
}

fn of(all: &[Described], what: &str, asked: &Value, server: &str) -> Result<Value, Error> {
    let word = |name: &str| asked[name].as_str().unwrap_or_default();
    match what.to_ascii_lowercase().as_str() {
        "index" => {
            let count = |name: &str| asked[name].as_u64().and_then(|n| usize::try_from(n).ok()).filter(|&n| n > 0);
            let page = all.iter().skip(count("offset").unwrap_or(0)).take(count("limit").unwrap_or(usize::MAX));
            Ok(json!({"apis": page.map(listed).collect::<Vec<_>>()}))
        }
        "search" => {
            let shelves: Vec<String> = asked["categories"].as_array().into_iter().flatten().map(lower).collect();
            Ok(json!({"apis": search(all, word("search_term"), &shelves).map(listed).collect::<Vec<_>>()}))
        }
        "api" => api(all, word("name"), server),
        "listcategories" => {
            let shelves: BTreeSet<&str> = all.iter().map(|service| service.category.as_str()).collect();
            Ok(json!({"categories": shelves.into_iter().filter(|shelf| !shelf.is_empty()).collect::<Vec<_>>()}))
        }
        "pricing" => Ok(json!({"prices": all.iter().map(priced).collect::<Vec<_>>()})),
        _ => {
            let what =
                format!("No such API: the catalogue has Index, Search, API, ListCategories and Pricing, not {what:?}");
            Err(NO_SUCH_PATH.refuse(what))
        }
    }
}

fn lower(word: &Value) -> String {
    word.as_str().unwrap_or_default().trim().to_lowercase()
}

/// Names first, then endpoints, then descriptions; by name within each.
fn search<'a>(all: &'a [Described], term: &str, shelves: &[String]) -> impl Iterator<Item = &'a Described> {
    let term = term.trim().to_lowercase();
    let has = |text: &str| text.to_lowercase().contains(&term);
    let rank = |service: &Described| {
        if has(&service.name) || has(&service.display_name) {
            return Some(0);
        }
        let endpoint = service.endpoints.iter().any(|endpoint| has(&service.long_name(&endpoint.name)));
        if endpoint { Some(1) } else { has(&service.summary).then_some(2) }
    };
    let wanted = all.iter().filter(|service| shelves.is_empty() || shelves.contains(&service.category.to_lowercase()));
    let mut found: Vec<(u8, &Described)> = wanted.filter_map(|service| Some((rank(service)?, service))).collect();
    found.sort_by_key(|(rank, _)| *rank);
    found.into_iter().map(|(_, service)| service)
}

/// As in lists.
fn listed(service: &Described) -> Value {
    let endpoints = service.endpoints.iter().map(|endpoint| json!({"name": service.long_name(&endpoint.name)}));
    json!({
        "name": service.name,
        "description": service.summary,
        "category": service.category,
        "icon": "",
        "endpoints": endpoints.collect::<Vec<_>>(),
        "display_name": service.display_name,
    })
}

fn api(all: &[Described], name: &str, server: &str) -> Result<Value, Error> {
    let service = all.iter().find(|service| service.name.eq_ignore_ascii_case(name.trim())).ok_or_else(|| {
        let hint = did_you_mean(name, all.iter().map(|service| service.name.as_str()));
        reasons::NO_SUCH_SERVICE.refuse(format!("No such API: there is no service {name:?}{hint}"))
    })?;
    let open_api_json = open_api(service, server).to_string();
    Ok(json!({
        "summary": listed(service),
        "api": {
            "id": service.name,
            "name": service.name,
            "description": service.summary,
            "open_api_json": open_api_json,
            "pricing": free(service),
            "owner_id": "commons",
            "examples_json": examples(service).to_string(),
            "category": service.category,
            "icon": "",
            "postman_json": postman(service, server).to_string(),
            "display_name": service.display_name,
            "quotas": free(service),
        },
    }))
}

fn priced(service: &Described) -> Value {
    json!({
        "name": service.name,
        "id": service.name,
        "pricing": free(service),
        "display_name": service.display_name,
        "icon": "",
        "quotas": free(service),
    })
}

/// Nothing costs anything here; 64-bit integers are strings, as everywhere.
fn free(service: &Described) -> Map<String, Value> {
    service.endpoints.iter().map(|endpoint| (service.long_name(&endpoint.name), "0".into())).collect()
}
